"""Does a skill library help in the app world? SAGE and the same without a library, against controls.

    python benchmarks/learning/sage.py [--seeds 3] [--workers 1] [--set NAME=VALUE ...] [--out runs/sage-study]

The settings are those of ``selfgym evolve sage --env selfgym/Apps-v0``. For each seed one cloned start is made, and
from copies of it go on ``sage`` and ``sage-without-library``, with as many episodes of the same tasks, and then
``sage-more-cloning`` with as many trained tokens as ``sage`` had, on the demonstrations alone. Each arm's last model,
the cloned start and the model before it play the same held-out chains (other worlds; ``nano`` knows no other
scenarios) with a library and without one; ``--retrieval query`` adds a library that successful training episodes wrote,
searched by each task's words. Reported: task and scenario goal completion, steps and generated tokens of a task (all,
and those that were done), the share of tasks in which a brought skill was used, and the share lost to errors; means and
paired differences with 95% intervals from a bootstrap over seeds and tasks, or chains. Interrupted, the same command
goes on.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import date
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import torch

from selfgym.benchmarks.learning.agent_r import difference, load, make_start
from selfgym.benchmarks.learning.groups import as_many_tokens, run_arm
from selfgym.cli.console import set_options
from selfgym.envs.core import Outcome
from selfgym.memory.episode import Episode
from selfgym.memory.store import EpisodeStore
from selfgym.trainers.chains import ChainConfig
from selfgym.trainers.checkpoints import evaluated
from selfgym.trainers.metrics import goal_completion, won
from selfgym.trainers.presets import preset
from selfgym.trainers.recipes.sage import PAPER, play_held_out
from selfgym.trainers.stage import EvolveConfig, held_out_tasks, open_stage

ENV = "selfgym/Apps-v0"
ARMS = ("sage", "sage-without-library")
CONTROL = "sage-more-cloning"
WAYS = {
    "on": ChainConfig(),
    "off": ChainConfig(library=False),
    "query": ChainConfig(retrieval="query"),
}
"""How a model is evaluated: with its own library of a chain, without one, with one that is searched."""
CLAIMED = {"scenarios": "+8.9 points", "steps": "26% fewer", "tokens": "59% fewer"}
"""What the paper reports on AppWorld's test-normal, a 32B model, SAGE beside GRPO without a library."""


def measure(arm: str, seed: int, settings: dict[str, Any], out: Path, ways: Sequence[str]) -> None:
    """Play the held-out chains with an arm's last model in every way, and log them in its run.

    ``start`` is the cloned model, ``untrained`` the one before it.
    """
    folder = out / f"seed-{seed}" / ("start" if arm == "untrained" else arm) / "run"
    config = EvolveConfig(**{**settings, "seed": seed})
    at = 0 if arm in ("untrained", "start") else config.iterations
    torch.set_num_threads(config.threads)
    with EpisodeStore(folder / "episodes.db") as store:
        for way in ways:
            model = "start" if arm == "untrained" else evaluated(folder, at, config.average)
            stage = open_stage(config, folder, at, model, store)
            kind = kind_of(arm, way)
            if not store.count(phase=stage.phase(kind)):
                store.append(list(play_held_out(stage, held_out_tasks(stage), WAYS[way], kind)))


def kind_of(arm: str, way: str) -> str:
    """Under what name an arm's held-out episodes are logged."""
    return f"eval-{way}-untrained" if arm == "untrained" else f"eval-{way}"


def begin(seed: int, settings: dict[str, Any], out: Path, ways: Sequence[str]) -> None:
    """The cloned start of a seed, and how it and the model before it fare."""
    make_start(seed, settings, out)
    measure("untrained", seed, settings, out, ways[:1])  # it writes no skill that could be brought along
    measure("start", seed, settings, out, ways)


def go(arm: str, seed: int, settings: dict[str, Any], out: Path, ways: Sequence[str]) -> float:
    """Take an arm to its end and measure its last model; returns the minutes of the first."""
    minutes = run_arm(arm, seed, settings, out)
    measure(arm, seed, settings, out, ways)
    return minutes


