"""Must work: what `Sandbox` promises: streams, exit codes, errors, files, snapshots, forks, options."""

import json
import os
import sys
import threading
import time
from pathlib import Path

import pytest

from selfgym.envs.sandbox.limits import SandboxFileError

from .sandbox_host import empty, program, told

MB = 2**20


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_five_megabytes_come_back_exactly(open_box, stream):
    pieces = []
    box = open_box(output=16 * MB)
    source = f"import sys\nfor n in range(5000):\n    sys.{stream}.write(f'{{n:06d}}' + 'x' * 1017 + '\\n')"
    result = box.exec(source, on_output=lambda name, data: pieces.append((name, data)))
    expected = b"".join(b"%06d" % n + b"x" * 1017 + b"\n" for n in range(5000))
    assert getattr(result, stream) == expected
    assert {name for name, _ in pieces} == {stream}
    assert b"".join(data for _, data in pieces) == expected
    assert result.dropped == (0, 0)
    assert result.limit is None


def test_output_arrives_while_the_program_runs(box):
    seen = []
    source = """
import sys, time
for n in range(3):
    print(n, flush=True)
    print(n, file=sys.stderr)
    time.sleep(0.2)
"""
    start = time.monotonic()
    result = box.exec(source, on_output=lambda name, data: seen.append((time.monotonic() - start, name, data)))
    assert sorted((name, data) for _, name, data in seen) == sorted(
        (s, b"%d\n" % n) for n in range(3) for s in ("stdout", "stderr")
    )
    assert seen[0][0] < 0.3 < seen[-1][0]
    assert result.stdout == result.stderr == b"0\n1\n2\n"


def test_output_over_the_limit_keeps_beginning_and_end(open_box):
    box = open_box(output=1000)
    result = box.exec("print('first')\nprint('x' * 5000)\nprint('last')")
    assert result.stdout.startswith(b"first\n")
    assert result.stdout.endswith(b"last\n")
    assert result.dropped[0] == 5012 - 1000
    assert b"%d" % result.dropped[0] in result.stdout
    assert result.limit == "output"
    assert result.ok


def test_output_of_exactly_the_limit_is_whole(open_box):
    box = open_box(output=1000)
    result = box.exec("import os\nos.write(1, b'x' * 1000)\nos.write(2, b'y' * 1000)")
    assert (result.stdout, result.stderr) == (b"x" * 1000, b"y" * 1000)
    assert (result.dropped, result.limit) == ((0, 0), None)


def test_bytes_that_are_not_text(box):
    data = bytes(range(256)) * 10
    result = box.exec("import sys\nsys.stdout.buffer.write(sys.stdin.buffer.read())", stdin=data)
    assert result.stdout == data
    assert "\ufffd" in result.text


def test_five_megabytes_of_stdin(open_box):
    box = open_box(output=16 * MB)
    data = os.urandom(5 * MB)
    assert (
        box.exec("import sys, shutil\nshutil.copyfileobj(sys.stdin.buffer, sys.stdout.buffer)", stdin=data).stdout
        == data
    )
    assert box.exec(["wc", "-c"], stdin=data).stdout.split() == [b"%d" % len(data)]


@pytest.mark.parametrize(
    "program", ["print('did not read it')", ["true"], ["head", "-c", "10"], "import os; os.close(0)"]
)
def test_stdin_that_nobody_reads(box, program):
    assert box.exec(program, stdin=b"x" * 5 * MB).ok


def test_input(box):
    result = box.exec(
        "name = input('who? ')\nprint('hello', name)\ntry:\n    input()\nexcept EOFError:\n    print('end')",
        stdin="Ada\n",
    )
    assert result.stdout == b"who? hello Ada\nend\n"


