"""Whether `selfgym view` is quick on a store of 100,000 episodes: its first view, its pages, its searches.

    python benchmarks/view_speed.py [--episodes 100000] [--keep FOLDER]

The store is generated: 400 real episodes of 5 to 25 random steps in drawn households, with 20 sampled tokens a step,
each repeated under other ids, phases, outcomes and groups, with a word of its own in its first observation. The server
is a process of its own, started as a person starts it; what is timed is a whole answer as a client on the same machine
gets it, and in a real Chromium (where there is one) a page until its load event. Medians and worst of several rounds;
the first start and view find nothing of the store in the system's cache.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from selfgym.benchmarks.store import typical_episode
from selfgym.envs.core import Outcome
from selfgym.memory.episode import Episode
from selfgym.memory.search_index import EpisodeIndex
from selfgym.memory.store import EpisodeStore

ROUNDS = 7
MODELS = 400
PHASES = ("demo", *(f"{kind}-{number}" for number in range(4) for kind in ("tree", "revision", "eval")))
PAGES: dict[str, dict[str, str]] = {
    "first page": {},
    "last page": {"before": "99999999"},
    "a page in the middle": {"after": "50000"},
    "one phase": {"phase": "eval-3"},
    "phase and outcome": {"phase": "tree-2", "outcome": "success"},
    "three filters, few match": {"phase": "eval-1", "outcome": "env_error", "agent": "react"},
    "filters that nothing matches": {"phase": "demo", "outcome": "env_error"},
}
SEARCHES: dict[str, dict[str, str]] = {
    "a word of one episode": {"q": "mark000777"},
    "a word of every episode": {"q": "you"},
    "several words": {"q": "take apple countertop"},
    "a phrase": {"q": '"on the countertop 1"'},
    "an action": {"q": "done:open"},
    "a common word and a rare outcome": {"q": "you", "outcome": "env_error"},
    "a common word and filters that nothing matches": {"q": "you", "phase": "demo", "outcome": "env_error"},
    "a word that is nowhere": {"q": "xylophone"},
}


def generated(count: int) -> Iterator[Episode]:
    """``count`` episodes, the same each time."""
    models = [typical_episode(number, 5 + number % 21) for number in range(min(MODELS, count))]
    rng = random.Random(0)
    for number in range(count):
        model = models[number % len(models)]
        first, *rest = model.steps
        first = first.model_copy(update={"observation": f"{first.observation} mark{number:06d}"})
        phase = PHASES[number * len(PHASES) // count]
        drawn = rng.random()
        outcome = Outcome.ENV_ERROR if drawn < 0.002 else Outcome.SUCCESS if drawn < 0.4 else Outcome.TRUNCATED
        if phase == "demo":
            outcome = Outcome.SUCCESS
        yield model.model_copy(
            update={
                "id": f"run/{phase}/{number:06d}", "run": "run", "phase": phase, "agent": "react", "policy": "nano",
                "group": f"g{number // 16}", "task_id": f"t{number % 200 if 'eval' in phase else number // 16}",
                "outcome": outcome, "steps": (first, *rest), "created": 1.7e9 + number,
            }
        )  # fmt: skip


@contextmanager
def served(path: Path) -> Iterator[tuple[str, float]]:
    """The address of a server as a person starts it, and the seconds until it said so."""
    program = "import sys; from selfgym.cli import main; sys.exit(main(sys.argv[1:]))"
    start = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-c", program, "view", str(path), "--no-open"], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        address = process.stdout.readline().split()[0]
        yield address, time.perf_counter() - start
    finally:
        process.terminate()
        process.wait()


def fetch(address: str) -> bytes:
    """A whole page."""
    with urllib.request.urlopen(address) as answer:
        return bytes(answer.read())


def forget(path: Path) -> None:
    """Drop a file from the system's cache, so that what comes next reads the disk."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def rounds(work: Callable[[], Any]) -> dict[str, float]:
    """Milliseconds: the median and the worst of `ROUNDS`."""
    taken = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        work()
        taken.append(1000 * (time.perf_counter() - start))
    return {"median_ms": round(statistics.median(taken), 1), "worst_ms": round(max(taken), 1)}


