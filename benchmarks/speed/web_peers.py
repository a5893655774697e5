"""BrowserGym and Farama's miniwob, each in a process under its own Python: the peers of benchmarks/speed/web.py.

    python benchmarks/speed/web_peers.py --install     # once; Farama's also needs: apt-get install chromium-driver
    python benchmarks/speed/web_peers.py [--runs 5] [--seconds 20] [--counts 1,2] [--only latency,page,...] [--out FILE]

The peers and how they are set up (the scripts in ``peers`` say it in full; the browser is the one of this machine):

- *browsergym*: as shipped, which is ``slow_mo`` 100 ms (1000 ms on ``openended``) and half a second of sleep a step.
- *browsergym-nowait*: both at zero. A reset still closes two browsers and starts two (one is its chat), and there is
  no switch for the screenshot. The pages come from files, as its documentation says.
- *farama*: miniwob over selenium, one browser for as long as the environment lives, resets in the page. Its click is
  ``element.click()``, no mouse. A step that ends an episode observes nothing, so it is counted but not in its medians.
- *farama-noshot*: the same with its option ``record_screenshots`` off.

Everybody clicks the first visible button, link or field inside #area; where there is none (email-inbox), the first
words that are no heading. Answers name the target. Milliseconds are taken inside the peer's process around the one
call of ``reset`` or ``step``: no peer pays for the pipe, the choice of the target, or for writing its tree as text.
BrowserGym's picture is 498 x 321 (332 x 214, scaled by itself), Farama's 160 x 210.
"""

from __future__ import annotations

import argparse
import json
import operator
import os
import select
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import date
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from selfgym.benchmarks.speed.peers.protocol import MARK, processes

TASKS = ("click-button", "login-user", "book-flight", "email-inbox", "enter-text")
SCRIPTS = Path(__file__).resolve().parent / "peers"
FOLDER = Path("/opt/peers")
PACKAGES = {"bg": ("browsergym-miniwob==0.14.3", "miniwob==1.1.0"), "farama": ("miniwob==1.1.0",)}
"""What each environment is made of; BrowserGym takes the pages of MiniWoB++ from Farama's package."""
KNOWN: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "browsergym": ("bg", "browsergym_miniwob.py", ()),
    "browsergym-nowait": ("bg", "browsergym_miniwob.py", ("--no-waits",)),
    "farama": ("farama", "farama_miniwob.py", ()),
    "farama-noshot": ("farama", "farama_miniwob.py", ("--no-screenshots",)),
}
"""By name: the environment, the script and its options."""
LARGE = "<tr><td><a href='#{0}'>entry {0}</a></td><td><input value='{0}'></td><td>word</td></tr>"
ROWS = 550  # of six nodes


class PeerFailed(RuntimeError):
    """A peer raised, ended or did not answer."""


