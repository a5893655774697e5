"""Contained: what becomes of a session when it is interrupted, closed, forgotten, or its host is killed."""

import asyncio
import contextlib
import gc
import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from selfgym.envs.sandbox.aio import AsyncSandbox
from selfgym.envs.sandbox.limits import SandboxError, SandboxFileError, SandboxUnavailable
from selfgym.envs.sandbox.opening import open_sandbox

from .sandbox_host import alive, descendants, program, until


def endless(marker):
    """A program with children and grandchildren that does not end."""
    import ctypes
    import os
    import signal
    import subprocess
    import sys
    import time

    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    ctypes.CDLL(None).prctl(15, marker.encode(), 0, 0, 0)
    subprocess.Popen([sys.executable, "-S", "-c", f"import time; time.sleep(15) # {marker}"], start_new_session=True)
    if os.fork() == 0:
        os.setsid()
        time.sleep(15)
    print("ready", flush=True)
    time.sleep(15)


HOST = """
import signal, sys
for number in (signal.SIGINT, signal.SIGTERM):  # whoever runs the tests in the background may ignore them
    signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
from selfgym.envs.sandbox.limits import Limits
from selfgym.envs.sandbox.opening import open_sandbox
backend, source, state = sys.argv[1], sys.stdin.read(), sys.argv[2]
box = open_sandbox(backend, limits=Limits(timeout=60), unsafe=backend == "unsafe")
box.exec("print(1)")
if state == "idle":
    print("ready", flush=True)
    import time; time.sleep(60)
box.exec(source, on_output=lambda name, data: print("ready", flush=True))
"""


def containers(owner):
    """The containers of a process; others come and go meanwhile."""
    from selfgym.envs.sandbox.container import connect

    client = connect()
    try:
        owners = [found["Labels"].get("selfgym.owner", "") for found in client.api.containers(all=True)]
    finally:
        client.close()
    return [label for label in owners if f"/{owner}/" in label]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT], ids=lambda number: number.name)
