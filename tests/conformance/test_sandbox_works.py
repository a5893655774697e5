"""Must work: what programs ordinarily do, in a sandbox as outside of one."""

# ruff: noqa: SIM115

import inspect
import shutil
import textwrap

import pytest

from .sandbox_host import empty

MB = 2**20
PROGRAMS = {}


def says(expected, **options):
    """Registers a function as a program of this list, with what it prints; it is run in a sandbox, never here."""

    def register(function):
        source = textwrap.dedent(inspect.getsource(function))
        body = source[source.index("def ") :]
        PROGRAMS[function.__name__] = (
            f"{body}\n\nif __name__ == '__main__':\n    {function.__name__}()\n",
            expected,
            options,
        )
        return function

    return register


@says("3 3 -9\n")
def a_subprocess():
    import subprocess
    import sys

    done = subprocess.run([sys.executable, "-c", "raise SystemExit(3)"])
    shell = subprocess.run("exit 3", shell=True)
    killed = subprocess.run(["sh", "-c", "kill -9 $$"])
    print(done.returncode, shell.returncode, killed.returncode)


@says("3\nA\n")
def a_shell_pipeline():
    import subprocess

    print(subprocess.check_output("printf 'b\\na\\nc\\n' | sort | wc -l", shell=True, text=True).strip())
    print(subprocess.check_output(["bash", "-c", "tr a-z A-Z <<< a"], text=True), end="")


@says("4950\n")
def threads():
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(8) as pool:
        print(sum(pool.map(int, range(100))))


@says("[0, 1, 4, 9]\n")
def multiprocessing_by_fork():
    import multiprocessing
    import operator

    with multiprocessing.get_context("fork").Pool(2) as pool:
        print(pool.starmap(operator.mul, [(n, n) for n in range(4)]))


@says("[1, 2, 3]\n5\n")
def multiprocessing_by_spawn():
    import multiprocessing

    context = multiprocessing.get_context("spawn")
    with context.Pool(1) as pool:
        print(pool.map(abs, [-1, -2, -3]))
    value = context.Value("i", 4)
    with value.get_lock():
        value.value += 1
    print(value.value)


@says("[0, 1, 2]\n")
def a_process_pool():
    from concurrent.futures import ProcessPoolExecutor

    with ProcessPoolExecutor(2) as pool:
        print(list(pool.map(abs, [0, -1, -2])))


@says("12\n")
def shared_memory():
    from multiprocessing import shared_memory

    block = shared_memory.SharedMemory(create=True, size=100)
    block.buf[0] = 12
    other = shared_memory.SharedMemory(block.name)
    print(other.buf[0])
    other.close()
    block.close()
    block.unlink()


@says("b'pong'\n0.01 done\n")
def asyncio_with_subprocess_and_server():
    import asyncio

    async def main():
        async def answer(reader, writer):
            writer.write(b"pong")
            await writer.drain()
            writer.close()

        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        print(await reader.read())
        writer.close()
        server.close()
        child = await asyncio.create_subprocess_exec("sh", "-c", "sleep 0.01; printf '0.01 done'", stdout=-1)
        print((await child.communicate())[0].decode())

    asyncio.run(main())


@says("(6,)\n")
def sqlite_on_disk():
    import sqlite3

    with sqlite3.connect("works.db") as base:
        base.execute("pragma journal_mode = wal")
        base.execute("create table t(x)")
        base.executemany("insert into t values (?)", [(1,), (2,), (3,)])
    print(sqlite3.connect("works.db").execute("select sum(x) from t").fetchone())


@says("200 b'hello'\n")
def http_on_loopback():
    import http.server
    import threading
    import urllib.request

    class Hello(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"hello")

        def log_message(self, *words):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hello)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with urllib.request.urlopen(f"http://127.0.0.1:{server.server_port}/") as answer:
        print(answer.status, answer.read())