@pytest.mark.parametrize(
    ("source", "code", "stderr"),
    [
        ("raise SystemExit", 0, ""),
        ("raise SystemExit(3)", 3, ""),
        ("raise SystemExit('message')", 1, "message\n"),
        ("import sys; sys.exit(None)", 0, ""),
        ("import sys; sys.exit(256 + 7)", 7, ""),
        ("import sys; sys.exit(-1)", 255, ""),
        ("import sys; sys.exit(True)", 1, ""),
        ("import sys; sys.exit([1])", 1, "[1]\n"),
        ("exit(4)", 4, ""),
        ("quit()", 0, ""),
        ("import os; os._exit(9)", 9, ""),
        ("import os; os.execv('/bin/sh', ['sh', '-c', 'exit 8'])", 8, ""),
        ("", 0, ""),
        ("# only a comment", 0, ""),
    ],
)
def test_exit_codes(box, source, code, stderr):
    result = box.exec(source)
    assert (result.exit_code, result.signal, result.stderr.decode(), result.limit) == (code, None, stderr, None)
    assert result.ok == (code == 0)


@pytest.mark.parametrize("number", [1, 6, 9, 11, 13, 15])
def test_signals_are_reported(box, number):
    for each in (
        f"import os, signal; signal.signal({number}, 0) if {number} != 9 else 0; os.kill(os.getpid(), {number})",
        ["sh", "-c", f"kill -{number} $$"],
    ):
        result = box.exec(each)
        assert (result.exit_code, result.signal, result.limit) == (None, number, None)
        assert not result.ok


def test_a_traceback_shows_the_source(box):
    result = box.exec("def f(x):\n    return 1 / x  # the culprit\n\nf(0)\n")
    assert result.exit_code == 1
    lines = result.stderr.decode().splitlines()
    assert lines[0] == "Traceback (most recent call last):"
    assert lines[-1] == "ZeroDivisionError: division by zero"
    assert "line 4, in <module>" in lines[1]
    assert any("# the culprit" in line for line in lines)
    assert "selfgym" not in result.stderr.decode(), "the server's own frames are nobody's business"


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("x = = 1", "SyntaxError: invalid syntax"),
        ("if True:\nprint(1)", "IndentationError"),
        ("import no_such_module", "ModuleNotFoundError: No module named 'no_such_module'"),
        ("a\0b", "null byte"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt"),
        ("raise ExceptionGroup('two', [ValueError(1), TypeError(2)])", "ExceptionGroup: two (2 sub-exceptions)"),
        ("try:\n    1 / 0\nexcept ZeroDivisionError as e:\n    raise ValueError('then') from e", "direct cause"),
        ("import sys; sys.excepthook = lambda *a: print('hooked', file=sys.stderr); 1 / 0", "hooked"),
        ("import threading; threading.Thread(target=lambda: 1 / 0).start(); exit(1)", "Exception in thread"),
        ("class E(Exception):\n    def __str__(self): raise ValueError\nraise E", "E"),
        ("assert 1 == 2, 'no'", "AssertionError: no"),
        ("(" * 500 + ")" * 500, "too many nested parentheses"),
    ],
)  # fmt: skip
def test_errors_are_shown(box, source, words):
    result = box.exec(source)
    assert words in result.stderr.decode(), result
    assert not result.ok


