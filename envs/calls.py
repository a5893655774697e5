"""How an action that is written as one call of Python is read: names and literals, never run.

>>> from pydantic import BaseModel
>>> from selfgym.envs.tools import Tool
>>> class Take(BaseModel):
...     object: str
...     count: int = 1
>>> tools = ToolSet([Tool("take", "Take objects.", Take)])
>>> read_call('take("mug", count=2)', tools, example='take("mug")')
ToolCall(name='take', arguments={'object': 'mug', 'count': 2})
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Callable
from typing import Any

from selfgym.envs.tools import MAX_ACTION_CHARACTERS, ActionError, ToolCall, ToolSet


def read_call(
    action: Any, tools: ToolSet, *, example: str, spread: Callable[[list[Any]], list[Any]] = list
) -> ToolCall:
    """The one call that ``action`` makes: such a string, or what `ToolSet.parse` takes.

    ``spread`` is given the arguments without a name, for calls in which one of them stands for several. Raises
    `ActionError`, whatever is wrong with it; ``example`` is what the agent is then told to write like.
    """
    if isinstance(action, str) and not action.lstrip().startswith(("{", "[")):
        name, given_in_order, named = _python_call(action, example)
        positional = spread(given_in_order)
        tool = next((tool for tool in tools if tool.name == name), None)
        if tool is not None:
            fields = list(tool.parameters.model_fields)
            if len(positional) > len(fields):
                raise ActionError(f"{name} takes {len(fields)} arguments at most. Use {tool.signature()}.")
            given = dict(zip(fields, positional, strict=False))
            if twice := next((key for key in named if key in given), None):
                raise ActionError(f"{name} is given {twice!r} twice. Use {tool.signature()}.")
            return tool.check({**given, **named})
        return tools.parse({"name": name, "arguments": {}})
    return tools.parse(action)


def _python_call(action: str, example: str) -> tuple[str, list[Any], dict[str, Any]]:
    """Name and arguments of ``name(literal, key=literal)``."""
    if len(action) > MAX_ACTION_CHARACTERS:
        raise ActionError(f"The action has {len(action)} characters; the limit is {MAX_ACTION_CHARACTERS}.")
    try:
        with warnings.catch_warnings():  # of backslashes that mean nothing
            warnings.simplefilter("ignore")
            call = ast.parse(action.strip(), mode="eval").body
        if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name):
            raise ValueError("no call")
        if any(word.arg is None for word in call.keywords):
            raise ValueError("no literal")
        positional = [ast.literal_eval(one) for one in call.args]
        named = {str(word.arg): ast.literal_eval(word.value) for word in call.keywords}
    except (SyntaxError, ValueError, TypeError, MemoryError, RecursionError):
        shown = ascii(action if len(action) <= 60 else action[:60] + "...")
        raise ActionError(f"{shown} is not one action. Write one call such as {example}.") from None
    return call.func.id, positional, named