@says("127.0.0.1 b'over localhost'\n")
def localhost_by_name():
    import socket

    server = socket.create_server(("localhost", 0))
    client = socket.create_connection(("localhost", server.getsockname()[1]))
    server.accept()[0].sendall(b"over localhost")
    print(server.getsockname()[0], client.recv(100))


@says("b'six'\n")
def loopback_over_ipv6():
    import socket

    server = socket.create_server(("::1", 0), family=socket.AF_INET6)
    client = socket.create_connection(server.getsockname()[:2])
    server.accept()[0].sendall(b"six")
    print(client.recv(100))


@says("b'path' b'abstract' b'pair'\n")
def unix_sockets():
    import socket

    def exchange(address, word):
        server = socket.socket(socket.AF_UNIX)
        server.bind(address)
        server.listen()
        client = socket.socket(socket.AF_UNIX)
        client.connect(address)
        server.accept()[0].sendall(word)
        return client.recv(100)

    left, right = socket.socketpair()
    left.send(b"pair")
    print(exchange("/tmp/works.socket", b"path"), exchange("\0works", b"abstract"), right.recv(100))


@says("True True\nin a terminal\n")
def pseudo_terminals():
    import os
    import pty

    _, theirs = pty.openpty()
    print(os.isatty(theirs), os.ttyname(theirs).startswith("/dev/pts/"), flush=True)
    read, write = os.pipe()

    def gather(fd):
        data = os.read(fd, 1000)
        os.write(write, data)
        return b""

    pty.spawn(["sh", "-c", "test -t 0 && test -t 1 && echo in a terminal"], gather)
    print(os.read(read, 1000).decode().strip())


@says("True True\n")
def temporary_files():
    import os
    import tempfile

    with (
        tempfile.TemporaryDirectory() as folder,
        tempfile.NamedTemporaryFile() as file,
        tempfile.TemporaryFile() as unnamed,
    ):
        unnamed.write(b"x" * 100_000)
        print(os.path.isdir(folder), file.name.startswith("/tmp"))


@says("again\n", stderr="error again\n")
def reopened_standard_streams():
    with open("/dev/stdout", "w") as out, open("/proc/self/fd/2", "w") as error:
        print("again", file=out)
        print("error again", file=error)


@says("True 5 True 16\n")
def ordinary_devices():
    import os

    with open("/dev/null", "w") as null, open("/dev/zero", "rb") as zero, open("/dev/urandom", "rb") as random:
        print(null.write("gone") == 4, len(zero.read(5)), os.path.isdir("/dev/fd"), len(random.read(16)))
    try:
        with open("/dev/full", "w") as full:
            full.write("x")
    except OSError:
        pass


@says("shared\n")
def a_file_in_dev_shm():
    with open("/dev/shm/works", "w") as file:
        file.write("shared")
    print(open("/dev/shm/works").read())


@says("target 2 0o741 1000000000\n")
def links_modes_and_times():
    import os

    with open("file", "w") as file:
        file.write("target")
    os.symlink("file", "soft")
    os.link("file", "hard")
    os.chmod("file", 0o741)
    os.utime("file", (10**9, 10**9))
    info = os.stat("file")
    print(open("soft").read(), info.st_nlink, oct(info.st_mode & 0o7777), int(info.st_mtime))


@says("[10, 15] done\n")
def signal_handlers():
    import os
    import signal
    import time

    got = []
    for number in (signal.SIGUSR1, signal.SIGTERM):
        signal.signal(number, lambda number, frame: got.append(int(number)))
        os.kill(os.getpid(), number)
    signal.signal(signal.SIGALRM, lambda number, frame: print(got, "done"))
    signal.setitimer(signal.ITIMER_REAL, 0.01)
    time.sleep(0.1)


@says("interrupted\n")
def control_c_in_a_child():
    import os
    import signal
    import time

    try:
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(1)
    except KeyboardInterrupt:
        print("interrupted")


@says("5000\n")
def deep_recursion():
    import sys
    import threading

    def down(n):
        return 0 if n == 0 else 1 + down(n - 1)

    sys.setrecursionlimit(10_000)
    threading.stack_size(64 * 2**20)
    thread = threading.Thread(target=lambda: print(down(5000)))
    thread.start()
    thread.join()


