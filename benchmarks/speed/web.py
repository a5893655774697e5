"""A step in a browser, and a reset: selfgym beside BrowserGym and Farama's miniwob, in one run and in turn.

    python benchmarks/speed/web.py --install            # once: the peers, each in an environment of its own
    python benchmarks/speed/web.py [--runs 20] [--seconds 10] [--only latency,throughput,page,memory,sites] [--out FILE]

Everybody plays the same five pages and clicks the first button, link or field; everybody's observation holds the
elements, the text and a screenshot. *fallback* is selfgym with plain Chromium, whose frames come at their own pace.
BrowserGym is taken as shipped (``slow_mo`` 100 ms, on open pages 1000, and half a second of sleep) and with all its
waits removed; it starts two browsers for a reset and cannot leave the screenshot out. A click of Farama's that ends an
episode observes nothing, and is counted all the same. Milliseconds are medians, measured inside the process that does
the work. Memory is the proportional share (PSS) of all processes. Peers that are not installed are left out, loudly.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

from selfgym.benchmarks.speed.peer import Peer
from selfgym.envs.web.miniwob.pages import serve

TASKS = ("click-button", "login-user", "book-flight", "email-inbox", "enter-text")
PARTS = ("text", "elements", "screenshot")
HERE = Path(__file__).resolve().parent
FOLDER = Path("/opt/peers")
PEERS = {
    "browsergym": ("bg", "play_browsergym.py"),
    "browsergym-nowait": ("bg", "play_browsergym.py", "--waits", "none"),
    "farama": ("farama", "play_farama.py"),
    "farama-noshot": ("farama", "play_farama.py", "--no-screenshots"),
}
PACKAGES = {"bg": "browsergym-miniwob==0.14.3", "farama": "miniwob==1.1.0"}


class Ours:
    """selfgym in this process."""

    def __init__(self, **options: Any) -> None:
        self.options = options
        self.env: Any = None

    def ask(self, do: str, **call: Any) -> dict[str, Any]:
        """Do one of ``make``, ``reset``, ``click`` and ``noop``; returns what it took."""
        import gymnasium

        _spent.clear()
        before = time.perf_counter()
        told: dict[str, Any] = {}
        if do == "make":
            self.close()
            web = "url" in call or "site" in call
            what = "selfgym/Web-v0" if web else "selfgym/MiniWoB-v0"
            self.env = gymnasium.make(what, observe=PARTS, max_steps=10**6, **call, **self.options).unwrapped
        elif do == "reset":
            self.env.reset(seed=call["seed"])
        else:
            number = self._target(call.get("nth", 0)) if do == "click" else 0
            if number is None:
                return {"ms": 0.0, "error": "there is nothing to click"}
            action = f"click({number})" if do == "click" else "noop(0)"
            *_, terminated, truncated, info = self.env.step(action)
            told = {"ended": terminated or truncated, "error": info["action_error"] or ""}
        return {"ms": 1e3 * (time.perf_counter() - before), "parts": dict(_spent), **told}

    def _target(self, nth: int) -> int | None:
        kinds = ("button", "link", "textbox", "checkbox", "radio") if nth == 0 else ("link",)
        seen = [one for one in self.env.look.elements if "point" in one]
        found = [one["number"] for one in seen if one["role"] in kinds] or [one["number"] for one in seen]
        return int(found[nth % len(found)]) if found else None

    def close(self) -> None:
        """Close the environment."""
        if self.env is not None:
            self.env.close()
            self.env = None


def _peer(name: str) -> Peer:
    environment, script, *options = PEERS[name]
    host, port = serve()
    command = [str(FOLDER / environment / "bin" / "python"), str(HERE / "peers" / script), *options]
    return Peer(command, {"MINIWOB_URL": f"http://{host}:{port}/miniwob/"})


Player = Ours | Peer


def players(names: list[str]) -> dict[str, Callable[[], Player]]:
    """How to get each player that is at hand."""
    found: dict[str, Callable[[], Player]] = {"selfgym": Ours, "fallback": partial(Ours, begin_frame=False)}
    for name in PEERS:
        if (FOLDER / PEERS[name][0] / "bin" / "python").exists():
            found[name] = partial(_peer, name)
        else:
            print(f"LEFT OUT: {name} is not installed in {FOLDER}; say --install", file=sys.stderr)
    return {name: found[name] for name in found if not names or name in names}


@contextmanager
def opened(makers: dict[str, Callable[[], Player]]) -> Iterator[dict[str, Player]]:
    """One of each player, closed at the end."""
    with ExitStack() as stack:
        open_now = {}
        for name, make in makers.items():
            open_now[name] = make()
            stack.callback(open_now[name].close)
        yield open_now


def latency(makers: dict[str, Callable[[], Player]], runs: int) -> dict[str, Any]:
    """Reset and click step of each player, in turn, on each page."""
    resets: dict[str, list[float]] = {name: [] for name in makers}
    clicks: dict[str, list[float]] = {name: [] for name in makers}
    parts: dict[str, dict[str, list[float]]] = {name: {} for name in makers}
    with opened(makers) as playing, _watched():
        for task in TASKS:
            for player in playing.values():
                player.ask("make", task=task)
                player.ask("reset", seed=0)
            for run in range(runs):
                for name, player in playing.items():
                    resets[name].append(player.ask("reset", seed=run)["ms"])
                    told = player.ask("click")
                    clicks[name].append(told["ms"])
                    for part, ms in told.get("parts", {}).items():
                        parts[name].setdefault(part, []).append(ms)
    return {
        name: {
            "runs": len(clicks[name]),
            "reset": statistics.median(resets[name]),
            "click": statistics.median(clicks[name]),
            "click_p90": statistics.quantiles(clicks[name], n=10)[-1],
            "parts": {part: statistics.median(taken) for part, taken in parts[name].items()},
        }
        for name in makers
    }


@contextmanager
def _watched() -> Iterator[None]:
    """Adds up what our own steps are made of: every `Ours` sees the sums of the step it is in."""
    from selfgym.envs.web.acting import Acting
    from selfgym.envs.web.session import Session
    from selfgym.envs.web.tab import Tab

    kept: list[tuple[Any, str, str]] = [
        *((Acting, "do", "action"), (Session, "settle", "settle")),
        *((Tab, "picture", "screenshot"), (Session, "look", "tree")),
    ]
    originals = [getattr(owner, method) for owner, method, _ in kept]
    for (owner, method, part), original in zip(kept, originals, strict=True):
        setattr(owner, method, _timed(original, part))
    try:
        yield
    finally:
        for (owner, method, _), original in zip(kept, originals, strict=True):
            setattr(owner, method, original)


_spent: dict[str, float] = {}


def _timed(method: Any, part: str) -> Any:
    async def called(*arguments: Any, **keywords: Any) -> Any:
        before = time.perf_counter()
        try:
            return await method(*arguments, **keywords)
        finally:
            _spent[part] = 1e3 * (time.perf_counter() - before)

    return called


def throughput(makers: dict[str, Callable[[], Player]], seconds: float) -> dict[str, dict[int, float]]:
    """Steps a second of 1, 2, 4 and 8 at once: episodes of eight clicks with their resets, over the five pages."""
    found: dict[str, dict[int, float]] = {name: {} for name in makers}
    for count in (1, 2, 4, 8):
        for name, make in makers.items():
            if count == 8 and name.startswith("browsergym"):
                continue  # it starts sixteen browsers and thrashes: 0.5 steps a second (../shared/research/web.md)
            crew = [make() for _ in range(count)]
            for number, player in enumerate(crew):
                player.ask("make", task=TASKS[number % len(TASKS)])
                player.ask("reset", seed=0)
            steps = [0] * count
            end = time.monotonic() + seconds
            threads = [threading.Thread(target=_play, args=(crew, steps, at, end)) for at in range(count)]
            begun = time.monotonic()
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            found[name][count] = sum(steps) / (time.monotonic() - begun)
            for player in crew:
                player.close()
    return found


def _play(crew: list[Player], steps: list[int], at: int, end: float) -> None:
    player, seed = crew[at], 0
    while time.monotonic() < end:
        player.ask("reset", seed=seed)
        seed += 1
        for _ in range(8):
            steps[at] += 1
            if player.ask("click")["ended"] or time.monotonic() > end:
                break


def memory(count: int = 8) -> float:
    """MB of this process and all that it started, with ``count`` episodes alive."""
    crew = [Ours() for _ in range(count)]
    for number, player in enumerate(crew):
        player.ask("make", task=TASKS[number % len(TASKS)])
        for seed in range(3):
            player.ask("reset", seed=seed)
            player.ask("click")
    total = sum(_pss(process) for process in _descendants(os.getpid()))
    for player in crew:
        player.close()
    return total / 1024


def _descendants(process: int) -> Iterator[int]:
    yield process
    for task in Path(f"/proc/{process}/task").iterdir():
        for child in (task / "children").read_text().split():
            yield from _descendants(int(child))


def _pss(process: int) -> int:
    lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))


def main() -> None:
    """Measure what was asked for, print it, and write it where ``--out`` says."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--runs", type=int, default=20, help="on each page")
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--only", default="latency,throughput,page,memory,sites")
    parser.add_argument("--players", default="", help="names, separated by commas; all by default")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--install", action="store_true", help="install the peers first")
    options = parser.parse_args()
    if options.install:
        install()
    makers = players([name for name in options.players.split(",") if name])
    wanted = options.only.split(",")
    result: dict[str, Any] = {"date": str(date.today()), "load_before": os.getloadavg()[0], "cores": os.cpu_count()}
    if "memory" in wanted:
        result["memory_mb"] = memory()
    if "latency" in wanted:
        result["latency_ms"] = latency(makers, options.runs)
    if "page" in wanted:
        from selfgym.benchmarks.speed.web_pages import large_page

        result["page_ms"] = large_page(makers, options.runs)
    if "sites" in wanted:
        from selfgym.benchmarks.speed.web_pages import sites

        result["sites_ms"] = sites(makers, options.runs)
    if "throughput" in wanted:
        result["steps_a_second"] = throughput(makers, options.seconds)
    result["load_after"] = os.getloadavg()[0]
    print(json.dumps(result, indent=2))
    if options.out:
        options.out.write_text(json.dumps(result, indent=2) + "\n")


def install() -> None:
    """The peers by pip, each in an environment of its own; Farama's also needs the package chromium-driver."""
    for folder, package in PACKAGES.items():
        if not (FOLDER / folder / "bin" / "python").exists():
            subprocess.run([sys.executable, "-m", "venv", str(FOLDER / folder)], check=True)
            subprocess.run([str(FOLDER / folder / "bin" / "pip"), "install", "--quiet", package], check=True)


if __name__ == "__main__":
    main()