def test_source_behaves_as_with_python_c(box):
    """The same program, once in a fork of the server and once in a new interpreter: what it sees of itself is equal."""

    def guest():
        import gc
        import json
        import locale
        import os
        import signal
        import sys
        import threading
        import time
        import warnings

        handlers = {int(n): str(signal.getsignal(n)) for n in signal.valid_signals() if n not in (33,)}
        facts = {
            "argv": sys.argv,
            "path": sys.path,
            "executable": sys.executable,
            "prefix": [sys.prefix, sys.base_prefix, sys.exec_prefix],
            "version": sys.version,
            "names": sorted(set(globals()) - {"guest"}),
            "name": __name__,
            "cwd": os.getcwd(),
            "environment": sorted(os.environ.items()),
            "umask": os.umask(0o22),
            "limit": sys.getrecursionlimit(),
            "interval": sys.getswitchinterval(),
            "handlers": {n: h for n, h in handlers.items() if "default_int" not in h},
            "int": str(signal.getsignal(2))[:30],
            "blocked": sorted(signal.pthread_sigmask(signal.SIG_BLOCK, [])),
            "streams": [
                [s.name, s.mode, s.encoding, s.errors, s.isatty()] for s in (sys.stdin, sys.stdout, sys.stderr)
            ],
            "hooks": [str(sys.excepthook)[:20], str(sys.displayhook)[:20], str(sys.gettrace()), str(sys.getprofile())],
            "hash": hash("a text"),
            "warnings": [str(one) for one in warnings.filters],
            "collector": [gc.isenabled(), gc.get_threshold()],
            "threads": [thread.name for thread in threading.enumerate()],
            "locale": [locale.getlocale(), sys.getfilesystemencoding(), sys.getfilesystemencodeerrors()],
            "buffering": [[s.line_buffering, s.write_through] for s in (sys.stdin, sys.stdout, sys.stderr)],
            "times": [time.tzname, time.timezone],
            "leader": [os.getsid(0) == os.getpid(), os.getpgrp() == os.getpid()],
        }
        print(json.dumps(facts, indent=1))

    source = program(guest)
    warm, cold = box.exec(source), box.exec(["python", "-c", source])
    assert json.loads(warm.stdout) == json.loads(cold.stdout)


@pytest.mark.parametrize(
    "name", ["traceback", "linecache", "contextlib", "tokenize", "textwrap", "types", "io", "resource"]
)
def test_files_named_like_the_standard_library(open_box, name):
    """They are found by the program, as with ``python -c``, and not by what runs and reports on it."""
    box = open_box()
    box.put(f"{name}.py", "raise SystemExit('spoilt')")
    result = box.exec("print('fine', flush=True)\n1 / 0")
    assert (result.stdout, result.exit_code) == (b"fine\n", 1)
    assert result.stderr.endswith(b"ZeroDivisionError: division by zero\n")


@pytest.mark.parametrize("name", ["json", "re", "collections", "math", "traceback"])
def test_idle_time_changes_nothing(open_box, name):
    """The same program prints the same, whether the session was asked at once or after a while."""
    seen = set()
    for wait in (0, 0.5):
        box = open_box()
        time.sleep(wait)
        box.put(f"{name}.py", "mine = True")
        seen.add(box.exec(f"import {name}\nprint(hasattr({name}, 'mine'))").stdout)
    assert len(seen) == 1, seen


def test_python_is_the_same_inside(box):
    source = "import sys; print(sys.version)"
    inside = {
        box.exec(source).stdout,
        box.exec(["python", "-c", source]).stdout,
        box.exec(["python3", "-c", source]).stdout,
    }
    assert len(inside) == 1
    assert box.exec("import sys; print(sys.version_info[:2])").stdout.decode().strip() == str(sys.version_info[:2])


def test_argv(box):
    words = ["", "a b", "naïve", "$HOME", "*", "-x", "new\nline", "'\""]
    source = "import json, sys; print(json.dumps(sys.argv[1:]))"
    assert told(box.exec(["python", "-c", source, *words])) == words


def test_bytes_in_argv_env_and_cwd(box):
    name = os.fsdecode(b"\xff bytes")
    box.put(f"{name}/file", "here")
    result = box.exec(["sh", "-c", 'printf "%s %s " "$1" "$NAME"; ls', "sh", name], env={"NAME": name}, cwd=name)
    assert result.stdout == b"\xff bytes \xff bytes file\n"


LONE = "\ud800"  # half of a character, which no bytes stand for


@pytest.mark.parametrize(
    "ask",
    [
        lambda box: box.exec(["echo", LONE]),
        lambda box: box.exec("1", cwd=LONE),
        lambda box: box.exec("1", env={"NAME": LONE}),
        lambda box: box.get(LONE),
        lambda box: box.put(LONE, ""),
    ],
    ids=["argv", "cwd", "env", "get", "put"],
)
def test_text_that_cannot_be_bytes(box, ask):
    with pytest.raises((ValueError, SandboxFileError)):
        ask(box)