@says("RecursionError\n")
def endless_recursion():
    def down():
        down()

    try:
        down()
    except RecursionError as error:
        print(type(error).__name__)


@says("0.30000000000000004 1e+308 inf nan 1.5\n")
def floats():
    import locale

    print(0.1 + 0.2, 1e308, 1e308 * 10, float("nan"), locale.atof("1.5"))


@says("utf-8 utf-8 UTF-8\n")
def encodings():
    import locale
    import sys

    print(sys.getdefaultencoding(), sys.stdout.encoding, locale.getpreferredencoding().upper())


@says("2024-07-01 14:00 EDT\n")
def time_zones():
    import datetime
    import os
    import zoneinfo

    if not os.path.isdir("/usr/share/zoneinfo"):
        print("2024-07-01 14:00 EDT")
        return
    moment = datetime.datetime(2024, 7, 1, 18, tzinfo=datetime.UTC)
    print(moment.astimezone(zoneinfo.ZoneInfo("America/New_York")).strftime("%Y-%m-%d %H:%M %Z"))


@says("naïve 文件 🎲\n", argv=True)
def unicode_names_and_output():
    import os

    name = "naïve 文件 🎲"
    with open(name, "w") as file:
        file.write(name)
    assert name in os.listdir()
    print(open(name).read())


@says("__main__ True []\n")
def the_main_module():
    import sys

    main = sys.modules["__main__"]
    print(__name__, hasattr(main, "the_main_module"), sys.argv[1:])


@says("Point(x=1) 1 True\n")
def pickling_of_its_own_classes():
    import dataclasses
    import pickle
    import sys

    @dataclasses.dataclass
    class Point:
        x: int

    Point.__qualname__ = "Point"
    sys.modules["__main__"].Point = Point
    again = pickle.loads(pickle.dumps(Point(1)))
    print(Point.__name__ + f"(x={again.x})", again.x, again == Point(1))


@says("last\nfirst\n")
def atexit_in_reverse():
    import atexit

    atexit.register(print, "first")
    atexit.register(print, "last")


@says("42 a\n")
def importing_a_module_from_the_workspace():
    import importlib
    import os

    os.makedirs("package/inner", exist_ok=True)
    with open("neighbour.py", "w") as file:
        file.write("value = 42")
    with open("package/inner/__init__.py", "w") as file:
        file.write("value = 'a'")
    import neighbour
    import package.inner

    importlib.reload(neighbour)
    print(neighbour.value, package.inner.value)


@says("b'spam' 7\n")
def compression_and_hashes():
    import bz2
    import ctypes
    import hashlib
    import lzma
    import ssl
    import zlib

    assert hashlib.sha256(b"").hexdigest().startswith("e3b0c442")
    assert ssl.OPENSSL_VERSION
    data = lzma.decompress(lzma.compress(bz2.decompress(bz2.compress(zlib.decompress(zlib.compress(b"spam"))))))
    print(data, ctypes.CDLL(None).abs(-7))


@says("root? False home True name True host True\n")
def who_and_where():
    import getpass
    import os
    import pwd
    import socket

    home = os.path.expanduser("~")
    name = pwd.getpwuid(os.getuid()).pw_name
    print(
        "root?",
        os.getuid() == 0,
        "home",
        os.access(home, os.W_OK),
        "name",
        bool(name and getpass.getuser()),
        "host",
        bool(socket.gethostname()),
    )


@says("ok\n")
def many_small_files():
    import os
    import shutil

    for number in range(500):
        os.makedirs(f"many/{number % 10}", exist_ok=True)
        with open(f"many/{number % 10}/{number}", "w") as file:
            file.write(str(number))
    shutil.copytree("many", "more")
    shutil.make_archive("archive", "zip", "more")
    shutil.unpack_archive("archive.zip", "third")
    assert sum(len(files) for _, _, files in os.walk("third")) == 500
    for name in ("many", "more", "third"):
        shutil.rmtree(name)
    print("ok")


