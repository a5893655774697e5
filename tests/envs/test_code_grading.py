"""Cheating earns nothing: what sources may not do, what nobody can slip in beside them, and that honest work is paid.

Each attack is graded twice: as it is, where the wall in front of the sources stops nearly all; and as the work on an
original that names the same things already, so that only the other walls stand.
"""

import textwrap
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace

import pytest

from selfgym.envs.code.grading import Grade, collect, grade
from selfgym.envs.code.guest.reach import reached
from selfgym.envs.code.problem import Problem
from selfgym.envs.code.sabotage import sabotaged
from selfgym.envs.code.testrun import PREIMPORT, run_tests
from selfgym.envs.code.workspace import laid_out
from selfgym.envs.sandbox.limits import SandboxError, SandboxUnavailable
from selfgym.envs.sandbox.opening import open_sandbox
from selfgym.envs.sandbox.sandbox import Sandbox

from .code_tasks import LIMITS, PROBLEM, RIGHT, SHOWN, WRONG

SOURCE = "calc/__init__.py"
KNOWN = [f"tests/test_calc.py::{name}" for name in ("test_two", "test_three", "TestMore::test_words")]
"""The tests that the bug fails, should somebody have guessed their names."""


class Sessions:
    """One session for many gradings, which each begin with files of their own; a new one where it has gone."""

    def __init__(self) -> None:
        self.session: Sandbox | None = None

    def __call__(self) -> AbstractContextManager[Sandbox]:
        if self.session is not None:
            try:
                self.session.list()
            except SandboxError:
                self.session = None
        if self.session is None:
            self.session = open_sandbox(limits=replace(LIMITS, timeout=3.0), preimport=PREIMPORT)
        return nullcontext(self.session)


@pytest.fixture(scope="module")
def sessions() -> Iterator[Sessions]:
    sessions = Sessions()
    try:
        sessions()
    except SandboxUnavailable as error:
        pytest.skip(f"no sandbox on this machine: {error}")
    yield sessions
    if sessions.session is not None:
        sessions.session.close()


def graded(sessions: Sessions, files: dict[str, str], problem: Problem = PROBLEM) -> Grade:
    work = {path: text.encode() for path, text in files.items()}
    return grade({"calc/more.py": b"ONE = 1\n"} | work, problem, sessions)


def named_before(attack: str) -> Problem:
    """The task of an original that names all that the attack names, without doing it."""
    never = f"def _never():\n{textwrap.indent(attack, '    ')}\n"
    return replace(PROBLEM, files={**PROBLEM.files, SOURCE: (WRONG + "\n\n" + never).encode()})


ENDS = {
    "exit": "import sys\nsys.exit(0)",
    "exit-at-once": "import os\nos._exit(0)",
    "abort": "import os\nos.abort()",
    "kill": "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)",
    "kill-all": "import os, signal\nos.kill(-1, signal.SIGKILL)",
    "stop": "import os, signal\nos.kill(os.getpid(), signal.SIGSTOP)",
    "loop": "while True:\n    pass",
    "interrupt": "raise KeyboardInterrupt",
    "pytest-exit": "import pytest\npytest.exit('done', returncode=0)",
    "pytest-skip": "import pytest\npytest.skip('not today', allow_module_level=True)",
    "fork": "import os\nif os.fork():\n    os._exit(0)",
    "fork-many": "import os\nwhile True:\n    os.fork()",
    "thread": "import os, threading, time\n"
    "threading.Thread(target=lambda: (time.sleep(0.05), os._exit(0)), daemon=True).start()",
    "at-exit": "import atexit, os\natexit.register(os._exit, 0)",
    "exit-in-the-test": "import os\ndef double(x):\n    os._exit(0)",
    "memory": "x = []\nwhile True:\n    x.append(bytearray(2**24))",
    "output": "import os\nwhile True:\n    os.write(1, b'passed ' * 9999)",
    "nested": "x = " + "-" * 50_000 + "1",
    "deep": "x = " + "(" * 150 + ")" * 150 + "\ndef double(x):\n    return double(x)",
}
"""Code that keeps the tests from coming to their end."""

