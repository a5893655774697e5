"""One step of the agent: runs its code on a copy of the database, and writes down which calls it made.

Runs inside the sandbox. What it reports is what the agent's code lets it report: the host believes nothing of it, and
does the calls again on the true database. Earlier definitions come as source text, earlier plain values as JSON.
"""

import ast
import json
import os
import sqlite3
import sys
from code import InteractiveInterpreter
from contextlib import closing, redirect_stderr, redirect_stdout
from hashlib import blake2b
from io import StringIO
from types import TracebackType
from typing import Any

from .endpoint import APPS, ApiError, find
from .manual import manual
from .schema import as_json, opened

MOST_CALLS = 1_000
"""API calls in one step."""
MOST_KEPT = 60_000
"""Characters of definitions, and as many of values, that last over a step."""
MOST_SAID = 200_000
"""Characters of the arguments of all calls in one step."""
_MOST_VALUE = 20_000
_MOST_ERROR = 300
_OURS = ("apis", "docs", "finish", "ApiError")
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


class CallLog:
    """Does calls on a database, in order, and sums up what they gave."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self._db = db
        self._said = 0
        self._digest = blake2b(digest_size=16)

    def perform(self, name: str, arguments: dict[str, Any]) -> Any:
        """Call the endpoint ``name``. Raises `ApiError`."""
        if len(self.calls) >= MOST_CALLS:
            raise ApiError(f"one step may make {MOST_CALLS} calls, no more")
        endpoint, said = find(name), len(as_json(arguments))
        if self._said + said > MOST_SAID:
            raise ApiError(f"the arguments of one step may have {MOST_SAID} characters together, no more")
        self._said += said
        self.calls.append((name, arguments))
        try:
            result = endpoint.call(self._db, arguments)
        except ApiError as error:
            self._digest.update(str(error).encode("utf-8", "replace"))
            raise
        self._digest.update(as_json(result).encode())
        return result

    def digest(self) -> str:
        """A hash of all results, to compare what was seen here with what is true."""
        return self._digest.hexdigest()


class _App:
    """An app as the agent's code sees it: its endpoints are functions."""

    def __init__(self, name: str, log: CallLog) -> None:
        self._name, self._log = name, log

    def __getattr__(self, endpoint: str) -> Any:
        name, log = f"{self._name}.{endpoint}", self._log
        parameters = list(find(name).parameters)

        def call(*values: Any, **arguments: Any) -> Any:
            if len(values) > len(parameters):
                raise ApiError(f"{name} takes {len(parameters)} values at most. Use {find(name).signature()}")
            given = dict(zip(parameters, values, strict=False)) | arguments
            try:
                given = json.loads(as_json(given))  # a copy that the agent cannot change afterwards
            except (TypeError, ValueError):
                raise ApiError(f"{name}: arguments must be plain values: text, numbers, lists") from None
            return log.perform(name, given)

        return call


class _Apis:
    """All apps: ``apis.mail.send(...)``."""

    def __init__(self, log: CallLog) -> None:
        self._log = log

    def __getattr__(self, app: str) -> _App:
        if app not in APPS:
            find(f"{app}.")
        return _App(app, self._log)

    def __dir__(self) -> list[str]:
        return list(APPS)


class _Runner(InteractiveInterpreter):
    """Python's own interpreter loop, with errors kept as a line instead of printed as a traceback."""

    def __init__(self, names: dict[str, Any]) -> None:
        super().__init__(names)
        self.names = names
        self.error: str | None = None
        self._sources: dict[str, str] = {}

    def execute(self, source: str, filename: str) -> bool:
        """Run ``source``; whether it came to its end."""
        self.error, self._sources[filename] = None, source
        try:
            if self.runsource(source + "\n", filename, "exec"):
                self.error = "SyntaxError: the code ends before a block or bracket is complete"
        except SystemExit:
            pass
        except (RecursionError, MemoryError):
            self.error = "the code is nested too deeply to be read"
        return self.error is None

    def showsyntaxerror(self, filename: str | None = None) -> None:
        """Keep what Python says about code that it cannot read."""
        error = sys.exc_info()[1]
        line = error.lineno if isinstance(error, SyntaxError) else None
        says = error.msg if isinstance(error, SyntaxError) else str(error)
        self.error = _shortened(f"SyntaxError: {says}") + self._where(filename or "", line)

    def showtraceback(self) -> None:
        """Keep the error, and the line of the agent's that it came from."""
        kind, error, trace = sys.exc_info()
        assert kind is not None
        filename, line = self._innermost(trace)
        says = _text(error)
        self.error = _shortened(f"{kind.__name__}: {says}" if says else kind.__name__) + self._where(filename, line)

    def _innermost(self, trace: TracebackType | None) -> tuple[str, int | None]:
        found: tuple[str, int | None] = ("", None)
        while trace is not None:
            if trace.tb_frame.f_code.co_filename in self._sources:
                found = trace.tb_frame.f_code.co_filename, trace.tb_lineno
            trace = trace.tb_next
        return found

    def _where(self, filename: str, line: int | None) -> str:
        lines = _lines(self._sources.get(filename, ""))
        if line is None or not 0 < line <= len(lines):
            return ""
        place = "" if filename == "<step>" else f"{filename.strip('<>')}, "
        return f" ({place}line {line}: {lines[line - 1].strip()[:80]})"


