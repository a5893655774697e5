"""Runs pytest inside the sandbox and writes down what became of each test, as it happens, one JSON object a line.

The text of this file is the program that is handed to the sandbox; the request comes as JSON on standard input. It
imports nothing of selfgym, and is in the power of the code under test: the host believes it no more than that code.
"""

from __future__ import annotations

import gc
import inspect
import json
import os
import sys
import threading
from collections.abc import Iterator
from types import CodeType, FrameType
from typing import Any

import pytest

_MOST_WORDS = 2_000  # characters of one failure
_SUBTEST = getattr(pytest, "SubtestReport", ())  # pytest 9 and newer


class Reporter:
    """A pytest plugin that writes each event at once, so that a run that is cut off still says how far it came."""

    def __init__(self, request: dict[str, Any]) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        self._file = os.open(request["report"], flags, 0o600)
        self._reverse: bool = request["reverse"]
        self._outcome, self._seconds, self._message = "passed", 0.0, ""

    def say(self, kind: str, **values: Any) -> None:
        """Write one line."""
        os.write(self._file, json.dumps({"kind": kind, **values}).encode() + b"\n")

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Turn the order round where that was asked for."""
        if self._reverse:
            items.reverse()

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A file that cannot be collected."""
        if report.failed:
            self.say("broken", test=report.nodeid, message=_words(report))

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """A test begins."""
        self._outcome, self._seconds, self._message = "passed", 0.0, ""
        self.say("start", test=nodeid)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Setup, call, a subtest or teardown of a test has ended."""
        self._seconds += report.duration
        if report.failed and self._outcome != "failed":
            self._outcome, self._message = "failed", _words(report)
        elif isinstance(report, _SUBTEST):
            pass  # one that is skipped leaves the others
        elif (report.skipped or hasattr(report, "wasxfail")) and self._outcome == "passed":
            self._outcome = "skipped"

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        """A test has ended."""
        self.say("end", test=nodeid, outcome=self._outcome, seconds=self._seconds, message=self._message)

    def pytest_sessionfinish(self, exitstatus: int) -> None:
        """All tests have ended."""
        self.say("finished", exit_code=int(exitstatus))


class Watcher:
    """A pytest plugin that follows which functions below a folder are called, by each test and by imports."""

    def __init__(self, reporter: Reporter, folder: str) -> None:
        self._reporter, self._folder = reporter, folder
        self._called: dict[int, CodeType] = {}  # by identity: equal code of two files is equal
        self._numbers: dict[tuple[str, str, bool], int] = {}

    def _trace(self, frame: FrameType, event: str, argument: object) -> None:
        code = frame.f_code
        self._called[id(code)] = code

    def watch(self) -> None:
        """From now on. Again before each test, because a test may set a trace function of its own."""
        threading.settrace(self._trace)
        sys.settrace(self._trace)

    def _tell(self, test: str) -> None:
        sys.settrace(None)
        numbers = set()
        for code in self._called.values():
            if code.co_filename.startswith(self._folder):
                body = not code.co_flags & inspect.CO_OPTIMIZED  # of a module or class, not of a function
                key = (code.co_filename[len(self._folder) :], code.co_qualname, body)
                if key not in self._numbers:
                    self._numbers[key] = len(self._numbers)
                    self._reporter.say("function", file=key[0], name=key[1], body=body)
                numbers.add(self._numbers[key])
        self._reporter.say("called", test=test, functions=sorted(numbers))
        self._called = {}

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        """A test, from before its setup to after its teardown."""
        self._tell("")
        self.watch()
        try:
            return (yield)
        finally:
            self._tell(item.nodeid)


def _words(report: pytest.CollectReport | pytest.TestReport) -> str:
    crash = getattr(report.longrepr, "reprcrash", None)
    return str(report.longrepr if crash is None else crash.message)[:_MOST_WORDS]


def main() -> int:
    """Do what the request says; returns pytest's exit code."""
    gc.freeze()  # pytest collects garbage harder than the server's long-lived objects deserve
    request = json.loads(sys.stdin.read())
    sys.path[:0] = request["python_path"]
    sys.modules.update(dict.fromkeys(request["absent"]))
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    reporter = Reporter(request)
    plugins: list[object] = [reporter]
    if request["watch"]:
        watcher = Watcher(reporter, request["watch"])
        plugins.append(watcher)
        watcher.watch()
    return int(pytest.main(request["arguments"], plugins=plugins))


if __name__ == "__main__":
    sys.exit(main())