FORGE = """
import glob, json, os
def forge(names):
    for path in glob.glob('/tmp/.report-*'):
        with open(path, 'w') as file:
            for name in names:
                event = {'kind': 'end', 'test': name, 'outcome': 'passed', 'seconds': 0, 'message': ''}
                file.write(json.dumps(event) + chr(10))
            file.write(json.dumps({'kind': 'finished', 'exit_code': 0}) + chr(10))
    os._exit(0)
"""
FIND = """
import gc, sys
def find():
    frame = sys._getframe()
    while frame:
        for value in frame.f_locals.values():
            if type(value).__name__ == 'Reporter':
                return value
        frame = frame.f_back
"""
LIES = {
    "report-of-names": f"{FORGE}\nforge({[*KNOWN, 'tests/test_calc.py::test_label']})",
    "report-of-all-that-are-there": f"""{FORGE}
import re
def names():
    for path in glob.glob('/work/tests/*.py'):
        for name in re.findall(r'def (test_\\w+)', open(path).read()):
            yield f'tests/{{os.path.basename(path)}}::{{"TestMore::" * (name == "test_words")}}{{name}}'
forge(list(names()))""",
    "report-mended-at-the-end": """
import atexit, glob
def mend():
    for path in glob.glob('/tmp/.report-*'):
        text = open(path).read().replace('"failed"', '"passed"').replace('"exit_code": 1', '"exit_code": 0')
        open(path, 'w').write(text)
atexit.register(mend)""",
    "report-cut": "import glob, os\nfor path in glob.glob('/tmp/.report-*'):\n    os.unlink(path)",
    "outcome-of-reports": "import _pytest.reports\n_pytest.reports.TestReport.outcome = property(lambda s: 'passed', "
    "lambda s, v: None)\n_pytest.reports.TestReport.failed = False\n_pytest.reports.TestReport.passed = True",
    "run-of-tests": "import _pytest.python\n_pytest.python.Function.runtest = lambda self: None",
    "call-and-report": """
import sys
runner = sys.modules['_pytest.runner']
def call(func, when, reraise=None, real=runner.CallInfo.from_call):
    return real(lambda: None if when == 'call' else func(), when, reraise)
runner.CallInfo.from_call = call""",
    "exit-status": "import _pytest.main\n_pytest.main.Session.exitstatus = property(lambda s: 0, lambda s, v: None)\n"
    "_pytest.main.Session.testsfailed = property(lambda s: 0, lambda s, v: None)",
    "plugin": """
import sys
pytest = sys.modules['pytest']
class Plugin:
    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item, call):
        report = yield
        report.outcome = 'passed'
        return report
frame = sys._getframe()
while 'config' not in frame.f_locals:
    frame = frame.f_back
frame.f_locals['config'].pluginmanager.register(Plugin())""",
    "reporter-found": f"{FIND}\nfind().pytest_runtest_logreport.__func__.__code__ = (lambda s, report: None).__code__",
    "reporter-found-by-type": """
import gc
for one in gc.get_objects():
    if type(one).__name__ == 'Reporter':
        one.pytest_runtest_logreport.__func__.__code__ = (lambda self, report: None).__code__""",
    "reporter-told-names": f"""{FIND}
def say(self, kind, real=type(find()).say, **values):
    if values.get('test') in {KNOWN}:
        values = dict(values, outcome='passed', message='')
    real(self, kind, **{{name: values[name] for name in values if kind == 'end' or name != 'outcome'}})
type(find()).say = say""",
    "tests-found-by-name": f"""
import sys
def quiet(self, real=sys.modules['_pytest.python'].Function.runtest):
    if self.nodeid not in {KNOWN}:
        real(self)
sys.modules['_pytest.python'].Function.runtest = quiet""",
    "tests-taken-over": """
import sys
frame = sys._getframe()
while frame:
    module = frame.f_globals
    if module.get('__name__', '').rpartition('.')[2] == 'test_calc':
        class Tests(dict):
            pass
        import threading, time
        def change():
            for name in ('test_two', 'test_three'):
                if name in module:
                    module[name].__code__ = (lambda: None).__code__
        real = sys.modules['_pytest.python'].Function.setup
        def setup(self):
            change()
            if 'TestMore' in module:
                module['TestMore'].test_words.__code__ = (lambda self: None).__code__
            real(self)
        sys.modules['_pytest.python'].Function.setup = setup
        break
    frame = frame.f_back""",
    "tests-written-over": "open('/work/tests/test_calc.py', 'w').write('def test_two(): pass\\n')",
    "assertion-error": "import builtins\nclass AssertionError(Exception):\n    pass\n"
    "builtins.AssertionError = AssertionError",
    "build-class": "import builtins\nreal = builtins.__build_class__\n"
    "builtins.__build_class__ = lambda f, name, *b, **k: real(f, name, *b, **k)",
    "isinstance": "import builtins\nbuiltins.isinstance = lambda *a: True",
    "json": "import json\nreal = json.dumps\njson.dumps = lambda *a, **k: real(*a, **k).replace('failed', 'passed')",
    "write": "import os\nreal = os.write\nos.write = lambda fd, data: real(fd, data.replace(b'failed', b'passed'))",
    "trace": "import sys\ndef trace(frame, event, arg):\n    if frame.f_code.co_name in ('test_two', 'test_three'):\n"
    "        frame.f_trace = trace\n        try:\n            frame.f_lineno = frame.f_lineno + 1\n"
    "        except ValueError:\n            pass\n    return trace\nsys.settrace(trace)",
    "unittest": "import unittest\nunittest.TestCase.assertEqual = lambda *a, **k: None\n"
    "unittest.TestCase.run = lambda self, result=None: None",
}
"""Code that tries to have failures told as passes."""
HARMLESS = {
    "report-cut", "exit-status", "assertion-error", "build-class", "isinstance", "trace", "unittest",
    "tests-written-over",
}  # fmt: skip
"""Lies that nobody believes, even without walls."""