def run(job: dict[str, Any], data: bytes) -> dict[str, Any]:
    """Run ``job["code"]`` on the database ``data``, with the definitions and values of earlier steps.

    ``job["most"]`` is how many characters of output are wanted.
    """
    with closing(opened(data)) as db:
        return _run(job, CallLog(db))


def _run(job: dict[str, Any], log: CallLog) -> dict[str, Any]:
    output, finished = StringIO(), []

    def finish(answer: Any = None) -> None:
        """End the task, with an answer where one is asked for."""
        if not _is_plain(answer):
            raise ApiError("finish() takes a text, a number, or a list of them")
        finished.append(answer)
        raise SystemExit

    def docs(topic: str = "") -> str:
        """Print the documentation of all apps, of one, or of an endpoint."""
        print(manual(topic))
        return ""  # so that print(docs()) does no harm

    names = {"__name__": "__main__", "apis": _Apis(log), "docs": docs, "finish": finish, "ApiError": ApiError}
    runner = _Runner(names)
    with redirect_stdout(output), redirect_stderr(output):
        names.update(job["variables"])
        kept = {}
        for name, source in job["kept"]:
            if runner.execute(source, f"<{name}>"):
                kept[name] = source
            else:
                print(f"[{name} could not be defined again: {runner.error}]")
        runner.execute(job["code"], "<step>")
        defined = {} if runner.error else _definitions(job["code"])
        variables = _variables(names)
    kept = {name: source for name, source in kept.items() if name not in defined} | defined
    kept = {name: source for name, source in kept.items() if name not in variables and _is_there(name, names)}
    if not runner.error and sum(map(len, kept.values())) > MOST_KEPT:
        runner.error = f"all definitions together have more than {MOST_KEPT} characters"
    idle = not (log.calls or output.getvalue() or finished or defined) and variables == job["variables"]
    if not runner.error and idle:
        runner.error = "that code did nothing: it called no API, printed nothing and defined nothing"
    return {
        "output": cut(output.getvalue(), job["most"]),
        "error": runner.error,
        "calls": log.calls,
        "digest": log.digest(),
        "finished": bool(finished),
        "answer": finished[0] if finished else None,
        "kept": list(kept.items()),
        "variables": variables,
    }


def main() -> None:
    """Run the job that comes in over standard input, and write the report to standard output."""
    head, _, data = sys.stdin.buffer.read().partition(b"\n")
    report = as_json(run(json.loads(head), data)).encode()
    while report:
        report = report[os.write(1, report) :]


def cut(text: str, most: int) -> str:
    """``text``, of a long one beginning and end."""
    if len(text) <= most:
        return text
    half = most // 2
    return f"{text[:half]}\n[{len(text) - 2 * half} characters left out]\n{text[-half:]}"


def _definitions(code: str) -> dict[str, str]:
    """The functions, classes and imports at the top level of ``code``: name (or the import itself) and source."""
    lines, found = _lines(code), {}
    for node in ast.parse(code).body:
        if isinstance(node, _DEFINITIONS):
            first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
            found[node.name] = "\n".join(lines[first - 1 : node.end_lineno])
        elif isinstance(node, ast.Import | ast.ImportFrom):
            found[ast.unparse(node)] = ast.unparse(node)
    return {name: source for name, source in found.items() if name not in _OURS}


def _lines(code: str) -> list[str]:
    """The lines as Python counts them, which `str.splitlines` does not."""
    return code.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def _is_there(name: str, names: dict[str, Any]) -> bool:
    return " " in name or name in names


def _variables(names: dict[str, Any]) -> dict[str, Any]:
    """The plain values among ``names`` that may last, and a printed word about those that are too large."""
    found, room = {}, MOST_KEPT
    for name, value in names.items():
        if name.startswith("_") or name in _OURS:
            continue
        if not _is_plain(value):
            if type(value) in (dict, list, tuple, set):
                print(f"[{name} is not kept: it is more than text, numbers, lists and dictionaries with text as keys]")
            continue
        size = len(as_json(value))
        if size > _MOST_VALUE or size > room:
            print(f"[{name} is too large to be kept for the next step]")
            continue
        found[name], room = value, room - size
    return found


def _is_plain(value: Any, depth: int = 0) -> bool:
    """Whether JSON gives back exactly this value."""
    if type(value) is float:
        return value - value == 0
    if type(value) is int:
        return abs(value) < 2**53
    if type(value) is list:
        return depth < 6 and all(_is_plain(one, depth + 1) for one in value)
    if type(value) is dict:
        return depth < 6 and all(type(key) is str and _is_plain(one, depth + 1) for key, one in value.items())
    return value is None or type(value) in (str, bool)


def _text(error: BaseException | None) -> str:
    try:
        return str(error)
    except Exception as another:
        return f"an error whose text cannot be had ({type(another).__name__})"


def _shortened(text: str) -> str:
    text = " ".join(text.splitlines())
    return text if len(text) <= _MOST_ERROR else f"{text[:_MOST_ERROR]}..."
