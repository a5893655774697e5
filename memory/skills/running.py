"""Running a skill: what action it takes next.

A skill never runs in this process. An ``actions`` skill is text with blanks that are filled in; a ``python`` or ``mcp``
skill is a function, run in a sandbox. A generator is asked for one action at a time: the sandbox runs it from the start
with everything that was seen so far (a warm session takes some milliseconds), so it keeps no state that could differ
between a run and its repetition, and an episode can be branched anywhere.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Generator, Mapping, Sequence
from typing import Any

from selfgym.envs.sandbox.sandbox import Sandbox
from selfgym.memory.item import Code, Item

_BLANK = re.compile(r"\{([A-Za-z_]\w*)\}")
_LONGEST = 2000  # characters of an action
_SECONDS = 10.0  # that a function may take for one answer
_ASK = """
import inspect as _inspect, json as _json, sys as _sys
_given = _json.load(_sys.stdin)
_made = {entry}(**_given["arguments"])
if _inspect.isgenerator(_made):
    _answer = next(_made, None)
    for _seen in _given["seen"]:
        try:
            _answer = _made.send(_seen)
        except StopIteration:
            _answer = None
            break
else:
    _answer = _made
print("\\n" + _given["mark"] + _json.dumps(_answer))
"""


class SkillError(RuntimeError):
    """A skill that cannot be run as asked: wrong arguments, an exception in it, an answer that is no text."""


def filled(code: Code, arguments: Mapping[str, Any]) -> list[str]:
    """The actions of an ``actions`` skill. Raises `SkillError` for a blank without an argument, or the reverse."""
    check_arguments(code, arguments)
    lines = [line.strip() for line in code.source.splitlines() if line.strip()]
    return [_BLANK.sub(lambda blank: str(arguments[blank.group(1)]), line) for line in lines]


def blanks(source: str) -> set[str]:
    """The parameters that the actions of a source have blanks for."""
    return set(_BLANK.findall(source))


def check_arguments(code: Code, arguments: Mapping[str, Any]) -> None:
    """Raises `SkillError` unless ``arguments`` are those that the skill takes, each on one line."""
    needed = set(code.params.get("required", code.parameters))
    if lacking := sorted(needed - arguments.keys()):
        raise SkillError(f"{code.entry} lacks the argument {lacking[0]!r}; it takes {', '.join(code.parameters)}.")
    if unknown := sorted(arguments.keys() - set(code.parameters)):
        raise SkillError(f"{code.entry} takes no argument {unknown[0]!r}; it takes {', '.join(code.parameters)}.")
    for name, value in arguments.items():
        if isinstance(value, str) and ("\n" in value or len(value) > _LONGEST):
            raise SkillError(f"{code.entry}: the argument {name!r} must be one short line.")


def program(code: Code, required: Sequence[Code] = ()) -> str:
    """Python source that defines the skill under its name, after those that it requires."""
    return "\n\n".join([*(_definition(one) for one in required), _definition(code)])


def _definition(code: Code) -> str:
    if code.runtime != "actions":
        return code.source
    lines = [line.strip() for line in code.source.splitlines() if line.strip()]
    body = "\n".join(f"    yield {' + '.join(_pieces(line))}" for line in lines)
    return f"def {code.entry}({', '.join(code.parameters)}):\n{body or '    yield from ()'}"


def _pieces(line: str) -> list[str]:
    """A line with blanks as Python expressions to be added up."""
    parts = _BLANK.split(line)  # text and names in turn
    return [f"str({part})" if number % 2 else repr(part) for number, part in enumerate(parts) if part]


def call(
    sandbox: Sandbox, code: Code, arguments: Mapping[str, Any], seen: Sequence[str], required: Sequence[Code] = ()
) -> Any:
    """What a function answers: for a generator the action after everything ``seen``, None once it has ended.

    Raises `SkillError`; whatever else the function does stays in the sandbox.
    """
    check_arguments(code, arguments)
    mark = secrets.token_hex(8)
    given = json.dumps({"arguments": dict(arguments), "seen": list(seen), "mark": mark})
    source = f"{program(code, required)}\n{_ASK.format(entry=code.entry)}"
    result = sandbox.exec(source, stdin=given, timeout=_SECONDS)
    answer = result.stdout.rpartition(b"\n" + mark.encode())[2] if mark.encode() in result.stdout else b""
    if not result.ok or not answer:
        last = result.stderr.decode("utf-8", "replace").strip().splitlines()[-1:] or [f"limit: {result.limit}"]
        raise SkillError(f"{code.entry} failed: {last[0][:300]}")
    try:
        return json.loads(answer)
    except ValueError:
        raise SkillError(f"{code.entry} gave an answer that is no JSON.") from None


def answer(
    item: Item, arguments: Mapping[str, Any], required: Sequence[Item] = (), *, sandbox: Sandbox | None = None
) -> str:
    """What a tool (a skill whose runtime is ``mcp``) answers, as JSON. Raises `SkillError`."""
    code = item.code
    if code is None or code.runtime != "mcp":
        raise SkillError(f"{item.title!r} is no tool.")
    if sandbox is None:
        raise SkillError(f"{code.entry} is a function: give a sandbox to run it in.")
    return json.dumps(
        call(sandbox, code, arguments, (), [one.code for one in required if one.code]), ensure_ascii=False
    )


def actions(
    item: Item, arguments: Mapping[str, Any], required: Sequence[Item] = (), *, sandbox: Sandbox | None = None
) -> Generator[str, str, None]:
    """The actions of a skill, one at a time; send it what each one led to. Raises `SkillError`.

    ``sandbox`` is needed by what is a function. A ``folder`` is instructions to read and cannot be run; a tool takes no
    action.
    """
    code = item.code
    if code is None or code.runtime in ("folder", "mcp"):
        raise SkillError(
            f"{item.title!r} is to be {'asked' if code and code.runtime == 'mcp' else 'read'}; it takes no actions."
        )
    if code.runtime == "actions":
        for line in filled(code, arguments):  # noqa: UP028 - a list cannot be sent what was seen
            yield line
        return
    if sandbox is None:
        raise SkillError(f"{code.entry} is a function: give a sandbox to run it in.")
    seen: list[str] = []
    while True:
        action = call(sandbox, code, arguments, seen, [one.code for one in required if one.code])
        if action is None:
            return
        if not isinstance(action, str) or len(action) > _LONGEST:
            raise SkillError(f"{code.entry} must yield actions as text, not {type(action).__name__}.")
        seen.append(str((yield action)))
