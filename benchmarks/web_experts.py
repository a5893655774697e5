"""How many episodes of each task the scripted experts of MiniWoB++ solve: the bar of `selfgym/MiniWoB-v0`.

    python benchmarks/web_experts.py [--tasks click-button,drag-box] [--seeds 50] [--first 0] [--out results.json] [-v]

Every episode is played through the environment's own actions, in one environment whose task is switched. A solved
episode is one whose outcome is success; an episode that the browser or the expert broke is an error, counted apart and
shown. Medians of actions are those of solved episodes; milliseconds are those of a step, the choice of the action
included. Writes benchmarks/results/web_experts-<date>.json unless told otherwise. ``-v`` prints the episodes that
failed, as an agent saw them.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import sys
import time
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path

from selfgym.agents.surfer import SurferAgent
from selfgym.envs.core import Outcome
from selfgym.envs.web.miniwob.env import MiniWobEnv
from selfgym.envs.web.miniwob.experts.registry import experts

RESULTS = Path(__file__).parent / "results"
BAR = 0.98  # of the episodes of a task
_SHOWN = 24  # observations and actions of an episode that failed


@dataclass
class Tally:
    """What came of the episodes of one task."""

    task: str
    solved: list[int] = field(default_factory=list)
    """The seeds."""
    failed: dict[int, str] = field(default_factory=dict)
    """Seed -> why."""
    errors: dict[int, str] = field(default_factory=dict)
    actions: list[int] = field(default_factory=list)
    """Of each solved episode."""
    refused: int = 0
    """Actions that the environment called impossible."""
    steps: int = 0
    seconds: float = 0.0

    @property
    def share(self) -> float:
        """Solved, of all that were no error."""
        return len(self.solved) / max(1, len(self.solved) + len(self.failed))

    @property
    def passed(self) -> bool:
        """Whether the bar is reached."""
        return bool(self.solved) and not self.errors and self.share >= BAR

    def summary(self) -> dict[str, object]:
        """As it is written."""
        middle = statistics.median(self.actions) if self.actions else None
        speed = round(1e3 * self.seconds / max(1, self.steps), 1)
        numbers = {"share": round(self.share, 4), "median_actions": middle, "ms_per_step": speed}
        return {**asdict(self), "solved": len(self.solved), **numbers, "passed": self.passed}


def play(env: MiniWobEnv, seed: int, tally: Tally, verbose: bool) -> None:
    """One episode."""
    agent, log = SurferAgent(), []
    begun = time.perf_counter()
    try:
        observation, info = env.reset(seed=seed)
        agent.begin(env)
        actions = 0
        while info["outcome"] is Outcome.RUNNING:
            log.append(str(observation))
            action = agent.act(observation, info).action
            log.append(f">>> {action}")
            observation, *_, info = env.step(action)
            actions += 1
            tally.refused += info["action_error"] is not None
    except Exception as error:
        tally.errors[seed] = f"{type(error).__name__}: {error}"
    else:
        tally.steps += actions
        tally.seconds += time.perf_counter() - begun
        log.append(str(observation))
        if info["outcome"] is Outcome.SUCCESS:
            tally.solved.append(seed)
            tally.actions.append(actions)
            return
        where = tally.errors if info["outcome"] is Outcome.ENV_ERROR else tally.failed
        where[seed] = str(info.get("reason") or info["outcome"])
    if verbose:
        why = tally.errors.get(seed) or tally.failed.get(seed)
        print(f"\n=== {tally.task}, seed {seed}: {why}", *log[:_SHOWN], "...", *log[-1:], sep="\n")


def main() -> None:
    """Play, print the table, write the file."""
    options = _options()
    known = experts()
    tasks = sorted(known) if options.tasks == "all" else options.tasks.split(",")
    env = MiniWobEnv(tasks, max_steps=options.max_steps)
    tallies = []
    print(f"{'task':32} solved  errors  actions  ms/step")
    for task in tasks:
        env.source.tasks = (task,)  # type: ignore[attr-defined]
        tally = Tally(task)
        for seed in range(options.first, options.first + options.seeds):
            play(env, seed, tally, options.verbose)
        tallies.append(tally)
        _show(tally, options.seeds)
    env.close()
    passed = sum(one.passed for one in tallies)
    print(f"{passed} of {len(tallies)} tasks at {BAR:.0%} or more; {sum(len(one.errors) for one in tallies)} errors")
    result = {
        "tasks_passed": passed,
        "bar": BAR,
        "seeds": [options.first, options.first + options.seeds],
        "median_actions": _median([count for one in tallies for count in one.actions]),
        "median_ms_per_step": _median([1e3 * one.seconds / one.steps for one in tallies if one.steps]),
        "tasks": [one.summary() for one in tallies],
        "machine": f"{platform.machine()}, Python {platform.python_version()}",
        "command": " ".join(sys.argv),
    }
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(result, indent=1) + "\n")
    print(f"written: {options.out}")


def _show(tally: Tally, seeds: int) -> None:
    numbers = tally.summary()
    mark = "" if tally.passed else f"  below the bar: {[*tally.failed, *tally.errors][:8]}"
    print(
        f"{tally.task:32} {len(tally.solved):3}/{seeds:<3} {len(tally.errors):6}  {numbers['median_actions'] or '-':>7}"
        f"  {numbers['ms_per_step']:>7}{mark}",
        flush=True,
    )


def _median(values: list[float]) -> float | None:
    return round(statistics.median(values), 1) if values else None


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", default="all", help="names separated by commas; all: every task with an expert")
    parser.add_argument("--seeds", type=int, default=50, help="episodes of each task")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--max-steps", type=int, default=60, help="actions of an episode at most")
    parser.add_argument("--out", type=Path, default=RESULTS / f"web_experts-{date.today().isoformat()}.json")
    parser.add_argument("-v", "--verbose", action="store_true", help="print the episodes that failed")
    return parser.parse_args()


if __name__ == "__main__":
    main()
