"""The child that runs one program: what happens between the fork and the program's own first line, and after its last.

Python source runs in the fork itself, as ``python -c`` would run it but with what the server has imported already;
an argument vector is executed. Runs inside the sandbox; imports nothing of selfgym.
"""

from __future__ import annotations

import gc
import os
import resource
import sys

from . import isolate

TYPE_CHECKING = False  # see wire
if TYPE_CHECKING:
    import signal
    from typing import Any, NoReturn
else:
    import _signal as signal  # without its enumerations

_SOURCE = "<string>"
_OURS = [__package__, *(f"{__package__}.{name}" for name in ("isolate", "program", "server", "tree", "wire"))]
"""What programs need not see. Listed, because to look through all modules would copy the pages they lie in."""


def become(request: dict[str, Any], source: str | None, fds: tuple[int, int, int]) -> NoReturn:
    """Turn this freshly forked process into the program. Never returns, whatever happens."""
    code = 127
    try:
        _settle(request, fds)
        if source is None:
            for number in (signal.SIGPIPE, signal.SIGXFSZ):
                signal.signal(number, signal.SIG_DFL)
            os.execvp(request["argv"][0], request["argv"])
        code = _run(source)
    except OSError as error:
        message = f"{error.filename or request['argv'][0]}: {error.strerror}\n"
        os.write(2, message.encode("utf-8", "surrogateescape"))
        code = 126 if isinstance(error, PermissionError) else 127
    finally:
        os._exit(code)


def _settle(request: dict[str, Any], fds: tuple[int, int, int]) -> None:
    """Session, standard streams, limits, folder and environment of the program."""
    os.setsid()
    for number, fd in enumerate(fds):
        os.dup2(fd, number)
    os.closerange(3, 2**20)
    isolate.dumpable(True)
    for name, value in request["rlimits"].items():
        number = getattr(resource, name)
        hard = resource.getrlimit(number)[1]
        value = value if hard == resource.RLIM_INFINITY else min(value, hard - (name == "RLIMIT_CPU"))
        spare = 1 if name == "RLIMIT_CPU" else 0  # seconds between the signal that says so and the one that kills
        resource.setrlimit(number, (value, value + spare))
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if request["env"]:  # even an update with nothing costs the copies of many pages
        os.environ.update(request["env"])
    os.chdir(request["cwd"])


def _run(source: str) -> int:
    """Run Python source as the main module and return its exit code."""
    for name in _OURS:
        sys.modules.pop(name, None)
    module = type(sys)("__main__")
    module.__dict__["__builtins__"] = __builtins__
    module.__dict__.setdefault("__annotations__", {})
    sys.modules["__main__"] = module
    sys.argv = ["-c"]
    sys.path.insert(0, "")
    if "numpy.random" in sys.modules:
        sys.modules["numpy.random"].seed()  # or every fork would draw the same numbers
    gc.enable()
    code = _guarded(lambda: exec(compile(source, _SOURCE, "exec", dont_inherit=True), module.__dict__), source)
    if "threading" in sys.modules:
        code = _guarded(sys.modules["threading"]._shutdown, source) or code
    if "atexit" in sys.modules:
        sys.modules["atexit"]._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError, AttributeError):
            code = code or 120  # as Python does where the last output could not be written
    return code


def _guarded(call: Any, source: str) -> int:
    """Call and return the exit code that Python would give."""
    try:
        call()
    except SystemExit as stop:
        if stop.code is None or isinstance(stop.code, int):
            return (stop.code or 0) & 0xFF
        print(stop.code, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        _report(source)
        return 130
    except BaseException:
        _report(source)
        return 1
    return 0


def _report(source: str) -> None:
    """Print the running exception as Python would, with the lines of the program it came through."""
    kind, error, trace = sys.exc_info()
    assert kind is not None
    assert error is not None
    while trace is not None and trace.tb_frame.f_code.co_filename == __file__:
        trace = trace.tb_next
    if sys.excepthook is not sys.__excepthook__:
        sys.excepthook(kind, error, trace)
        return
    own, sys.path = sys.path, [path for path in sys.path if path]  # not a traceback.py that the program has written
    import linecache
    import traceback

    sys.path = own
    linecache.cache[_SOURCE] = (len(source), None, source.splitlines(keepends=True), _SOURCE)
    traceback.print_exception(kind, error, trace)