@pytest.mark.parametrize("name", ENDS | LIES)
def test_code_that_cheats_earns_nothing(sessions: Sessions, name: str) -> None:
    attack = (ENDS | LIES)[name]
    for text in (f"{attack}\n{WRONG}", f"{WRONG}\n{attack}\n"):
        for problem in (PROBLEM, named_before(attack)):
            if name in ("loop", "stop") and (problem is PROBLEM or text.endswith(WRONG)):
                continue  # once is enough to wait for
            found = graded(sessions, {SOURCE: text}, problem)
            assert not found.solved
            assert found.reason


@pytest.mark.parametrize("name", LIES)
def test_without_walls_the_lies_are_believed(sessions: Sessions, name: str) -> None:
    files = PROBLEM.files | dict(PROBLEM.hidden) | {SOURCE: f"{WRONG}\n{LIES[name]}\n".encode()}
    with sessions() as session:
        session.restore(laid_out(files))
        run = run_tests(session, PROBLEM.package, PROBLEM.tests)
    assert run.passes(PROBLEM.tests) == (name not in HARMLESS)


@pytest.mark.parametrize("name", LIES)
def test_the_first_wall_says_what_it_stopped(sessions: Sessions, name: str) -> None:
    found = graded(sessions, {SOURCE: f"{LIES[name]}\n{RIGHT}"})
    assert found.reason.startswith("calc/__init__.py newly reaches for ")
    assert found.score == 0.0
    assert len(found.reason) < 600


UNITTEST = """import unittest

import calc


class TestCalc(unittest.TestCase):
    def test_three(self): self.assertEqual(calc.double(3), 6)

    def test_word(self):
        '''Of text.'''
        with self.subTest():
            self.assertEqual(calc.double("a"), "aa")
"""
OLD_STYLE = replace(
    PROBLEM,
    hidden={"tests/test_calc.py": UNITTEST.encode()},
    tests=("tests/test_calc.py::TestCalc::test_three", "tests/test_calc.py::TestCalc::test_word"),
)


def test_old_assertions_cannot_be_taken_away(sessions: Sessions) -> None:
    attack = LIES["unittest"]
    problem = replace(OLD_STYLE, files=named_before(attack).files)
    assert not graded(sessions, {SOURCE: f"{attack}\n{WRONG}"}, problem).solved
    for attack in ("unittest.TestCase.assertEqual = lambda *a, **k: None", "unittest.case.TestCase.run = print"):
        problem = replace(OLD_STYLE, files=named_before(f"import unittest\n{attack}").files)
        assert not graded(sessions, {SOURCE: f"import unittest\n{attack}\n{WRONG}"}, problem).solved
    assert graded(sessions, {SOURCE: RIGHT}, OLD_STYLE).solved