class Peer:
    """A peer in a process of its own, with a folder of its own for what its browsers write."""

    def __init__(self, process: subprocess.Popen[bytes], mark: str, folder: Path) -> None:
        self.process, self.mark, self.folder = process, mark, folder
        self._read = b""

    @classmethod
    def start(cls, venv: Path, script: str, options: Iterable[str] = ()) -> Self:
        """Run a script of ``peers`` under the Python of ``venv``."""
        mark, folder = uuid.uuid4().hex, Path(tempfile.mkdtemp(prefix="selfgym-peer-"))
        with (folder / "errors").open("wb") as errors:
            process = subprocess.Popen(
                [str(venv / "bin" / "python"), str(SCRIPTS / script), *options],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, start_new_session=True,
                env=os.environ | {MARK: mark, "TMPDIR": str(folder)},
            )  # fmt: skip
        return cls(process, mark, folder)

    def call(self, do: str, *, timeout: float = 120.0, **arguments: Any) -> dict[str, Any]:
        """One call of the peer's (see ``peers``). ``round_trip_ms`` is what it took seen from here.

        Raises `PeerFailed` with what the peer said.
        """
        assert self.process.stdin is not None
        before = time.perf_counter()
        try:
            self.process.stdin.write(json.dumps({"do": do, **arguments}).encode() + b"\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            raise PeerFailed(f"the peer had ended before {do}:\n{self._errors()}") from None
        told = dict(json.loads(self._line(do, before + timeout)))
        if "failed" in told:
            raise PeerFailed(f"the peer failed at {do}: {told['failed']}\n{self._errors()}")
        return told | {"round_trip_ms": 1e3 * (time.perf_counter() - before)}

    def _line(self, do: str, deadline: float) -> bytes:
        assert self.process.stdout is not None
        out = self.process.stdout.fileno()
        while b"\n" not in self._read:
            ready, _, _ = select.select([out], [], [], max(0.0, deadline - time.perf_counter()))
            if not ready:
                raise PeerFailed(f"the peer did not answer {do} in time:\n{self._errors()}")
            more = os.read(out, 1 << 16)
            if not more:
                raise PeerFailed(f"the peer ended at {do}:\n{self._errors()}")
            self._read += more
        line, _, self._read = self._read.partition(b"\n")
        return line

    def _errors(self) -> str:
        return (self.folder / "errors").read_text(errors="replace")[-2000:]

    def close(self) -> None:
        """Ask it to close, then end whatever is left of it, browsers included."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        if self.process.poll() is None:
            try:
                self.call("close", timeout=20)
            except PeerFailed as failure:
                print(f"a peer did not close by itself: {failure}", file=sys.stderr)
        deadline = time.monotonic() + 10
        while (left := processes(self.process.pid, self.mark)) and time.monotonic() < deadline:
            for process in left:
                with _gone_already():
                    os.kill(process, signal.SIGKILL)
            self.process.poll()
            time.sleep(0.05)
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


@contextmanager
def _gone_already() -> Iterator[None]:
    try:
        yield
    except ProcessLookupError:
        return


Makers = dict[str, Callable[[], Peer]]


def peers(names: Iterable[str] = (), folder: Path = FOLDER, executable: str = "/usr/bin/chromium") -> Makers:
    """How to start each of the known peers that is here (all, or those asked for). Says loudly which are absent."""
    wanted = list(names) or list(KNOWN)
    found: Makers = {}
    for name in wanted:
        if name not in KNOWN:
            raise ValueError(f"there is no peer {name!r}; there are {', '.join(KNOWN)}")
        environment, script, options = KNOWN[name]
        needs = [folder / environment / "bin" / "python", Path(executable)]
        needs += [Path("/usr/bin/chromedriver")] if environment == "farama" else []
        missing = [str(path) for path in needs if not path.exists()]
        if missing:
            print(f"ABSENT: {name} is left out, there is no {', '.join(missing)}: see --install", file=sys.stderr)
            continue
        found[name] = partial(Peer.start, folder / environment, script, (*options, "--executable", executable))
    return found


def install(folder: Path = FOLDER) -> None:
    """Make the two environments by pip. The browser and its driver are Debian's chromium and chromium-driver."""
    for environment, packages in PACKAGES.items():
        python = folder / environment / "bin" / "python"
        if not python.exists():
            subprocess.run([sys.executable, "-m", "venv", str(folder / environment)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", *packages], check=True)


@contextmanager
def opened(makers: Makers) -> Iterator[dict[str, Peer]]:
    """One of each, closed at the end."""
    with ExitStack() as stack:
        yield {name: stack.enter_context(make()) for name, make in makers.items()}


def spread(ms: Sequence[float]) -> dict[str, float]:
    """How many, their median and the ninth decile."""
    if len(ms) < 2:
        return {"n": len(ms)}
    return {"n": len(ms), "p50": statistics.median(ms), "p90": statistics.quantiles(ms, n=10)[-1]}


def latency(makers: Makers, runs: int) -> dict[str, Any]:
    """Reset, a step that does nothing, and a click of each peer, in turn, ``runs`` times on each of the tasks."""
    taken: dict[str, dict[str, list[float]]] = {name: {"reset": [], "noop": [], "click": []} for name in makers}
    blind = dict.fromkeys(makers, 0)
    targets: dict[str, dict[str, str]] = {task: {} for task in TASKS}
    with opened(makers) as playing:
        for task in TASKS:
            for peer in playing.values():
                peer.call("make", task=task)
                for call in ({"do": "reset", "seed": 0}, {"do": "noop"}, {"do": "step", "action": "first"}):
                    peer.call(**call)
            for run in range(runs):
                for name, peer in playing.items():
                    taken[name]["reset"].append(peer.call("reset", seed=run)["ms"])
                    taken[name]["noop"].append(peer.call("noop")["ms"])
                    click = peer.call("step", action="first")
                    if click["error"]:
                        raise PeerFailed(f"{name} could not click {click['target']} on {task}: {click['error']}")
                    targets[task][name] = click["target"]
                    if click["observed"]:
                        taken[name]["click"].append(click["ms"])
                    else:
                        blind[name] += 1
        memory = {name: peer.call("memory") for name, peer in playing.items()}
    return {
        "targets": targets,
        **{
            name: {what: spread(ms) for what, ms in taken[name].items()}
            | {"clicks_without_observation": blind[name], "memory_mb": memory[name]["mb"]}
            for name in makers
        },
    }


def large_page(makers: Makers, runs: int) -> dict[str, Any]:
    """``openended`` of BrowserGym on a page of 3,300 nodes at 1280 x 720: doing nothing, and a click on a link."""
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "large.html"
        rows = "".join(LARGE.format(number) for number in range(ROWS))
        page.write_text(f"<!doctype html><title>Large</title><table>{rows}</table>")
        taken: dict[str, dict[str, list[float]]] = {}
        errors: dict[str, int] = {}
        with opened({name: make for name, make in makers.items() if name.startswith("browsergym")}) as playing:
            for name, peer in playing.items():
                taken[name], errors[name] = {"noop": [], "click": []}, 0
                peer.call("make", task="openended", url=page.as_uri())
                peer.call("reset", seed=0)
            for run in range(runs):
                for name, peer in playing.items():
                    taken[name]["noop"].append(peer.call("noop")["ms"])
                    click = peer.call("step", action=f"link {run}")
                    taken[name]["click"].append(click["ms"])
                    errors[name] += bool(click["error"])
    return {
        name: {what: spread(ms) for what, ms in of.items()} | {"clicks_with_errors": errors[name]}
        for name, of in taken.items()
    }


def sustained(make: Callable[[], Peer], count: int, seconds: float, tasks: Sequence[str] = TASKS) -> dict[str, float]:
    """Steps a second of ``count`` peers at once, each in a process, and the memory of them all.

    Each plays whole episodes of eight clicks, or fewer where the episode ends, with their resets: at least one of each
    task, for an equal share of the time; peer number i begins with task i. Making environments is not in it.
    """
    steps, resets, spent = [0] * count, [0] * count, [0.0] * count

    def play(number: int, peer: Peer) -> None:
        begun = time.monotonic()
        while time.monotonic() < begun + seconds / len(tasks):
            peer.call("reset", seed=resets[number])
            resets[number] += 1
            for _ in range(8):
                steps[number] += 1
                if peer.call("step", action="first")["ended"]:
                    break
        spent[number] += time.monotonic() - begun

    with ExitStack() as stack, ThreadPoolExecutor(count) as threads:
        crew = [stack.enter_context(make()) for _ in range(count)]
        for turn in range(len(tasks)):
            for number, peer in enumerate(crew):
                peer.call("make", task=tasks[(number + turn) % len(tasks)])
                peer.call("reset", seed=0)
            for _ in threads.map(play, range(count), crew):
                pass
        memory = sum(peer.call("memory")["mb"] for peer in crew)
    return {
        "steps_a_second": sum(map(operator.truediv, steps, spent)), "steps": sum(steps), "resets": sum(resets),
        "memory_mb": memory, "load": os.getloadavg()[0],
    }  # fmt: skip


def check_env(makers: Makers) -> dict[str, Any]:
    """What gymnasium's check_env says of each peer on click-button."""
    told = {}
    for name, make in makers.items():
        with make() as peer:
            told[name] = peer.call("check_env", task="click-button", timeout=300)["says"] or "passes"
    return told


def main() -> None:
    """Measure the peers alone, print it, and write it where ``--out`` says."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--runs", type=int, default=5, help="on each of the five tasks")
    parser.add_argument("--seconds", type=float, default=20.0, help="of sustained play, for each count")
    parser.add_argument("--counts", default="1,2", help="peers at once")
    parser.add_argument("--only", default="check,latency,sustained,page")
    parser.add_argument("--peers", default="", help="names, separated by commas; all by default")
    parser.add_argument("--executable", default="/usr/bin/chromium", help="the browser")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where the peers' environments are")
    parser.add_argument("--install", action="store_true", help="make those environments first")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    if options.install:
        install(options.folder)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("asked to end"))  # so that the peers are closed
    makers = peers(filter(None, options.peers.split(",")), options.folder, options.executable)
    parts: dict[str, Callable[[], Any]] = {
        "check": lambda: check_env({name: makers[name] for name in makers if name in ("browsergym", "farama")}),
        "latency": lambda: latency(makers, options.runs),
        "sustained": lambda: {
            count: {name: sustained(make, count, options.seconds) for name, make in makers.items()}
            for count in map(int, options.counts.split(","))
        },
        "page": lambda: large_page(makers, max(20, options.runs)),
    }
    result: dict[str, Any] = {"date": str(date.today()), "cores": os.cpu_count(), "load": [os.getloadavg()[0]]}
    with opened(makers) as playing:
        result["versions"] = {name: peer.call("versions") for name, peer in playing.items()}
    for part in options.only.split(","):
        result[part] = parts[part]()
        result["load"].append(os.getloadavg()[0])
        if options.out:
            options.out.write_text(json.dumps(result, indent=2) + "\n")
    print("\n".join(table(result)))


def table(result: dict[str, Any]) -> Iterator[str]:
    """The result in lines for a person."""
    yield f"load {' -> '.join(f'{load:.1f}' for load in result['load'])} on {result['cores']} cores"
    for name, versions in result["versions"].items():
        yield f"{name}: " + ", ".join(f"{what} {number}" for what, number in versions.items() if what[-3:] != "_ms")
    for name, says in result.get("check", {}).items():
        yield f"check_env {name}: {says}"
    rows = {f"{what} (MiniWoB)": what for what in ("reset", "noop", "click")}
    for part, kinds in (("latency", rows), ("page", {"noop (3,300 nodes)": "noop", "click (3,300)": "click"})):
        for title, what in kinds.items():
            for name, of in result.get(part, {}).items():
                if "p50" in of.get(what, {}):
                    one = of[what]
                    yield f"{title:20} {name:18} p50 {one['p50']:8.1f}  p90 {one['p90']:8.1f} ms  n {one['n']}"
    for count, of in result.get("sustained", {}).items():
        for name, one in of.items():
            told = f"{one['steps_a_second']:6.2f} steps/s ({one['steps']} steps, {one['resets']} resets)"
            yield f"{count} at once {name:18} {told}  {one['memory_mb']:6.0f} MB  load {one['load']:.1f}"


if __name__ == "__main__":
    main()
