"""What grows with what: episodes a second over workers, bytes an episode, and the size of a store.

    python benchmarks/scaling.py [--rounds 3] [--parts workers,bytes,store] [--most 10000]

Workers: random agents in drawn households, medium ones of 30 steps and large ones of 120, by processes and by the
actors of a local Ray cluster, in turns; one process is this one. The rate is taken from the tenth part of the episodes
on, so that the start of workers is left out; ``start_s`` is the time to the first episode, ``driver_ms`` the processor
time that this process takes for an episode, which bounds how many workers it can serve. Bytes: three episodes of the
scripted expert of each part of each suite that can be played here, and twenty of a language model in a household, as
JSON and in the store. Store: the expert's episodes in medium households, 100 of them to ``--most``. Medians; the load
of the machine stands beside.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
import zlib
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import date
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from selfgym.agents.cluster import connected
from selfgym.agents.expert import ExpertAgent
from selfgym.agents.policies.load import load_policy
from selfgym.agents.react import ReactAgent
from selfgym.agents.rollout import Job, play_all, rollout
from selfgym.benchmarks.leaderboard.playing import EXPERT, Entrant, Seat, make_env, play_seats
from selfgym.benchmarks.leaderboard.suite import Part, Suite, find_suite, suite_names, tasks
from selfgym.cli.listing import missing
from selfgym.memory.episode import Episode
from selfgym.memory.store import EpisodeStore

WORKERS = (1, 2, 4)
KINDS = {"medium, 30 steps": ("medium", 30, 300), "large, 120 steps": ("large", 120, 120)}
"""Size of the household, steps, episodes."""


def over_workers(rounds: int) -> list[dict[str, Any]]:
    """Episodes a second for each number of workers, by processes and by Ray."""
    found: dict[tuple[str, str, int], list[tuple[float, ...]]] = {}
    with connected():
        for _ in range(rounds):
            for kind in KINDS:
                for workers in WORKERS:
                    for ray in (False, True):
                        key = (kind, "ray" if ray else "processes", workers)
                        found.setdefault(key, []).append(_rate(kind, workers, ray))
                        print(*key, *found[key][-1], flush=True)
    return [
        {
            "episodes": kind, "by": by, "workers": workers,
            **{name: statistics.median(values) for name, values in zip(_MEASURED, columns, strict=True)},
            "each_round_per_s": columns[0], "loads": columns[-1],
        }
        for (kind, by, workers), those in found.items()
        for columns in [[list(column) for column in zip(*those, strict=True)]]
    ]  # fmt: skip


_MEASURED = ("per_s", "start_s", "driver_ms", "load")


def _rate(kind: str, workers: int, ray: bool) -> tuple[float, ...]:
    """One value for each name in ``_MEASURED``."""
    size, steps, episodes = KINDS[kind]
    part = find_suite("household").parts[0]
    part = part.model_copy(update={"seeds": part.seeds.model_copy(update={"count": episodes})})
    suite = Suite(name="scaling", version=1, about="Households.", parts=(part,))
    options = {**part.options, "size": size, "max_steps": steps}
    seats = [Seat(task.id, task, Entrant("random"), "scaling", options=options) for task in tasks(suite)]
    begun = time.monotonic()
    ends, worked = [], []
    with closing(play_seats(seats, None, workers=workers, seconds=300.0, ray=ray)) as playing:
        for episode in playing:
            assert not episode.error, episode.error
            ends.append(time.monotonic())
            worked.append(time.process_time())
    left_out = episodes // 10
    rate = (episodes - left_out) / (ends[-1] - ends[left_out - 1])
    driver = 1000 * (worked[-1] - worked[left_out - 1]) / (episodes - left_out)
    return round(rate, 1), round(ends[0] - begun, 2), round(driver, 2), round(os.getloadavg()[0], 1)


def bytes_an_episode() -> list[dict[str, Any]]:
    """What an episode takes, for every part of every suite, and for a language model."""
    rows = []
    seen = set()
    for suite in map(find_suite, suite_names()):
        for part in suite.parts:
            kind = (part.env, part.expert, json.dumps(part.options, sort_keys=True))
            if kind in seen or not part.expert or missing(part.env):
                continue
            seen.add(kind)
            episodes = list(_few(suite, part))
            if all(episode.outcome.is_error for episode in episodes):
                print("left out:", part.name, episodes[0].error, flush=True)
                continue
            rows.append(_bytes(f"{suite.name}/{part.name}", part.env, part.expert, episodes))
            print(json.dumps(rows[-1]), flush=True)
    rows.append(_bytes("a language model", "selfgym/Household-v0", "react, nano", _sampled()))
    print(json.dumps(rows[-1]), flush=True)
    return rows


def _few(suite: Suite, part: Part) -> Iterator[Episode]:
    few = part.model_copy(update={"seeds": part.seeds.model_copy(update={"count": min(3, part.seeds.count)})})
    for task in tasks(suite.model_copy(update={"parts": (few,)})):
        yield from play_seats(
            [Seat(task.id, task, Entrant(EXPERT), "scaling", options=part.options)], None, workers=1, seconds=300.0
        )


def _sampled() -> list[Episode]:
    """Twenty episodes of 30 steps by an untrained model, with tokens and log-probabilities."""
    policy: Any = load_policy("nano")
    make = partial(make_env, "selfgym/Household-v0", {"size": "medium", "max_steps": 30})
    agent = partial(ReactAgent, policy, restrict=True)
    jobs = [Job(f"{n}", make, partial(agent, seed=n, key=f"{n}"), n, record={"env": "household"}) for n in range(20)]
    return play_all(jobs, policy)


def _bytes(name: str, env: str, agent: str, episodes: Sequence[Episode]) -> dict[str, Any]:
    texts = [episode.model_dump_json().encode() for episode in episodes]
    steps = sum(len(episode.steps) for episode in episodes)
    packed = sum(len(zlib.compress(text, 1)) for text in texts)
    count = len(episodes)
    return {
        "part": name, "env": env, "agent": agent, "episodes": count, "steps": round(steps / count, 1),
        "json_bytes": sum(map(len, texts)) // count, "stored_bytes": packed // count,
        "stored_bytes_a_step": packed // max(1, steps),
    }  # fmt: skip


def store_sizes(most: int, folder: Path) -> list[dict[str, Any]]:
    """The file after 100 episodes, 1,000 ..., and how long it takes to add, count and read some."""
    rows = []
    path = folder / "episodes.db"
    make = partial(make_env, "selfgym/Household-v0", {"size": "medium", "max_steps": 30})
    playing = rollout(
        Job(f"run/{n}", make, ExpertAgent, n, record={"env": "selfgym/Household-v0", "run": "run"}) for n in range(most)
    )
    done, appending = 0, 0.0
    for wanted in (100, 1000, 10_000, 100_000):
        if wanted > most:
            break
        with EpisodeStore(path) as store:
            while done < wanted:
                batch = [episode for _, episode in islice(playing, 100)]
                begun = time.monotonic()
                done += store.append(batch)
                appending += time.monotonic() - begun
        with EpisodeStore(path, readonly=True) as store:
            begun = time.monotonic()
            store.count(run="run", outcome="success")
            counted = time.monotonic() - begun
            begun = time.monotonic()
            list(store.episodes(limit=50, after=f"run/{wanted - 60}"))
            paged = time.monotonic() - begun
        rows.append({
            "episodes": wanted, "bytes": path.stat().st_size, "bytes_an_episode": path.stat().st_size // wanted,
            "appended_per_s": round(wanted / appending), "count_ms": round(1000 * counted, 2),
            "last_50_ms": round(1000 * paged, 2), "load": round(os.getloadavg()[0], 1),
        })  # fmt: skip
        print(json.dumps(rows[-1]), flush=True)
    return rows


def main() -> None:
    """Measure, print and write the result; parts that are not measured now stay as they are in the file of the day."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3, help="of the rates")
    parser.add_argument("--parts", default="workers,bytes,store", help="what to measure, with commas between")
    parser.add_argument("--most", type=int, default=10_000, help="episodes in the largest store")
    given = parser.parse_args()
    path = Path(__file__).parent / "results" / f"scaling-{date.today()}.json"
    result: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    result |= {"cores": os.cpu_count(), "rounds": given.rounds}
    for part in given.parts.split(","):
        with tempfile.TemporaryDirectory() as folder:
            if part == "workers":
                result[part] = over_workers(given.rounds)
            elif part == "bytes":
                result[part] = bytes_an_episode()
            elif part == "store":
                result[part] = store_sizes(given.most, Path(folder))
            else:
                raise SystemExit(f"there is no part {part!r}: workers, bytes, store")
        path.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