@pytest.mark.parametrize("state", ["running", "idle"])
def test_nothing_is_left_when_the_host_is_killed(backend, host, state, number):
    helper = subprocess.Popen(
        [sys.executable, "-c", HOST, backend, state],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    try:
        helper.stdin.write(program(endless, marker=host.marker).encode())
        helper.stdin.close()
        assert helper.stdout.readline() == b"ready\n"
        below = descendants(helper.pid)
        assert state == "idle" or until(lambda: len(host.processes()) >= 3)
    finally:
        helper.send_signal(number)
        helper.wait(30)
        helper.stdout.close()
    assert until(lambda: not host.processes() and not any(map(alive, below)), 5), "processes outlived their host"
    if backend == "docker":
        assert until(lambda: not containers(helper.pid), 10), "a container outlived its host"


def test_interrupt(box, host):
    ready, results = threading.Event(), []
    source = program(endless, marker=host.marker)
    thread = threading.Thread(target=lambda: results.append(box.exec(source, on_output=lambda *_: ready.set())))
    thread.start()
    assert ready.wait(10)
    start = time.monotonic()
    box.interrupt()
    thread.join()
    assert time.monotonic() - start < 3
    assert results[0].limit == "interrupted"
    assert results[0].stdout == b"ready\n"
    assert not results[0].ok
    assert until(lambda: not host.processes(), 1)


def test_interrupt_of_nothing(box):
    for _ in range(3):
        box.interrupt()
        assert box.exec("print('undisturbed')").stdout == b"undisturbed\n"


def test_interrupts_at_any_moment(box):
    """Interrupts that come just before, during and just after short programs hit that program or none."""
    done = threading.Event()

    def disturb():
        while not done.wait(0.003):
            box.interrupt()

    thread = threading.Thread(target=disturb)
    thread.start()
    try:
        results = [box.exec(f"print({number})") for number in range(100)]
    finally:
        done.set()
        thread.join()
    for number, result in enumerate(results):
        assert result.limit == "interrupted" or result.stdout == b"%d\n" % number, result


@pytest.mark.parametrize(
    "source",
    [
        "while True: pass",
        "import os; os.kill(os.getpid(), 9)",
        "x = bytearray(10**12)",
        "import os; os.close(0); os.close(1); os.close(2)",
    ],
)
def test_the_next_program_runs(box, source):
    box.exec(source, timeout=0.5)
    assert box.exec("print('next')").stdout == b"next\n"


def test_closing_while_a_program_runs(open_box, host):
    box, ready, errors = open_box(), threading.Event(), []

    def run():
        try:
            errors.append(box.exec(program(endless, marker=host.marker), on_output=lambda *_: ready.set()))
        except SandboxError as error:
            errors.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    assert ready.wait(10)
    box.close()
    thread.join(10)
    assert not thread.is_alive()
    assert isinstance(errors[0], SandboxError)
    assert until(lambda: not host.processes(), 2)


def test_an_error_of_the_callback_comes_out(open_box, host):
    box = open_box()

    def refuse(stream, data):
        raise RuntimeError("no more of this")

    with pytest.raises(RuntimeError, match="no more"):
        box.exec(program(endless, marker=host.marker), on_output=refuse)
    assert until(lambda: not host.processes(), 2)


def test_a_forgotten_session_is_closed(backend):
    before = descendants(os.getpid())
    box = open_sandbox(backend, unsafe=backend == "unsafe")
    box.exec("print(1)")
    opened = descendants(os.getpid()) - before
    del box
    gc.collect()
    assert until(lambda: not any(map(alive, opened)))


def test_sessions_leave_nothing_open(backend):
    def state():
        gc.collect()
        with open("/proc/self/mountinfo") as file:
            # an engine beside us mounts and unmounts for whoever else uses it
            mounts = [line for line in file if "docker" not in line and "/engine/" not in line and "nsfs" not in line]
        return len(os.listdir("/proc/self/fd")), len(descendants(os.getpid())), len(mounts)

    for round in range(2):
        for _ in range(4):
            with open_sandbox(backend, unsafe=backend == "unsafe") as box:
                box.exec("print(1)")
        if round == 0:
            before = state()
    assert until(lambda: state() == before), (before, state())


def test_the_server_dies(open_box, backend, only_contained):
    """Where the server inside is killed from outside, the caller gets an error of the session, not a result."""
    if backend == "docker":
        pytest.skip("the engine, not this process, is the parent of the server")
    before = descendants(os.getpid())
    box = open_box()
    box.exec("print(1)")
    for pid, _ in descendants(os.getpid()) - before:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    with pytest.raises(SandboxError):
        box.exec("print(2)")
    with pytest.raises(SandboxError):
        box.put("a", "b")


def test_a_cancelled_coroutine(backend, host):
    """A session for asyncio: a program whose coroutine is cancelled ends, and the session goes on."""

    async def main():
        box = await AsyncSandbox.open(backend, unsafe=backend == "unsafe")
        ready = asyncio.Event()
        loop = asyncio.get_running_loop()
        running = asyncio.create_task(
            box.exec(program(endless, marker=host.marker), on_output=lambda *_: loop.call_soon_threadsafe(ready.set))
        )
        await asyncio.wait_for(ready.wait(), 10)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        result = await asyncio.wait_for(box.exec("print('next')"), 10)
        left = host.processes()
        await box.put("file", "text")
        content = await box.get("file")
        await box.close()
        return result.stdout, left, content

    assert asyncio.run(main()) == (b"next\n", [], b"text")


def test_many_coroutines(backend):
    """Eight sessions at once in one loop: none waits for another."""

    async def one(number):
        box = await AsyncSandbox.open(backend, unsafe=backend == "unsafe")
        try:
            return (await box.exec(f"import time; time.sleep(1); print({number})")).stdout
        finally:
            await box.close()

    async def main():
        return await asyncio.gather(*map(one, range(8)))

    start = time.monotonic()
    assert asyncio.run(main()) == [b"%d\n" % number for number in range(8)]
    assert time.monotonic() - start < 7


def test_nothing_is_unsafe_by_accident():
    with pytest.raises(SandboxUnavailable, match="unsafe=True"):
        open_sandbox("unsafe")
    with pytest.raises(ValueError, match="backend"):
        open_sandbox("lokal")


def test_a_program_that_goes_on(box, host):
    """It runs beside requests about files, says what became of it, and `exec` ends it."""
    box.put("said", "")
    pid = box.start(["sh", "-c", "echo begun $HOME; exec sleep 60"], env={"HOME": "/here"}, log="said")
    assert until(lambda: box.get("said") == b"begun /here\n")
    assert pid not in box.ended()
    box.exec("print('next')")
    assert box.ended() == {}, "what exec ends, it has waited for"
    quick = {box.start(["sh", "-c", f"exit {code}"]): code for code in (0, 3)}
    lost = box.start(["no-such-program"], log="said")
    killed = box.start(["sh", "-c", "kill -9 $$"])
    wanted, found = {**quick, lost: 127, killed: -9}, {}
    assert until(lambda: found.update(box.ended()) or found.keys() >= wanted.keys())
    assert {one: found[one] for one in wanted} == wanted
    assert b"no-such-program" in box.get("said")
    with pytest.raises(SandboxFileError):
        box.start(["true"], log="no/such/folder/file")
    box.remove("said")


def sleeping(seconds):
    """Whether a process of this machine sleeps for so long."""
    told = subprocess.run(["pgrep", "-f", f"^sleep {seconds}$"], stdout=subprocess.DEVNULL, check=False)
    return told.returncode == 0


def test_what_goes_on_ends_with_the_session(open_box, host, only_contained):
    box = open_box()
    box.start(["sleep", "61.25"])
    assert until(lambda: sleeping(61.25))
    box.close()
    assert until(lambda: not sleeping(61.25))


def test_the_way_in_from_outside(open_box, backend):
    box = open_box()
    box.put("seen", "here")
    if backend == "local":
        with open(box.outside("seen")) as file:
            assert file.read() == "here"
        box.close()
    with pytest.raises(SandboxError):
        box.outside("seen")
