"""The programmer's tools: what an agent may call in `selfgym/Code-v0`, and what each call does in the sandbox.

Everything happens inside: patterns, commands and tests run there, and only text comes out. What cannot be done raises
`ActionError` with a sentence for the agent.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable

from pydantic import BaseModel, Field

from selfgym.envs.code.packages import Package
from selfgym.envs.code.testrun import run_tests
from selfgym.envs.sandbox.limits import WORK, Result, SandboxFileError
from selfgym.envs.sandbox.sandbox import Sandbox
from selfgym.envs.tools import ActionError, Tool, ToolCall, ToolSet

MOST_TEXT = 12_000
"""Characters of one observation; of a longer one the middle is left out."""
_MOST_STATEMENT = 60_000
_MOST_LINES = 300
_MOST_MATCHES = 100
_SECONDS = 30.0
_PATH = Field(description="A path in the repository, e.g. 'src/main.py'.")


class _List(BaseModel):
    path: str = Field(".", description="A folder; '.' is the root of the repository.")


class _Read(BaseModel):
    path: str = _PATH
    start: int = Field(1, ge=1, description="The first line to show, from 1.")
    end: int | None = Field(None, ge=1, description=f"The last line to show; at most {_MOST_LINES} lines are shown.")


class _Search(BaseModel):
    pattern: str = Field(description="A regular expression (Python's).", min_length=1)
    path: str = Field(".", description="A file or folder to search in.")


class _Edit(BaseModel):
    path: str = _PATH
    old: str = Field(description="Text that occurs exactly once in the file, whitespace included.", min_length=1)
    new: str = Field(description="What to put in its place.")


class _Write(BaseModel):
    path: str = _PATH
    content: str = Field(description="The whole new content of the file.")


class _Test(BaseModel):
    target: str = Field("", description="A test file or pytest id; nothing for all tests.")


class _Shell(BaseModel):
    command: str = Field(description="A command for bash, run in the root of the repository.", min_length=1)


class _Nothing(BaseModel):
    pass


CODE_TOOLS = ToolSet(
    Tool(name, description, parameters)
    for name, description, parameters in (
        ("list", "List the files in a folder and below it.", _List),
        ("read", "Show a file, or some of its lines, with line numbers.", _Read),
        ("search", "Find the lines that match a pattern.", _Search),
        ("edit", "Replace a piece of text in a file.", _Edit),
        ("write", "Write a file, new or not.", _Write),
        ("test", "Run tests of the repository.", _Test),
        ("shell", f"Run a command; it is stopped after {_SECONDS:.0f} seconds at most.", _Shell),
        ("submit", "Say that you are done. This ends the task, and your work is graded.", _Nothing),
    )
)
"""Every tool, in the order in which a programmer meets them."""

_SEARCH = """
import os, re, sys
pattern, top = re.compile(sys.argv[1]), sys.argv[2]
if not os.path.exists(top):
    sys.exit(f"there is no file or folder {top!r}")
files = [top] if not os.path.isdir(top) else sorted(
    os.path.join(folder, name)
    for folder, folders, names in os.walk(top)
    if ".git" not in folder.split(os.sep) and "__pycache__" not in folder
    for name in names
)
for path in files:
    try:
        lines = open(path, encoding="utf-8", newline="").read().split("\\n") if os.path.isfile(path) else ()
    except (OSError, UnicodeDecodeError):
        continue
    for number, line in enumerate(lines, 1):
        if pattern.search(line):
            print(f"{os.path.relpath(path)}:{number}:{line[:300]}")