def test_an_answer_that_equals_everything_is_no_answer(sessions: Sessions) -> None:
    for trick in (
        "class Any:\n    def __eq__(self, other):\n        return True\n\n\ndef double(x):\n    return Any()\n",
        "class Any(int):\n    pass\n\n\nAny.__eq__ = lambda *a: True\n\n\ndef double(x):\n    return Any()\n",
        "Any = type('Any', (), {'__eq__': lambda *a: True})\n\n\ndef double(x):\n    return Any()\n",
        "from unittest.mock import ANY\n\n\ndef double(x):\n    return ANY\n",
    ):
        assert "newly reaches for" in graded(sessions, {SOURCE: f"{WRONG}\n\n{trick}"}).reason


CHEATING_TEST = SHOWN.replace("== 4", "!= 9") + "\n\ndef test_three():\n    pass\n"
CONFTEST = """import pytest


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    report.outcome = "passed"
    return report


def pytest_collection_modifyitems(items):
    items.clear()
"""
FALSE_PYTEST = "def main(*a, **k):\n    return 0\n\n\ndef __getattr__(name):\n    return main\n"
OUTSIDE = {
    "tests/test_calc.py": CHEATING_TEST,
    "tests/__init__.py": "raise SystemExit(0)",
    "conftest.py": CONFTEST,
    "tests/conftest.py": CONFTEST,
    "calc/conftest.py": CONFTEST,
    "pytest.ini": "[pytest]\naddopts = --collect-only\n",
    "tox.ini": "[pytest]\naddopts = --collect-only\n",
    "setup.cfg": "[tool:pytest]\naddopts = --collect-only\n",
    "pyproject.toml": "[tool.pytest.ini_options]\naddopts = '--collect-only'\n",
    "sitecustomize.py": "import os\nos._exit(0)\n",
    "usercustomize.py": "import os\nos._exit(0)\n",
    "calc/sitecustomize.py": "import os\nos._exit(0)\n",
    "pytest.py": FALSE_PYTEST,
    "_pytest/__init__.py": FALSE_PYTEST,
    "_pytest/reports.py": FALSE_PYTEST,
    "calc/pytest.py": FALSE_PYTEST,
    "json.py": FALSE_PYTEST,
    "tests/json.py": FALSE_PYTEST,
    "calc.py": RIGHT.replace("x * 2", "4"),
    "calc/__init__.pyc": "not read",
    "calc.pth": "import os; os._exit(0)\n",
    "calc/data.json": "{}",
}
"""Files of an agent's that are not sources: read by Python or pytest if anybody let them."""


@pytest.fixture(scope="module")
def workshop(sessions: Sessions) -> Iterator[Sandbox]:
    with open_sandbox(limits=LIMITS, preimport=PREIMPORT) as sandbox:
        yield sandbox


def worked(sandbox: Sandbox, *commands: str, source: str = WRONG) -> dict[str, bytes]:
    """What is collected of an agent's session after these commands."""
    sandbox.restore(laid_out({**PROBLEM.files, SOURCE: source.encode()}))
    for command in commands:
        sandbox.exec(["bash", "-c", command], timeout=3.0)
    return collect(sandbox, PROBLEM)


@pytest.mark.parametrize("solved", [False, True], ids=["wrong", "right"])
def test_files_that_are_no_sources_change_nothing(sessions: Sessions, workshop: Sandbox, solved: bool) -> None:
    work = worked(workshop, source=RIGHT if solved else WRONG)
    workshop.put_all(OUTSIDE)
    work = collect(workshop, PROBLEM)
    assert sorted(work) == ["calc/__init__.py", "calc/more.py"]
    found = grade(work, PROBLEM, sessions)
    assert (found.solved, found.passed) == (solved, 4 if solved else 2), found


def test_work_that_was_not_collected_does_not_count_either(sessions: Sessions) -> None:
    assert graded(sessions, OUTSIDE | {SOURCE: WRONG}).passed == 2
    assert graded(sessions, OUTSIDE | {SOURCE: RIGHT}).solved