def measure_pages(base: str, count: int) -> dict[str, dict[str, float]]:
    """Every page of the list, every search, and the other kinds of page."""
    found = {}
    for name, query in (PAGES | SEARCHES).items():
        address = f"{base}0/episodes?{urlencode(query)}"
        found[name] = rounds(lambda address=address: fetch(address))  # type: ignore[misc]
    others = {
        "an episode": f"0/episode?{urlencode({'id': f'run/{PHASES[0]}/000042'})}",
        "a group": "0/group?name=g9",
        "learning curves": "0/curves",
        "two phases side by side": "0/compare?left=0/3/runeval-0&right=0/3/runeval-3",
    }
    for name, path in others.items():
        found[name] = rounds(lambda path=path: fetch(base + path))  # type: ignore[misc]
    return found


def measure_browser(base: str) -> dict[str, dict[str, float]]:
    """Pages in a Chromium until their load event; nothing where there is none."""
    shell = shutil.which("chromium-headless-shell") or shutil.which("chromium")
    if shell is None:
        return {}
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shell, args=["--no-sandbox"])
        page = browser.new_page()
        cases = {"first page": {}, "a search": {"q": "take apple countertop"}}
        found = {
            f"{name}, in a browser": rounds(
                lambda query=query: page.goto(f"{base}0/episodes?{urlencode(query)}", wait_until="load")  # type: ignore[misc]
            )
            for name, query in cases.items()
        }
        browser.close()
    return found


def measure(folder: Path, count: int) -> dict[str, Any]:
    """Make the store where it is not there yet, then everything."""
    path = folder / "episodes.db"
    if not path.exists():
        with EpisodeStore(path) as store:
            store.append(generated(count))
    search = path.with_name(f"{path.name}.search")
    search.unlink(missing_ok=True)
    forget(path)
    result: dict[str, Any] = {"episodes": count, "store_mb": round(path.stat().st_size / 1e6)}
    with served(path) as (base, seconds):
        start = time.perf_counter()
        fetch(f"{base}0/episodes")
        result["start_s"] = round(seconds, 2)
        result["first_view_from_disk_ms"] = round(1000 * (time.perf_counter() - start), 1)
        result["while_the_index_is_built"] = {
            "first page": rounds(lambda: fetch(f"{base}0/episodes")),
            "a search": rounds(lambda: fetch(f"{base}0/episodes?q=apple")),
        }
    start = time.perf_counter()
    with EpisodeStore(path, readonly=True) as store:
        index = EpisodeIndex(store)
        before = count - index.left()
        while index.grow():
            pass
        index.close()
    result["index_episodes_per_s"] = round((count - before) / (time.perf_counter() - start))
    result["index_mb"] = round(search.stat().st_size / 1e6)
    with served(path) as (base, seconds):
        result["start_with_an_index_s"] = round(seconds, 2)
        result["pages"] = measure_pages(base, count) | measure_browser(base)
    return result


def main() -> None:
    """Measure, print a table, and keep the numbers under benchmarks/results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--episodes", type=int, default=100_000, help="in the store")
    parser.add_argument("--keep", type=Path, help="make the store in this folder, or use the one that is there")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="selfgym-view-") as name:
        folder = arguments.keep or Path(name)
        folder.mkdir(parents=True, exist_ok=True)
        result: dict[str, Any] = {
            "date": time.strftime("%Y-%m-%d"),
            "command": f"python benchmarks/view_speed.py --episodes {arguments.episodes}",
            "python": platform.python_version(),
            "load_before": round(os.getloadavg()[0], 1),
            **measure(folder, arguments.episodes),
            "load_after": round(os.getloadavg()[0], 1),
        }
    for key, value in result.items():
        if isinstance(value, dict):
            print(key.replace("_", " "))
            for what, taken in value.items():
                print(f"  {what:48} {taken['median_ms']:8.1f} ms, worst {taken['worst_ms']:8.1f}")
        else:
            print(f"{key:50} {value}")
    if arguments.episodes >= 100_000:
        out = Path(__file__).resolve().parent / "results" / f"view_speed-{result['date']}.json"
        out.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