"""


def use(call: ToolCall, sandbox: Sandbox, package: Package) -> str:
    """Do what ``call`` asks for and return the text for the agent. ``submit`` is the environment's own business.

    Raises `ActionError` where it cannot be done, and `SandboxError` where the session is gone.
    """
    for name, value in call.arguments.items():
        if isinstance(value, str):
            _check_text(call.name, name, value)
    try:
        return shortened(_USES[call.name](sandbox, package, **call.arguments))
    except SandboxFileError as error:
        words = re.sub(r"^\[Errno \d+\] ", "", str(error)).replace(WORK + "/", "")
        raise ActionError(f"{call.name}: {words}.") from None


def _check_text(tool: str, name: str, value: str) -> None:
    """Raises `ActionError` for text that no file and no program can be given."""
    if "\0" in value and name in ("path", "pattern", "command", "target"):
        raise ActionError(f"{tool}: argument '{name}' has a NUL character; only the text of a file may have one.")
    if not value.isascii() and any("\ud800" <= character <= "\udfff" for character in value):
        raise ActionError(f"{tool}: argument '{name}' has half of a surrogate pair, which is not text in UTF-8.")


def shortened(text: str, most: int = MOST_TEXT) -> str:
    """The text with its middle left out if it is longer than ``most``; what is not text in UTF-8 becomes numbers."""
    text = text.encode("utf-8", "backslashreplace").decode()
    if len(text) <= most:
        return text
    half = most // 2
    return f"{text[:half]}\n[{len(text) - 2 * half} characters left out]\n{text[-half:]}"


def _place(path: str) -> str:
    """A path of the repository, with an absolute one in the workspace made relative."""
    clean = posixpath.normpath(path.removeprefix(WORK + "/") if path != WORK else ".")
    if clean.startswith(("/", "..")):
        raise ActionError(f"{path!r} is not in the repository; paths are relative to its root.")
    return clean


def _list(sandbox: Sandbox, _: Package, path: str) -> str:
    entries = sandbox.list(_place(path), recursive=True)
    hidden = re.compile(r"(^|/)(\.git|__pycache__)(/|$)")
    files = sorted(entry.path for entry in entries if entry.kind != "folder" and not hidden.search(entry.path))
    return "\n".join(files) or "The folder is empty."


def _text(sandbox: Sandbox, path: str) -> str:
    try:
        return sandbox.get(_place(path)).decode()
    except UnicodeDecodeError:
        raise ActionError(f"{path} is not text in UTF-8.") from None


def _read(sandbox: Sandbox, _: Package, path: str, start: int, end: int | None) -> str:
    lines = _lines_of(_text(sandbox, path))
    if start > max(1, len(lines)):
        raise ActionError(f"{path} has {_count(len(lines))}; there is no line {start}.")
    if end is not None and end < start:
        raise ActionError(f"The last line ({end}) is before the first ({start}).")
    last = min(len(lines), end or len(lines), start + _MOST_LINES - 1)
    shown = [f"{number:5} {lines[number - 1]}" for number in range(start, last + 1)]
    if last < min(len(lines), end or len(lines)):
        shown.append(f"[{path} goes on to line {len(lines)}]")
    return "\n".join(shown) or "The file is empty."


def _lines_of(text: str) -> list[str]:
    """The lines as programmers count them, ended by line feeds and nothing else."""
    lines = text.split("\n")
    return lines if lines[-1] else lines[:-1]


def _search(sandbox: Sandbox, _: Package, pattern: str, path: str) -> str:
    try:
        re.compile(pattern)
    except (re.error, RecursionError, OverflowError) as error:
        raise ActionError(f"{pattern!r} is not a regular expression: {error}.") from None
    result = sandbox.exec(["python", "-S", "-c", _SEARCH, pattern, _place(path)], timeout=_seconds(sandbox))
    if not result.ok:
        why = result.stderr.decode("utf-8", "replace").strip() if result.exit_code == 1 else _ending(result)
        raise ActionError(f"search: {why or _ending(result)}.")
    lines = _lines_of(result.stdout.decode("utf-8", "replace"))
    if len(lines) > _MOST_MATCHES:
        lines = [*lines[:_MOST_MATCHES], f"[{len(lines) - _MOST_MATCHES} more lines match]"]
    return "\n".join(lines) or "Nothing matches."


def _edit(sandbox: Sandbox, _: Package, path: str, old: str, new: str) -> str:
    text = _text(sandbox, path)
    count = text.count(old)
    if count != 1:
        times = "does not occur" if count == 0 else f"occurs {count} times"
        advice = "read it again, whitespace counts" if count == 0 else "give more of what is around it"
        raise ActionError(f"The text to replace {times} in {path}: {advice}.")
    line = text[: text.index(old)].count("\n") + 1
    sandbox.put(_place(path), text.replace(old, new))
    return f"Replaced {_lines(old)} of {path} from line {line} on by {_lines(new)}."


def _write(sandbox: Sandbox, _: Package, path: str, content: str) -> str:
    sandbox.put(_place(path), content)
    return f"Wrote {_lines(content)} to {path}."


def _test(sandbox: Sandbox, package: Package, target: str) -> str:
    if target.startswith("-"):
        raise ActionError(f"{target!r} is not a test file or a pytest id.")
    run = run_tests(sandbox, package, [target] if target else [], explain=True, timeout=_seconds(sandbox, 2.0))
    text = run.execution.text
    if not run.finished and run.execution.limit is not None:
        text += f"\n[stopped: {_ending(run.execution)}, while running {run.running or 'no test'}]"
    # the same tests give the same text, whenever and wherever they run
    text = re.sub(r" in \d+\.\d+s( \([\d:]+\))?", "", text).strip()
    return re.sub(r"\bat 0x[0-9a-f]{6,}", "at 0x...", text)


def _shell(sandbox: Sandbox, _: Package, command: str) -> str:
    result = sandbox.exec(["bash", "-c", command], timeout=_seconds(sandbox))
    text = result.text.rstrip("\n")
    if result.exit_code == 0 and result.limit is None:
        return text or "[no output]"
    return f"{text}\n[{_ending(result)}]".lstrip("\n")


def _seconds(sandbox: Sandbox, times: float = 1.0) -> float:
    """How long a call may take."""
    return min(times * _SECONDS, sandbox.limits.timeout)


def _ending(result: Result) -> str:
    """How a program ended, in words."""
    words = f"exit code {result.exit_code}" if result.signal is None else f"ended by signal {result.signal}"
    return words if result.limit is None else f"{words}, limit hit: {result.limit}"


def _lines(text: str) -> str:
    return _count(len(_lines_of(text)))


def _count(count: int) -> str:
    return f"{count} line{'' if count == 1 else 's'}"


_USES: dict[str, Callable[..., str]] = {
    "list": _list,
    "read": _read,
    "search": _search,
    "edit": _edit,
    "write": _write,
    "test": _test,
    "shell": _shell,
}


def describe(statement: str) -> str:
    """The first observation of an episode."""
    signatures = "\n".join(f"- {tool.signature()}: {tool.description}" for tool in CODE_TOOLS)
    return (
        f"{shortened(statement, _MOST_STATEMENT)}\n\nThe repository is your working folder. Your tools:\n{signatures}"
    )