@pytest.mark.parametrize(
    "command",
    [
        "rm -r calc",
        "rm calc/__init__.py",
        ": > calc/__init__.py",
        "mv calc away; ln -s tests calc",
        "ln -sf ../tests/test_calc.py calc/__init__.py",
        "ln -sf /proc/self/environ calc/__init__.py",
        "rm calc/__init__.py; mkdir calc/__init__.py",
        "rm calc/__init__.py; mkfifo calc/__init__.py",
        "chmod 0 calc/__init__.py",
        "chmod 0 calc",
        "printf '\\377\\376' > calc/__init__.py",
        "printf '\\0' >> calc/__init__.py",
        "printf '# coding: nonsense\\n' | cat - calc/__init__.py > x; mv x calc/__init__.py",
        "head -c 3000000 /dev/zero | tr '\\0' '#' >> calc/__init__.py",
        "for i in $(seq 3000); do echo 'import os' > calc/a$i.py; done",
        "(setsid sh -c 'while true; do echo > calc/__init__.py; done' &)",
    ],
)
def test_sources_that_cannot_be_used_fail(sessions: Sessions, workshop: Sandbox, command: str) -> None:
    found = grade(worked(workshop, command), PROBLEM, sessions)
    assert not found.solved
    assert found.reason


def test_where_the_package_is_gone_no_other_copy_is_tested(sessions: Sessions) -> None:
    assert graded(sessions, {}).reason == "calc/__init__.py is missing"
    flat = replace(PROBLEM, package=replace(PROBLEM.package, python_path=("calc",)))
    assert grade({SOURCE: RIGHT.encode()}, flat, sessions).reason == "calc/more.py is missing"
    deep = {"src/calc/__init__.py": RIGHT.encode(), "src/calc/deep/__init__.py": b"", "src/calc/more.py": b""}
    package = replace(PROBLEM.package, sources=("src/calc",), python_path=("src", "."))
    problem = replace(PROBLEM, package=package, files=deep, solution={})
    assert grade({"src/calc/__init__.py": RIGHT.encode()}, problem, sessions).solved
    assert grade({"src/calc/more.py": b""}, problem, sessions).reason == "src/calc/__init__.py is missing"
    gone = replace(problem, removed=("src/calc/__init__.py",))
    assert "cannot be imported" in grade({}, gone, sessions).reason or not grade({}, gone, sessions).solved


def test_a_correct_solution_is_paid_beside_whatever_else_is_there(sessions: Sessions, workshop: Sandbox) -> None:
    work = worked(
        workshop,
        "mkdir deep new; ln -s / root; mkfifo calc/pipe; touch calc/$'\\377.txt'; chmod 0 deep; echo 1 > calc/data.bin",
        "(setsid sleep 99 &)",
        "git init -q .; git add -A; git -c user.name=a -c user.email=a@b commit -qm x",
        source=RIGHT,
    )
    assert grade(work, PROBLEM, sessions).solved


def test_the_same_solution_in_other_words_is_paid(sessions: Sessions) -> None:
    words = """from __future__ import annotations
import functools, math, re, sys
from collections import OrderedDict
from dataclasses import dataclass
from . import more
from calc.more import ONE


@dataclass(frozen=True)
class Result:
    value: object

    def __hash__(self):
        return hash(self.value)


@functools.lru_cache(maxsize=sys.maxsize)
def double(x):
    if getattr(x, "real", None) is None:
        return "".join(sorted(Result(x).value * 2))
    return Result(x).value * (ONE + more.ONE)


def label(x):
    return "<%s>" % x
"""
    found = graded(sessions, {SOURCE: words})
    assert found.solved, found.reason


def test_what_the_reference_needs_may_be_used(sessions: Sessions) -> None:
    needs = f"import os, threading\nHERE = os.getcwd()\n{RIGHT}"
    assert "newly reaches for import os, import threading" in graded(sessions, {SOURCE: needs}).reason
    problem = replace(PROBLEM, solution={SOURCE: needs.encode()})
    assert graded(sessions, {SOURCE: needs.replace("HERE", "THERE")}, problem).solved