def control(seed: int, settings: dict[str, Any], out: Path, ways: Sequence[str]) -> float:
    """As many trained tokens as ``sage`` had, on demonstrations, in one update."""
    changed = as_many_tokens("sage", seed, settings, out) | {"iterations": 1, "evaluations": 1}
    changed["update"]["steps"] *= settings["iterations"]
    minutes = run_arm(CONTROL, seed, changed, out)
    measure(CONTROL, seed, {**settings, "iterations": 1}, out, ways)
    return minutes


Values = dict[str, float]
Value = Callable[[Episode], float]


def generated(episode: Episode) -> float:
    """Tokens that the model wrote."""
    return float(sum(len(step.response_ids) for step in episode.steps))


def used(episode: Episode) -> float:
    """Whether a skill that was brought along was called."""
    return float(bool(episode.info.get("used")))


VALUES: dict[str, Value] = {
    "tasks": won, "steps": lambda episode: float(len(episode.steps)), "tokens": generated, "used": used,
}  # fmt: skip
MEASURES = ("tasks", "scenarios", "steps", "tokens", "used", "steps_done", "tokens_done")


def by_task(episodes: Sequence[Episode], value: Value, *, done: bool = False) -> Values:
    """``value`` by task, without episodes lost to errors; of those that were ``done`` only."""
    return {e.task_id: value(e) for e in episodes if not e.outcome.is_error and (won(e) or not done)}


def by_chain(episodes: Sequence[Episode]) -> Values:
    """Whether all tasks of a chain were done, by its first task; chains with an error are left out."""
    chains: dict[str, list[Episode]] = {}
    for episode in episodes:
        chains.setdefault(episode.chain, []).append(episode)
    return {
        chain[0].task_id: float(all(map(won, chain)))
        for chain in chains.values()
        if not any(one.outcome.is_error for one in chain)
    }


def values(episodes: Sequence[Episode], measure: str) -> Values:
    """One of the `MEASURES` of a seed's held-out episodes."""
    if measure == "scenarios":
        return by_chain(episodes)
    return by_task(episodes, VALUES[measure.removesuffix("_done")], done=measure.endswith("_done"))


def interval(ours: list[Values], theirs: list[Values] | None, unit: float) -> dict[str, float] | None:
    """The mean, or the mean paired difference, with its interval; None where a seed has nothing to compare."""
    against = [dict.fromkeys(one, 0.0) for one in ours] if theirs is None else theirs
    if not all(a.keys() & b.keys() for a, b in zip(ours, against, strict=True)):
        return None
    gap = difference(ours, against)
    return {"mean": gap["points"] * unit, "low": gap["low"] * unit, "high": gap["high"] * unit}


def units() -> Iterator[tuple[str, float]]:
    """Each measure with what a hundredth of it is reported as: shares in percent, counts as they are."""
    return ((name, 1.0 if name in ("tasks", "scenarios", "used") else 0.01) for name in MEASURES)


def report(out: Path, seeds: Sequence[int], settings: dict[str, Any], ways: Sequence[str]) -> dict[str, Any]:
    """Every number of the study, from the logged episodes."""
    held: dict[tuple[str, str], list[list[Episode]]] = {}
    for arm in ("untrained", "start", *ARMS, CONTROL):
        at = {"untrained": 0, "start": 0, CONTROL: 1}.get(arm, settings["iterations"])
        folder = "start" if arm == "untrained" else arm
        for way in ways[:1] if arm == "untrained" else ways:
            held[arm, way] = [load(out, seed, folder, f"{kind_of(arm, way)}-{at}") for seed in seeds]
    rows = {}
    for (arm, way), by_seed in held.items():
        every = [episode for episodes in by_seed for episode in episodes]
        rows[f"{arm}, library {way}"] = {
            name: interval([values(episodes, name) for episodes in by_seed], None, unit) for name, unit in units()
        } | {
            "scenarios_by_seed": [_scenarios(episodes) for episodes in by_seed],
            "errors": sum(e.outcome.is_error for e in every) / len(every),
            "truncated": sum(e.outcome is Outcome.TRUNCATED for e in every) / len(every),
            "episodes": len(every),
        }
    pairs = [(("sage", "on"), (ARMS[1], "off"))]
    pairs += [(("sage", "on"), (arm, "on")) for arm in ("start", CONTROL)]
    pairs += [((ARMS[1], "off"), (arm, "off")) for arm in ("start", CONTROL)]
    pairs += [((arm, "on"), (arm, "off")) for arm in ("start", *ARMS, CONTROL)]
    pairs += [(("sage", way), ("sage", "on")) for way in ways if way not in ("on", "off")]
    gaps = {}
    for ours, theirs in pairs:
        name = f"{ours[0]}, library {ours[1]} minus {theirs[0]}, library {theirs[1]}"
        gaps[name] = {
            measure: interval(
                [values(e, measure) for e in held[ours]], [values(e, measure) for e in held[theirs]], unit
            )
            for measure, unit in units()
        }
    return {"rows": rows, "differences": gaps, "fewer": fewer(rows)}