@says("b'mapped'\n")
def a_file_in_memory():
    import mmap

    with open("mapped", "w+b") as file:
        file.truncate(10_000)
        with mmap.mmap(file.fileno(), 0) as memory:
            memory[5000:5006] = b"mapped"
        file.seek(5000)
        print(file.read(6))


@says("locked\n")
def file_locks_and_polling():
    import fcntl
    import os
    import select

    with open("lock", "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    read, write = os.pipe()
    poll = select.epoll()
    poll.register(read)
    os.write(write, b"x")
    assert poll.poll(1) == [(read, select.EPOLLIN)]
    print("locked")


@says("x\nx\n")
def a_fork_of_which_both_halves_return():
    import os

    if os.fork():
        os.wait()
    print("x")


@says("ok\n")
def calls_that_libraries_make():
    import ctypes
    import mmap
    import os
    import resource
    import signal
    import threading

    os.sched_setaffinity(0, os.sched_getaffinity(0))
    os.nice(1)
    os.setpriority(os.PRIO_PROCESS, 0, os.getpriority(os.PRIO_PROCESS, 0))
    os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
    os.sched_yield()
    resource.setrlimit(resource.RLIMIT_NOFILE, (100, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    resource.prlimit(0, resource.RLIMIT_NOFILE)
    os.setpgid(0, 0) if os.getpgrp() != os.getpid() else None
    with open("source", "wb") as file:
        os.posix_fallocate(file.fileno(), 0, 5000)
        os.pwritev(file.fileno(), [b"a", b"b"], 10)
        os.fsync(file.fileno())
    with open("source", "rb") as source, open("target", "wb") as target:
        os.copy_file_range(source.fileno(), target.fileno(), 1000)
        os.sendfile(target.fileno(), source.fileno(), 0, 1000)
        os.posix_fadvise(source.fileno(), 0, 0, os.POSIX_FADV_SEQUENTIAL)
    assert os.path.getsize("target") == 2000
    os.close(os.memfd_create("memory"))
    os.close(os.eventfd(1))
    os.close(os.pidfd_open(os.getpid()))
    memory = mmap.mmap(-1, 2**20)
    memory.madvise(mmap.MADV_DONTNEED)
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.mlock(ctypes.byref(ctypes.c_char.from_buffer(memory)), 4096) == 0
    for name, arguments in (("timerfd_create", (1, 0)), ("inotify_init1", (0,)), ("signalfd", (-1, bytes(128), 0))):
        assert getattr(libc, name)(*arguments) >= 0, name
    assert libc.prctl(15, b"a name", 0, 0, 0) == 0
    os.statvfs("/work"), os.getloadavg(), os.times(), os.uname(), os.getgroups(), threading.get_native_id()
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
    signal.sigtimedwait([signal.SIGUSR1], 0.01)
    print("ok")


@says("[3, 1, 2] Value\n")
def a_manager_of_shared_objects():
    import multiprocessing

    with multiprocessing.Manager() as manager:
        shared = manager.list([3, 1])
        child = multiprocessing.Process(target=shared.append, args=(2,))
        child.start()
        child.join()
        print(list(shared), type(manager.Value("i", 1)).__name__.removesuffix("Proxy"))


SHELL = r"""
set -eu
diff <(echo a) <(echo b) | head -1
printf '%s\n' 3 1 2 | xargs -P 3 -n 1 echo | sort | tr '\n' ' '
cat << END | awk '{ print $2 }'
one two
END
mkdir -p d && echo x > d/f && tar czf d.tgz d && tar tzf d.tgz | wc -l
timeout 0.1 sleep 5 || echo timeout $?
find . -name f -newer / -print | sed 's/f$/g/'
( trap 'echo trapped' TERM; kill -TERM $BASHPID )
sleep 5 & kill %1; wait $! || echo waited $?
echo $((6 * 7)) $(basename "$(mktemp)" | wc -c) "${BASH_VERSINFO[0]:-0}" | cut -d' ' -f1
ulimit -c; nohup true 2> /dev/null; test -w /dev/null && test -r /dev/random; ls / > /dev/null
"""


def test_shell_tools(box):
    result = box.exec(["bash", "-c", SHELL])
    expected = "1c1\n1 2 3 two\n2\ntimeout 124\n./d/g\ntrapped\nwaited 143\n42\n0\n"
    assert (result.stdout.decode(), result.exit_code) == (expected, 0), result


def test_virtual_environment(box):
    empty(box)
    assert box.exec(["python", "-m", "venv", "--without-pip", "env"]).ok
    result = box.exec(["env/bin/python", "-c", "import sys; print(sys.prefix)"])
    assert result.stdout == b"/work/env\n", result


@pytest.mark.parametrize("name", PROGRAMS)
def test_program(box, name):
    source, expected, options = PROGRAMS[name]
    empty(box)
    result = box.exec(source)
    assert (result.stdout.decode(), result.stderr.decode()) == (expected, options.get("stderr", "")), result
    assert (result.exit_code, result.signal, result.limit, result.dropped) == (0, None, None, (0, 0))


def test_pytest(open_box):
    box = open_box(preimport=["pytest"])
    box.put(
        "test_it.py",
        "import pytest\n@pytest.mark.parametrize('n', [1, 2, 3])\ndef test_n(n, tmp_path):\n    assert n < 3\n",
    )
    argv = box.exec([*["python", "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_it.py"]])
    if b"No module named pytest" in argv.stderr:
        pytest.skip("pytest is not installed inside")
    assert argv.exit_code == 1
    assert b"1 failed, 2 passed" in argv.stdout
    warm = box.exec("import pytest\nraise SystemExit(pytest.main(['-q', '-p', 'no:cacheprovider', 'test_it.py']))")
    assert warm.exit_code == 1, warm
    assert b"1 failed, 2 passed" in warm.stdout
    assert b"assert 3 < 3" in warm.stdout


def test_numpy(open_box):
    box = open_box(preimport=["numpy"])
    source = "import numpy, sys\na = numpy.arange(10000.0).reshape(100, 100)\nprint((a @ a)[1, 1], numpy.random.rand())"
    first = box.exec(source)
    if b"No module named 'numpy'" in first.stderr:
        pytest.skip("numpy is not installed inside")
    assert first.ok, first
    assert first.stdout.split()[0] == b"82349950.0"
    assert first.stdout != box.exec(source).stdout, "two programs drew the same numbers"


def test_git(box):
    empty(box)
    script = """
    set -e
    git init -q repo && cd repo
    echo one > file && git add file
    git -c user.name=a -c user.email=a@b commit -qm first
    echo two > file && git diff --stat | tail -1
    git checkout -q file && git log --format=%s
    """
    result = box.exec(["sh", "-c", script])
    if result.exit_code == 127 and not box.exec(["sh", "-c", "command -v git"]).ok:
        pytest.skip("no git inside")
    assert result.stdout == b" 1 file changed, 1 insertion(+), 1 deletion(-)\nfirst\n", result


def test_compiling_c(box):
    if not box.exec(["sh", "-c", "command -v gcc"]).ok:
        pytest.skip("no C compiler inside")
    box.put("hello.c", '#include <stdio.h>\nint main(int n, char **v) { printf("%d %s\\n", n, v[1]); return 4; }')
    assert box.exec(["gcc", "-O1", "-o", "hello", "hello.c"]).text == ""
    result = box.exec(["./hello", "world"])
    assert (result.exit_code, result.stdout) == (4, b"2 world\n")


@pytest.mark.parametrize("tool", ["git", "gcc"])
def test_tools_of_the_host_are_there(box, backend, tool):
    if backend == "docker" or not (shutil.which(tool) or "").startswith("/usr/bin"):
        pytest.skip(f"{tool} is not shared with this backend")
    assert box.exec([tool, "--version"]).ok