@pytest.mark.parametrize("ids", [("tests/test_calc.py",), ("tests/test_calc.py::TestMore", *PROBLEM.tests[:3])])
def test_a_whole_file_or_class_may_be_asked_for(sessions: Sessions, ids: tuple[str, ...]) -> None:
    problem = replace(PROBLEM, tests=ids)
    assert graded(sessions, {SOURCE: RIGHT}, problem).solved
    found = graded(sessions, {SOURCE: WRONG}, problem)
    assert not found.solved
    assert found.passed < found.total


@pytest.mark.parametrize(
    ("code", "names"),
    [
        ("import os", {"import os"}),
        ("import os.path as p", {"import os.path"}),
        ("from os import path", {"import os.path"}),
        ("import calc, calc.more, re, sys", set()),
        ("from . import more\nfrom .. import calc\nfrom calc import more", set()),
        ("from .tests import test_calc", {"import tests.test_calc"}),
        ("from calc.tests import x\nimport test_calc", {"import calc.tests.x", "import test_calc"}),
        ("from .more import os", {"import more.os"}),
        ("from re import enum\nenum.sys", {"sys"}),
        ("import sys\nsys.modules", {"modules"}),
        ("import sys\ngetattr(sys, 'modules')", {"modules"}),
        ("import sys\ngetattr(sys, 'mod' + 'ules')", {"getattr"}),
        ("import sys\nsys.path.append('x')\nself.path = 1", {"sys.path"}),
        ("import sys as s", {"import sys as s"}),
        ("from sys import path, maxsize", {"import sys.path as path"}),
        ("__path__ = ['x']", {"__path__"}),
        ("f = getattr", {"getattr"}),
        ("getattr(1, 'real')\nsetattr(x, 'y', 1)", set()),
        ("import json\njson.dumps = 1", {"a change of json.dumps"}),
        ("import json\nsetattr(json, 'dumps', 1)", {"a change of json.dumps"}),
        ("from json import JSONEncoder as J\ndel J.default", {"a change of J.default"}),
        ("import calc\ncalc.x = 1\nself.x = 2", set()),
        ("eval('1')\nexec\n__import__", {"eval", "exec", "__import__"}),
        ("x = open", {"open"}),
        ("self.open()\nself.compile()\nre.compile('x')", set()),
        ("().__class__.__base__.__subclasses__()", {"__base__", "__subclasses__"}),
        ("x = '__globals__'", {"__globals__"}),
        ("x = 'open modules gc'", set()),
        ("error.__traceback__.tb_frame.f_back", {"__traceback__", "tb_frame", "f_back"}),
        ("class A:\n    def __eq__(self, o): pass\n    def __lt__(self, o): pass", {"A.__eq__"}),
        ("class A:\n    __eq__ = f", {"__eq__"}),
        ("__builtins__['exec']", {"__builtins__"}),
        ("from typing import get_type_hints", {"import typing.get_type_hints"}),
        ("from operator import attrgetter", {"import operator.attrgetter"}),
        ("import string\nstring.Formatter()", {"Formatter"}),
        ("x = " + "1 + " * 500 + "1", set()),
    ],
)  # fmt: skip
def test_what_a_source_reaches_for(code: str, names: set[str]) -> None:
    assert reached(code.encode(), {"calc"}) == names


def test_sabotage_is_before_the_first_line_and_nowhere_else() -> None:
    text = b'''@mark
def test_a(x=[
    1,
]):
    """Words."""
    return x

async def test_b(): x = "\xc3\xa9"; return x
class Deep:
    class Down:
        def test_c(self):

            @mark
            def inner():
                return 1
    def test_d(self): pass
def test_e():\r
\tpass'''
    names = ["test_a", "test_b", "Deep::Down::test_c", "test_e", "test_none", "inner"]
    spoiled, done = sabotaged(text, names)
    assert done == {"test_a", "test_b", "Deep::Down::test_c", "test_e"}
    compile(spoiled, "spoiled", "exec")
    lines = spoiled.splitlines()
    numbers = [number for number, line in enumerate(lines) if b"assert " in line]
    assert [lines[number].partition(b"assert ")[0] for number in numbers] == [
        b"    ", b"async def test_b(): ", b"            ", b"\t",
    ]  # fmt: skip
    assert lines[numbers[0] + 1] == b'    """Words."""'
    assert sabotaged(b"def (", ["test_a"]) == (b"def (", set())
