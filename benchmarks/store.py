"""What an episode costs in the store, and whether a store of 100,000 episodes can be paged through.

    python benchmarks/store.py [--big 100000]

A typical episode: 30 random steps in a drawn household, 20 response tokens a step with log-probabilities of 32 bits, a
prompt token for every four characters, a thought. The big store holds short episodes (3 steps): what is asked of it
depends on their number. Medians over several rounds; the disk's share is in the appends, which end with a sync.
"""

from __future__ import annotations

import argparse
import json
import platform
import random
import statistics
import struct
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gymnasium

import selfgym  # noqa: F401  (registers the environments)
from selfgym.envs.core import Outcome
from selfgym.memory.episode import Episode, Step
from selfgym.memory.store import EpisodeStore

ROUNDS = 5
TYPICAL = 100


def typical_episode(number: int, length: int) -> Episode:
    """An episode of ``length`` random steps with token ids and log-probabilities."""
    rng = random.Random(number)
    env: Any = gymnasium.make("selfgym/Household-v0", max_steps=length).unwrapped
    observation, info = env.reset(seed=number)
    steps = []
    for at in range(length):
        action, key = rng.choice(info["admissible_commands"]), env.state_key()
        seen, (observation, reward, ended, cut, info) = observation, env.step(action)
        steps.append(
            Step(
                observation=seen,
                prompt_ids=tuple(rng.randrange(2000) for _ in range(len(seen) // 4 + 8)),
                response_ids=tuple(rng.randrange(2000) for _ in range(20)),
                logprobs=struct.unpack("20f", struct.pack("20f", *(-rng.expovariate(2) for _ in range(20)))),
                fresh=at == 0,
                action=action,
                thought=f"I should {action}.",
                reward=reward,
                state_key=key,
            )
        )
        if ended or cut:
            break
    return Episode(
        id=f"{number}",
        env="selfgym/Household-v0",
        task=info["task"],
        seed=number,
        steps=tuple(steps),
        outcome=Outcome.TRUNCATED,
    )


def many(model: Episode, count: int) -> Iterator[Episode]:
    """``count`` episodes of 10 runs, 2 phases and groups of 8."""
    for number in range(count):
        yield model.model_copy(
            update={
                "id": f"{number:07d}",
                "run": f"run{number * 10 // count}",
                "phase": ("train", "eval")[number % 10 == 0],
                "group": f"g{number // 8}",
                "task_id": f"t{number // 8}",
                "outcome": Outcome.SUCCESS if number % 7 == 0 else Outcome.FAILURE,
            }
        )


def median_seconds(work: Callable[[], Any]) -> float:
    """Of `ROUNDS` rounds."""
    seconds = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds)


def measure_typical(folder: Path) -> dict[str, float]:
    """Bytes and speed of typical episodes."""
    episodes = [typical_episode(number, 30) for number in range(TYPICAL)]
    bodies = [episode.model_dump_json().encode() for episode in episodes]
    names = iter(range(10**9))

    def renamed() -> list[Episode]:
        return [episode.model_copy(update={"id": f"x{next(names)}"}) for episode in episodes]

    batches, singles = [renamed() for _ in range(ROUNDS)], [renamed()[:20] for _ in range(ROUNDS)]
    with EpisodeStore(folder / "typical.db") as store:
        store.append(episodes)
        together = median_seconds(lambda: store.append(batches.pop()))
        one_by_one = median_seconds(lambda: [store.append([episode]) for episode in singles.pop()])
        reading = median_seconds(lambda: sum(1 for _ in store.episodes(limit=TYPICAL)))
        stored = len(store)

    def compress(level: int) -> Callable[[], Any]:
        return lambda: [zlib.compress(body, level) for body in bodies]

    sizes = {level: sum(len(zlib.compress(body, level)) for body in bodies) for level in (1, 6)}
    return {
        "typical_steps": statistics.mean(len(episode.steps) for episode in episodes),
        "typical_json_bytes": round(sum(map(len, bodies)) / TYPICAL),
        "typical_file_bytes": round((folder / "typical.db").stat().st_size / stored),
        "append_together_per_s": round(TYPICAL / together),
        "append_one_by_one_per_s": round(20 / one_by_one),
        "read_per_s": round(TYPICAL / reading),
        "zlib_6_size_over_1": round(sizes[6] / sizes[1], 3),
        "zlib_6_time_over_1": round(median_seconds(compress(6)) / median_seconds(compress(1)), 2),
    }


def measure_big(folder: Path, count: int) -> dict[str, float]:
    """Milliseconds of what people ask of a big store."""
    start = time.perf_counter()
    with EpisodeStore(folder / "big.db") as store:
        store.append(many(typical_episode(1, 3), count))
    building = time.perf_counter() - start
    rng = random.Random(1)

    def page(**filters: Any) -> Callable[[], Any]:
        return lambda: list(store.episodes(limit=50, **filters))

    with EpisodeStore(folder / "big.db", readonly=True) as store:
        asked: dict[str, Callable[[], Any]] = {
            "open": lambda: EpisodeStore(folder / "big.db", readonly=True).close(),
            "get": lambda: store.get(f"{rng.randrange(count):07d}"),
            "first_50": page(),
            "last_50": page(after=f"{count - 51:07d}"),
            "50_of_the_last_run_and_phase": page(run="run9", phase="eval"),
            "50_successes_in_the_middle": page(outcome="success", after=f"{count // 2:07d}"),
            "one_group": page(group=f"g{count // 16}"),
            "count_all": store.count,
            "count_run_phase_outcome": lambda: store.count(run="run5", phase="train", outcome="success"),
            "50_of_a_run": page(run="run5", after=f"{count * 55 // 100:07d}"),
            "50_evaluations_that_failed": page(phase="eval", outcome="failure"),
            "all_ids": lambda: sum(1 for _ in store.ids()),
            "runs": store.runs,
        }
        found = {f"big_{name}_ms": round(1000 * median_seconds(work), 2) for name, work in asked.items()}
    size = (folder / "big.db").stat().st_size
    return {"big_episodes": count, "big_append_per_s": round(count / building), "big_mb": round(size / 1e6), **found}


def main() -> None:
    """Measure, print a table, and keep the numbers under benchmarks/results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--big", type=int, default=100_000, help="episodes in the big store")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="selfgym-store-") as name:
        result: dict[str, Any] = {
            "date": time.strftime("%Y-%m-%d"),
            "command": f"python benchmarks/store.py --big {arguments.big}",
            "python": platform.python_version(),
            **measure_typical(Path(name)),
            **measure_big(Path(name), arguments.big),
        }
    for key, value in result.items():
        print(f"{key:36} {value}")
    out = Path(__file__).resolve().parent / "results" / f"store-{result['date']}.json"
    out.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