def fewer(rows: dict[str, Any]) -> dict[str, float]:
    """How many percent fewer steps and tokens ``sage`` takes than the arm without a library: all tasks, and done."""
    ours, theirs = rows["sage, library on"], rows[f"{ARMS[1]}, library off"]
    return {
        name: 100 * (1 - ours[name]["mean"] / theirs[name]["mean"])
        for name in ("steps", "tokens", "steps_done", "tokens_done")
        if ours[name] and theirs[name]
    }


def _scenarios(episodes: Sequence[Episode]) -> float:
    return goal_completion((episode.chain, episode.outcome) for episode in episodes)["scenarios"]


def shown(found: dict[str, Any] | None) -> str:
    """A mean with its interval."""
    return "-" if found is None else f"{found['mean']:+.1f} [{found['low']:+.1f}, {found['high']:+.1f}]"


def main() -> None:
    """Run what is missing, print the tables, write the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--retrieval", choices=("scenario", "query"), default="scenario")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", dest="pairs")
    parser.add_argument("--out", type=Path, default=Path("runs/sage-study"))
    parser.add_argument("--results", type=Path, default=Path(__file__).resolve().parent.parent / "results")
    arguments = parser.parse_args()
    settings = preset("nano", ENV, "sage") | {"recipe": "sage", "env": ENV}
    set_options(settings, arguments.pairs)
    if arguments.workers > 1:
        settings["workers"] = 1  # the arms share the cores already
    settings["evaluate_every"] = settings["iterations"]
    ways = list(WAYS) if arguments.retrieval == "query" else ["on", "off"]
    seeds, out = range(arguments.seeds), arguments.out
    shared: dict[str, Any] = {"settings": settings, "out": out, "ways": ways}
    with ProcessPoolExecutor(arguments.workers, mp_context=get_context("spawn")) as pool:
        list(pool.map(partial(begin, **shared), seeds))
        minutes = {arm: list(pool.map(partial(go, arm, **shared), seeds)) for arm in ARMS}
        minutes[CONTROL] = list(pool.map(partial(control, **shared), seeds))
    result = {
        "date": str(date.today()), "paper": PAPER, "claimed": CLAIMED,
        "settings": EvolveConfig(**settings).model_dump(mode="json"), "seeds": list(seeds), "minutes": minutes,
        **report(out, seeds, settings, ways),
    }  # fmt: skip
    for kind in ("rows", "differences"):
        for name, row in result[kind].items():
            print(f"{name}: " + "; ".join(f"{measure} {shown(row[measure])}" for measure in MEASURES))
            if kind == "rows":
                by_seed = " ".join(f"{100 * one:.1f}" for one in row["scenarios_by_seed"])
                print(f"    scenarios by seed {by_seed}; errors {100 * row['errors']:.1f}% of {row['episodes']}")
    print("fewer than without a library, %:", {name: round(value, 1) for name, value in result["fewer"].items()})
    print("the paper:", CLAIMED)
    arguments.results.mkdir(exist_ok=True)
    path = arguments.results / f"sage-{date.today()}.json"
    path.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
