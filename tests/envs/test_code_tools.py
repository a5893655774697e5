"""The programmer's tools: what each shows, and what it says where it cannot."""

import json
from dataclasses import replace

import pytest

from selfgym.envs.code.tools import CODE_TOOLS, MOST_TEXT
from selfgym.envs.core import Outcome

from .code_tasks import LIMITS, PROBLEM, opened


@pytest.fixture(scope="module")
def shared():
    with opened(max_steps=1000, limits=replace(LIMITS, timeout=2.5)) as env:
        yield env


@pytest.fixture
def env(shared):
    shared.reset(seed=0)
    return shared


def use(env, name, **arguments):
    """(what is seen, whether it was refused); refused calls leave the files as they are."""
    before = env.state_key()
    observation, reward, terminated, truncated, info = env.step({"name": name, "arguments": arguments})
    assert observation in env.observation_space
    assert observation.encode()
    assert (reward, terminated, truncated, info["outcome"]) == (0.0, False, False, Outcome.RUNNING)
    if info["action_error"] is not None:
        assert info["action_error"] == observation
        assert env.state_key() == before
    return observation, info["action_error"] is not None


def done(env, name, **arguments):
    observation, refused = use(env, name, **arguments)
    assert not refused, observation
    return observation


def refused(env, name, **arguments):
    observation, was_refused = use(env, name, **arguments)
    assert was_refused, observation
    return observation


ODD = r"""printf '\377\376x' > bad.bin; mkdir d; ln -s /etc/passwd out; ln -s loop loop; ln -s calc inside; mkfifo pipe
touch closed; chmod 0 closed; printf 'a\r\nb\fc\xe2\x80\xa8d\n\ne' > lines.txt; : > empty; printf 'one\n' > one
"""
"""Files that are not what a tool expects."""


