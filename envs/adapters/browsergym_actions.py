"""BrowserGym's actions as selfgym reads them: strings in its own words, or tool calls. They are checked here first.

What cannot be understood never reaches a browser. BrowserGym makes Python of the rest, calls of its own functions with
literal arguments; an action is never run as it stands.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib import import_module
from typing import Any

from selfgym.envs.tools import MAX_ACTION_CHARACTERS, ActionError, Tool, ToolCall, ToolSet

_OURS = {"element": "bid", "from_element": "from_bid", "to_element": "to_bid"}  # arguments of selfgym's web actions
_LISTS = ("options", "file", "modifiers")  # arguments that may be lists, which BrowserGym describes as text
_LONGEST_WAIT = 60_000  # ms
_MOST_WORDS = 500  # characters


class BrowserGymMissing(RuntimeError):
    """BrowserGym, or the package with the tasks, is not installed here. Says what to install."""


def load(name: str) -> Any:
    """A module of BrowserGym. Raises `BrowserGymMissing`."""
    try:
        return import_module(name)
    except ImportError as error:
        family = name.split(".")[1] if name.startswith("browsergym.") else "core"
        package = f"browsergym-{'core' if family == 'utils' else family}"
        raise BrowserGymMissing(
            f"{name} is not installed here: pip install {package}. It wants a Playwright of its own, so give it "
            "a virtual environment of its own, and install selfgym there too"
        ) from error


def brief(text: str) -> str:
    """The beginning of a message, without Playwright's log, which has times in it."""
    return " ".join(text.partition("Call log:")[0].split())[:_MOST_WORDS]


class Actions:
    """The actions of some of BrowserGym's sets.

    `tools` describes them as typed tools, `as_python` is BrowserGym's own translation.
    """

    def __init__(self, sets: Sequence[str]) -> None:
        known = load("browsergym.core.action.highlevel").HighLevelActionSet(list(sets), multiaction=False)
        self._parser = load("browsergym.core.action.parsers").highlevel_action_parser
        self.as_python = known.to_python_code
        self.tools = ToolSet(_tool(one) for one in known.to_tool_description())

    def read(self, action: Any) -> str:
        """An action as BrowserGym's string. Raises `ActionError`."""
        if not isinstance(action, str) or action.lstrip().startswith("{"):
            return self._written(self._called(action))
        return self._checked(action)

    def recorded(self, action: Any) -> str:
        """A string that means the same action, for doing it again."""
        if isinstance(action, ToolCall):
            action = {"name": action.name, "arguments": action.arguments}
        return action if isinstance(action, str) else json.dumps(action, default=repr)

    def _checked(self, action: str) -> str:
        if len(action) > MAX_ACTION_CHARACTERS:
            raise ActionError(f"The action has {len(action)} characters; the limit is {MAX_ACTION_CHARACTERS}.")
        try:
            call = self.as_python(action).splitlines()[-1]
            [[name, arguments]] = self._parser.parse_string(call).as_list()
        except Exception as error:
            names = ", ".join(tool.name for tool in self.tools)
            raise ActionError(f"{brief(str(error))} Write one call such as click('12'). Calls: {names}.") from None
        waits = [getattr(one, "value", one) for one in arguments] if name == "noop" else []
        if any(isinstance(one, int | float) and not 0 <= one <= _LONGEST_WAIT for one in waits):
            raise ActionError(f"noop waits for 0 to {_LONGEST_WAIT} milliseconds.")
        return action

    def _called(self, action: Any) -> ToolCall:
        """A checked call; selfgym's own names for elements are understood."""
        if isinstance(action, ToolCall):
            action = {"name": action.name, "arguments": action.arguments}
        if isinstance(action, str) and len(action) <= MAX_ACTION_CHARACTERS:
            try:
                action = json.loads(action)
            except (ValueError, RecursionError):
                return self.tools.parse(action)  # says what is wrong with it
        if isinstance(action, dict) and isinstance(action.get("arguments"), dict):
            known = {name: one for name, one in action["arguments"].items() if name not in _OURS}
            ours = {_OURS[name]: str(one) for name, one in action["arguments"].items() if name in _OURS}
            action = {**action, "arguments": {**known, **ours}}
        return self.tools.parse(action)

    def _written(self, call: ToolCall) -> str:
        arguments = (
            f"{name}={int(one) if isinstance(one, float) and one.is_integer() else one!r}"
            for name, one in call.arguments.items()
        )
        return self._checked(f"{call.name}({', '.join(arguments)})")


def _tool(schema: dict[str, Any]) -> Tool:
    """A tool of BrowserGym's description, with lists where they are allowed."""
    properties = {
        name: {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}], **_default(one)}
        if name in _LISTS
        else one
        for name, one in schema["parameters"]["properties"].items()
    }
    return Tool.from_schema({**schema, "parameters": {**schema["parameters"], "properties": properties}})


def _default(schema: dict[str, Any]) -> dict[str, Any]:
    return {"default": schema["default"]} if "default" in schema else {}