@pytest.mark.parametrize(
    ("argv", "code"), [(["no-such-program"], 127), (["./file"], 126), (["/work"], 126), (["./nothing"], 127)]
)
def test_programs_that_cannot_be_started(box, argv, code):
    box.put("file", "text", mode=0o644)
    result = box.exec(argv)
    assert result.exit_code == code
    assert argv[0] in result.stderr.decode()


def test_an_argument_that_is_too_long(box):
    result = box.exec(["echo", "x" * 200_000])
    assert result.exit_code in (126, 127)
    assert b"too long" in result.stderr


@pytest.mark.parametrize("timeout", [1e7, 1e12, float("inf")])
def test_very_long_timeouts(box, timeout):
    assert box.exec("print(1)", timeout=timeout).stdout == b"1\n"


@pytest.mark.parametrize("timeout", [0, -1, float("nan")])
def test_timeouts_that_cannot_be_meant(box, timeout):
    with pytest.raises(ValueError, match="timeout"):
        box.exec("print(1)", timeout=timeout)


@pytest.mark.parametrize("program", [[], [""], ["a\0b"], [1], "\ud800"])
def test_programs_that_cannot_be_meant(box, program):
    with pytest.raises(ValueError, match=r"program|argument"):
        box.exec(program)


def test_cwd_and_env(open_box):
    box = open_box(env={"FROM_SESSION": "session", "BOTH": "session"})
    box.put("folder/inner/file", "here")
    names = ("FROM_SESSION", "BOTH", "MORE")
    source = f"import os\nprint(os.getcwd(), os.listdir(), *map(os.environ.get, {names}))"
    result = box.exec(source, cwd="folder/inner", env={"BOTH": "call", "MORE": "naïve = more"})
    assert result.stdout.decode() == "/work/folder/inner ['file'] session call naïve = more\n"
    assert box.exec(["sh", "-c", "echo $PWD $BOTH $MORE"], cwd="/tmp").stdout == b"/tmp session\n"
    assert not box.exec("print(1)", cwd="/no/such/folder").ok


def test_time_and_memory_are_plausible(box):
    idle = box.exec("import time; time.sleep(0.5)")
    assert 0.5 <= idle.seconds < 3
    assert idle.cpu_seconds < 0.4
    busy = box.exec("import time\nwhile time.process_time() < 0.5: pass\nx = bytearray(b'x') * 100_000_000")
    assert 0.4 < busy.cpu_seconds <= busy.seconds + 0.2
    assert 100_000_000 < busy.peak_memory < 300_000_000
    assert 2_000_000 < idle.peak_memory < 60_000_000
    child = box.exec(
        "import subprocess, sys\nsubprocess.run([sys.executable, '-c', 'x = bytearray(b\"x\") * 100_000_000'])"
    )
    assert child.peak_memory > 100_000_000


def test_processors(box):
    assert 1 <= int(box.exec("import os; print(os.cpu_count())").stdout) <= os.cpu_count()
    assert 1 <= int(box.exec(["nproc"]).stdout) <= os.cpu_count()


@pytest.mark.parametrize(
    "expression",
    [
        "random.random()",
        "uuid.uuid4()",
        "secrets.token_hex()",
        "os.urandom(8)",
        "tempfile.mktemp()",
        "next(tempfile._get_candidate_names())",
    ],
)
def test_two_programs_draw_different_numbers(open_box, expression):
    box = open_box(preimport=["random", "uuid", "secrets", "tempfile"])
    source = f"import os, random, secrets, tempfile, uuid\nprint({expression})"
    with box.fork() as twin:
        drawn = [box.exec(source).stdout, box.exec(source).stdout, twin.exec(source).stdout]
    assert len(set(drawn)) == 3


def test_seeded_numbers_are_the_same(box):
    source = "import random\nrandom.seed(1)\nprint(random.random(), hash('x'), {'b', 'a', 'c'})"
    assert box.exec(source).stdout == box.exec(source).stdout == box.exec(["python", "-c", source]).stdout