@pytest.mark.parametrize(
    ("name", "arguments", "sentence"),
    [
        ("read", {"path": "calc/none.py"}, "read: No such file or directory: 'calc/none.py'."),
        ("read", {"path": "calc"}, "read: calc is not a plain file."),
        ("read", {"path": "."}, "read: . is not a plain file."),
        ("read", {"path": ""}, "read: . is not a plain file."),
        ("read", {"path": "pipe"}, "read: pipe is not a plain file."),
        ("read", {"path": "closed"}, "read: Permission denied: 'closed'."),
        ("read", {"path": "loop"}, "read: Too many levels of symbolic links: 'loop'."),
        ("read", {"path": "bad.bin"}, "bad.bin is not text in UTF-8."),
        ("read", {"path": "/etc/passwd"}, "'/etc/passwd' is not in the repository; paths are relative to its root."),
        ("read", {"path": "../etc/passwd"}, "'../etc/passwd' is not in the repository; paths are"),
        ("read", {"path": "/work/../etc"}, "'/work/../etc' is not in the repository; paths are relative to its root."),
        ("read", {"path": "one", "start": 2}, "one has 1 line; there is no line 2."),
        ("read", {"path": "one", "start": 0}, "read: argument 'start': input should be greater than or equal to 1."),
        ("read", {"path": "one", "start": 3, "end": 2}, "one has 1 line; there is no line 3."),
        ("read", {"path": "lines.txt", "start": 3, "end": 2}, "The last line (2) is before the first (3)."),
        ("read", {"path": "a\0b"}, "read: argument 'path' has a NUL character; only the text of a file may have one."),
        ("read", {"path": "\ud800"}, "read: argument 'path'"),
        ("read", {}, "read: argument 'path': field required. Use read(path: string, start?: integer, end?"),
        ("list", {"path": "none"}, "list: none is not a folder."),
        ("list", {"path": "one"}, "list: one is not a folder."),
        ("list", {"path": "/"}, "'/' is not in the repository"),
        ("search", {"pattern": "("}, "'(' is not a regular expression: missing ), unterminated subpattern at"),
        ("search", {"pattern": "a{99999999999999999999}"}, "'a{99999999999999999999}' is not a regular expression"),
        ("search", {"pattern": ""}, "search: argument 'pattern': string should have at least 1 character."),
        ("search", {"pattern": "a\0"}, "search: argument 'pattern' has a NUL character"),
        ("search", {"pattern": "a", "path": "none"}, "search: there is no file or folder 'none'."),
        ("search", {"pattern": "a", "path": "../tmp"}, "'../tmp' is not in the repository"),
        ("edit", {"path": "one", "old": "two", "new": ""}, "The text to replace does not occur in one: read it again,"),
        ("edit", {"path": "one", "old": "", "new": ""}, "edit: argument 'old': string should have at least 1"),
        ("edit", {"path": "none", "old": "a", "new": ""}, "edit: No such file or directory: 'none'."),
        ("edit", {"path": "bad.bin", "old": "x", "new": ""}, "bad.bin is not text in UTF-8."),
        ("edit", {"path": "calc", "old": "x", "new": ""}, "edit: calc is not a plain file."),
        ("edit", {"path": "one", "old": "one", "new": "\udc80"}, "edit: argument 'new'"),
        ("edit", {"path": "lines.txt", "old": "\n", "new": ""}, "The text to replace occurs 3 times in lines.txt:"),
        ("write", {"path": "calc", "content": ""}, "write: Is a directory: 'calc'."),
        ("write", {"path": ".", "content": ""}, "write: Is a directory: '.'."),
        ("write", {"path": "one/two", "content": ""}, "write: File exists: 'one'."),
        ("write", {"path": "pipe", "content": ""}, "write: No such device or address: 'pipe'."),
        ("write", {"path": "/tmp/x", "content": ""}, "'/tmp/x' is not in the repository"),
        ("write", {"path": "x" * 300, "content": ""}, "write: File name too long"),
        ("write", {"path": "a", "content": "\ud800"}, "write: argument 'content'"),
        ("write", {"path": "a"}, "write: argument 'content': field required."),
        ("test", {"target": "-p no:terminal"}, "'-p no:terminal' is not a test file or a pytest id."),
        ("test", {"target": "a\0"}, "test: argument 'target' has a NUL character"),
        ("shell", {"command": ""}, "shell: argument 'command': string should have at least 1 character."),
        ("shell", {"command": "echo \0"}, "shell: argument 'command' has a NUL character"),
        ("shell", {"command": ["ls"]}, "shell: argument 'command': input should be a valid string."),
        ("shell", {"command": "ls", "timeout": 9}, "shell has no argument 'timeout'."),
        ("submit", {"force": True}, "submit has no argument 'force'."),
        ("compile", {}, "There is no tool 'compile'."),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_said_in_a_sentence(env, name, arguments, sentence):
    done(env, "shell", command=ODD)
    assert refused(env, name, **arguments).startswith(sentence)
    if name in ("edit", "write", "read", "list", "search"):
        assert "/work" not in refused(env, name, **arguments).replace("'/work/../etc'", "")


def test_the_list_is_of_files_without_what_tools_keep_for_themselves(env):
    done(
        env, "shell", command="git init -q .; mkdir calc/__pycache__ empty; touch calc/__pycache__/x.pyc .hidden 'a b'"
    )
    assert done(env, "list").splitlines() == [
        ".hidden", "a b", "calc/__init__.py", "calc/more.py", "notes.txt", "tests/test_calc.py",
    ]  # fmt: skip
    assert done(env, "list", path="calc") == "__init__.py\nmore.py"
    assert done(env, "list", path="/work/calc") == "__init__.py\nmore.py"
    assert done(env, "list", path="empty") == "The folder is empty."


def test_lines_are_numbered_as_an_editor_numbers_them(env):
    done(env, "shell", command=ODD)
    assert done(env, "read", path="lines.txt") == "    1 a\r\n    2 b\fc\u2028d\n    3 \n    4 e"
    assert done(env, "read", path="lines.txt", start=2, end=3) == "    2 b\fc\u2028d\n    3 "
    assert done(env, "read", path="lines.txt", start=4, end=99) == "    4 e"
    assert done(env, "read", path="empty") == "The file is empty."
    assert done(env, "read", path="inside/../notes.txt") == done(env, "read", path="/work/notes.txt") == "    1 größe"
    assert "agent:x:" in done(env, "read", path="out")  # the sandbox's own, not the host's


def test_long_files_are_shown_in_parts(env):
    done(env, "shell", command="seq 1000 > many; head -c 50000 /dev/zero | tr '\\0' x > wide")
    shown = done(env, "read", path="many", start=11).splitlines()
    assert (shown[0], shown[299], shown[300]) == ("   11 11", "  310 310", "[many goes on to line 1000]")
    wide = done(env, "read", path="wide")
    assert len(wide) < MOST_TEXT + 50
    assert "characters left out]" in wide


def test_search_finds_lines_and_where_they_are(env):
    done(env, "shell", command=ODD)
    assert done(env, "search", pattern=r"def \w+\(") == (
        "calc/__init__.py:4:def double(x):\ncalc/__init__.py:8:def label(x):\n"
        "tests/test_calc.py:4:def test_two():\ntests/test_calc.py:8:def test_label():"
    )
    assert done(env, "search", pattern="^c|d$", path="lines.txt") == "lines.txt:2:b\fc\u2028d"
    assert done(env, "search", pattern="größe") == "notes.txt:1:größe"
    assert done(env, "search", pattern="nowhere") == "Nothing matches."
    assert done(env, "search", pattern="-x|--help") == "Nothing matches."
    done(env, "shell", command="seq 1000 > many")
    shown = done(env, "search", pattern="1").splitlines()
    assert len(shown) == 101
    assert shown[-1].endswith("more lines match]")


def test_a_pattern_that_never_ends_is_stopped(env):
    done(env, "write", path="aaa", content="a" * 40 + "\n")
    assert refused(env, "search", pattern="(a+)+$b") == "search: ended by signal 9, limit hit: timeout."


def test_edit_replaces_exactly_the_text_that_is_there_once(env):
    done(env, "shell", command=ODD)
    assert done(env, "edit", path="lines.txt", old="a\r\nb", new="ä\n\n") == (
        "Replaced 2 lines of lines.txt from line 1 on by 2 lines."
    )
    assert done(env, "edit", path="lines.txt", old="d\n\ne", new="") == (
        "Replaced 3 lines of lines.txt from line 3 on by 0 lines."
    )
    assert env.session.get("lines.txt") == "ä\n\n\fc\u2028".encode()
    assert done(env, "edit", path="one", old="one", new="\0") == "Replaced 1 line of one from line 1 on by 1 line."
    assert env.session.get("one") == b"\0\n"


def test_write_makes_the_folders_above_it_and_takes_a_megabyte_in_pieces(env):
    assert done(env, "write", path="a/b/c.txt", content="1\n2") == "Wrote 2 lines to a/b/c.txt."
    assert env.session.get("a/b/c.txt") == b"1\n2"
    assert done(env, "write", path="/work/a/b/c.txt", content="") == "Wrote 0 lines to /work/a/b/c.txt."
    big = {"path": "big", "content": "x" * 2**20}
    assert done(env, "write", **big) == "Wrote 1 line to big."
    assert len(env.session.get("big")) == 2**20
    observation, *_, info = env.step(json.dumps({"name": "write", "arguments": big}))
    assert info["action_error"] == observation
    assert "has 10486" in observation
    assert "the limit is 65536" in observation


def test_tests_are_run_as_the_person_asks(env):
    assert done(env, "test").splitlines()[-1] == "2 passed"
    assert done(env, "test", target="tests/test_calc.py::test_two").splitlines()[-1] == "1 passed"
    assert "file or directory not found: none.py" in done(env, "test", target="none.py")
    assert "not found: /work/tests/test_calc.py::none" in done(env, "test", target="tests/test_calc.py::none")
    done(env, "edit", path="tests/test_calc.py", old="== 4", new="== [object(), 5]")
    shown = done(env, "test")
    assert "assert 4 == [<object object at 0x...>, 5]" in shown
    assert "FAILED tests/test_calc.py::test_two" in shown
    assert shown.splitlines()[-1] == "1 failed, 1 passed"
    done(env, "write", path="calc/__init__.py", content="import sys\nprint('bye')\nsys.exit(3)\n")
    assert "bye" in done(env, "test")
    done(env, "write", path="calc/__init__.py", content="def (")
    assert "SyntaxError" in done(env, "test")


def test_tests_that_never_end_are_stopped(env):
    done(env, "edit", path="tests/test_calc.py", old="    assert calc.double(2) == 4", new="    while True: pass")
    shown = done(env, "test")
    assert shown.endswith("limit hit: timeout, while running tests/test_calc.py::test_two]")


def test_a_shell_says_how_a_command_ended(env):
    assert done(env, "shell", command="true") == "[no output]"
    assert done(env, "shell", command="echo out; echo err >&2; exit 3") == "out\nerr\n[exit code 3]"
    assert done(env, "shell", command="kill -9 $$") == "[ended by signal 9]"
    assert done(env, "shell", command="nonesuch") == "bash: line 1: nonesuch: command not found\n[exit code 127]"
    assert done(env, "shell", command="pwd; cat") == "/work"
    assert done(env, "shell", command="printf '\\377\\n'") == "\ufffd"
    assert done(env, "shell", command="echo begun; sleep 99") == "begun\n[ended by signal 9, limit hit: timeout]"
    assert done(env, "shell", command="sleep 99 &") == "[no output]"
    assert "sleep" not in done(env, "shell", command="ls /proc/*/exe -l 2>&1 | grep sleep")


def test_long_output_keeps_its_beginning_and_its_end(env):
    shown = done(env, "shell", command="echo first; yes 123456789 | head -c 5000000; echo last")
    assert shown.startswith("first\n")
    assert shown.endswith("last\n[exit code 0, limit hit: output]")
    assert len(shown) < MOST_TEXT + 50
    assert "characters left out]" in shown


def test_names_that_are_not_text_are_shown_as_numbers(env):
    done(env, "shell", command=r"touch $'\377\376' $'\ud800'")
    assert r"\udcff\udcfe" in done(env, "list")


def test_the_tools_are_described_to_agents_and_programs(env):
    first, _ = env.reset(seed=0)
    for tool in CODE_TOOLS:
        assert f"- {tool.signature()}: {tool.description}" in first
    assert [tool.name for tool in CODE_TOOLS] == ["list", "read", "search", "edit", "write", "test", "shell", "submit"]
    assert {one["function"]["name"] for one in CODE_TOOLS.openai_schemas()} == {tool.name for tool in CODE_TOOLS}
    assert PROBLEM.statement in first