def test_files_stay_and_processes_do_not(box):
    box.exec("open('/work/a', 'w').write('1')\nopen('/tmp/b', 'w').write('2')")
    box.exec("import subprocess; subprocess.Popen(['sleep', '20'])")
    assert box.exec("print(open('/work/a').read(), open('/tmp/b').read())").stdout == b"1 2\n"
    assert box.get("/tmp/b") == b"2"
    assert b"sleep" not in box.exec(["sh", "-c", "cat /proc/*/comm"]).stdout


def test_put_get_list_remove(box):
    empty(box)
    box.put("a/b/c.txt", "text")
    box.put("run.sh", "#!/bin/sh\necho ran", mode=0o755)
    box.put_all({"a/d": b"\0\xff", "e": "é"})
    assert box.get("a/b/c.txt") == b"text"
    assert box.get("/work/a/d") == b"\0\xff"
    assert box.exec(["./run.sh"]).stdout == b"ran\n"
    entries = [(entry.path, entry.kind, entry.size, entry.mode) for entry in box.list(recursive=True)]
    assert sorted(entries) == [
        ("a", "folder", 0, 0o755),
        ("a/b", "folder", 0, 0o755),
        ("a/b/c.txt", "file", 4, 0o644),
        ("a/d", "file", 2, 0o644),
        ("e", "file", 2, 0o644),
        ("run.sh", "file", 18, 0o755),
    ]
    assert [entry.path for entry in box.list("a")] == ["b", "d"]
    box.put("e", "shorter"[:1])
    assert box.get("e") == b"s"
    box.remove("a")
    assert [entry.path for entry in box.list()] == ["e", "run.sh"]


TREE = """
import os, socket
os.makedirs('d/e', exist_ok=True)
open('d/file', 'w').write('content')
open('empty', 'w').close()
open('d/unreadable', 'w').write('hidden'); os.chmod('d/unreadable', 0)
open('d/program', 'w').write('x'); os.chmod('d/program', 0o4751)
os.symlink('file', 'd/link'); os.symlink('/nowhere', 'dangling')
os.link('d/file', 'd/e/hard')
os.mkfifo('pipe')
open('/tmp/scratch', 'w').write('scratch')
for path in ('d/file', 'd/e', 'empty'):
    os.utime(path, ns=(10**18 + 1, 10**18 + 123456789))
os.utime('d/link', ns=(10**18, 10**18), follow_symlinks=False)
os.makedirs('closed/inner'); open('closed/inner/file', 'w').write('deep')
os.chmod('closed/inner', 0); os.chmod('closed', 0o500)
"""

LOOK = """
import os
def walk(path):
    info = os.lstat(path)
    print(path, oct(info.st_mode), info.st_nlink, info.st_mtime_ns, info.st_size if not os.path.isdir(path) else '')
    if os.path.islink(path):
        print(os.readlink(path))
    elif os.path.isdir(path):
        mode = info.st_mode & 0o7777
        if mode & 0o500 != 0o500: os.chmod(path, 0o700)
        for name in sorted(os.listdir(path)): walk(f'{path}/{name}')
        if mode & 0o500 != 0o500: os.chmod(path, mode)
    elif os.path.isfile(path) and info.st_mode & 0o400:
        print(open(path).read())
walk('/work'); walk('/tmp/scratch')
"""


@pytest.fixture
def planted(open_box):
    """A session with files of every kind, and what a program sees of them."""
    box = open_box()
    assert box.exec(TREE).ok
    return box, box.exec(LOOK).stdout


def test_snapshot_and_restore_are_exact(planted):
    box, before = planted
    tree = box.snapshot()
    assert box.exec(LOOK).stdout == before, "taking a snapshot changed something"
    box.exec(["sh", "-c", "chmod -R u+rwx . && rm -rf * /tmp/scratch && echo other > d && mkdir empty pipe"])
    box.restore(tree)
    assert box.exec(LOOK).stdout == before
    assert box.snapshot().key == tree.key
    again = type(tree).from_bytes(tree.to_bytes())
    assert again == tree
    box.exec("open('d/file', 'a').write('!')")
    assert box.snapshot().key != tree.key
    box.restore(again)
    assert box.exec(LOOK).stdout == before


def test_a_fork_is_independent(planted):
    box, before = planted
    with box.fork() as twin:
        assert twin.exec(LOOK).stdout == before
        twin.exec("open('d/file', 'a').write(' of the twin'); open('new', 'w').close()")
        assert box.exec(LOOK).stdout == before
        box.exec("open('d/file', 'w').write('of the first')")
        assert twin.get("d/file") == b"content of the twin"
        box.close()
        assert twin.exec("print('alone')").stdout == b"alone\n"


def test_restoring_an_empty_tree(planted, open_box):
    box, _ = planted
    box.restore(open_box().snapshot())
    assert box.list() == []
    assert box.list("/tmp") == []


def test_limits_far_above_what_the_machine_has(open_box):
    """Limits are limits, not reservations."""
    box = open_box(memory=2**42, disk=2**40, files=10**6, output=2**34, processes=5000)
    box.put("file", "x" * 1000)
    assert box.get("file", limit=2**50) == b"x" * 1000
    with box.fork() as twin:
        assert twin.get("file") == b"x" * 1000
    assert box.exec("print(1)").stdout == b"1\n"


def test_processor_share(open_box, backend):
    """Two processes that want a core each get half a core together, where control groups can be had."""
    box = open_box(cpus=0.5)
    if backend == "local" and "cpu" not in box.guarantees.cgroup:
        pytest.skip("no control group for processor time here")

    def guest():
        import os
        import time

        os.fork()
        end = time.monotonic() + 1.5
        while time.monotonic() < end:
            pass
        print(time.process_time())
        time.sleep(0.5)

    assert sum(map(float, box.exec(program(guest)).stdout.split())) < 1.1


def test_readonly_folders(open_box, backend, tmp_path):
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "data").write_text("shown")
    os.chmod(tmp_path, 0o755)
    box = open_box(readonly={str(tmp_path): "/opt/shown"})
    assert box.exec("print(open('/opt/shown/inner/data').read())").stdout == b"shown\n"
    assert not box.exec("open('/opt/shown/inner/data', 'a')").ok
    assert not box.exec("open('/opt/shown/new', 'w')").ok
    same = open_box(readonly=[str(tmp_path)])
    assert same.exec(["cat", str(tmp_path / "inner" / "data")]).stdout == b"shown"


def test_preimported_modules_are_there(open_box):
    box = open_box(preimport=["decimal", "json"])
    source = "import sys; print('decimal' in sys.modules)"
    assert box.exec(source).stdout == b"True\n"
    assert box.exec(["python", "-c", source]).stdout == b"False\n"


def test_one_program_at_a_time(box):
    """Two threads that share a session wait for one another."""
    results = []
    source = "import os, time\nopen('busy', 'x').close()\ntime.sleep(0.2)\nos.unlink('busy')"
    threads = [threading.Thread(target=lambda: results.append(box.exec(source))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [result.ok for result in results] == [True] * 3, results


def test_a_hundred_programs_in_a_row(box):
    assert [box.exec(f"print({number})").stdout for number in range(100)] == [b"%d\n" % number for number in range(100)]


def test_a_long_program(box):
    source = "\n".join(f"x{number} = {number}" for number in range(50_000)) + "\nprint(x49999)"
    assert box.exec(source).stdout == b"49999\n"


def test_the_repository_is_not_needed_inside(box):
    """What a program imports is its own Python's: this package's guest is not in its way."""
    result = box.exec("import sys\nprint(sorted(name for name in sys.modules if 'selfgym' in name or 'guest' in name))")
    assert result.stdout == b"[]\n"
    assert Path(__file__).exists()
