"""A result: what one entrant did in one suite, as a folder that can be handed to others::

    results.json       this file's `Result`
    episodes.parquet   every episode it speaks of
    episodes.db        the store it was played into, for resuming; not part of a submission
    memory-*.db        what an agent with a memory had learned, one library a part; not part of a submission

Every number in ``results.json`` follows from the episodes, by `lines` and `summary`; `checking` does it again.
"""

from __future__ import annotations

import math
import platform
import subprocess
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

import selfgym
from selfgym.benchmarks.leaderboard.playing import Metered
from selfgym.benchmarks.leaderboard.suite import Suite, Task
from selfgym.envs.core import Outcome
from selfgym.memory.episode import Episode
from selfgym.memory.item import visible
from selfgym.trainers.metrics import pass_at_k, summarise, wilson

JSON, EPISODES, STORE = "results.json", "episodes.parquet", "episodes.db"
_SOFTWARE = ("gymnasium", "numpy", "pydantic", "torch", "transformers", "vllm", "playwright", "miniwob", "pyarrow")


class ResultError(ValueError):
    """A folder holds no result that can be read. The message says which and why."""


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Line(_Frozen):
    """One episode in a line."""

    episode: str
    part: str
    task: str
    seed: int
    sample: int
    outcome: Outcome
    error: str = ""
    steps: int
    metered: Metered


class Summary(_Frozen):
    """What some episodes come to; None where nothing was scored."""

    tasks: int
    episodes: int
    scored: int
    """Episodes that were not lost to errors."""
    success: float | None
    low: float
    high: float
    """95%, Wilson 1927; with several samples a task counts once, by its share of successes."""
    steps: float | None
    """Mean of the scored episodes, as are all that follow."""
    invalid: float
    """The share of steps that were not admitted."""
    calls: float | None
    prompt_tokens: float | None
    response_tokens: float | None
    seconds: float | None
    cost: float | None
    """US dollars an episode; None where no prices were given."""
    errors: float
    """The share of episodes lost to errors."""
    outcomes: dict[str, int]
    pass_at: dict[int, float]
    """k -> pass@k, over tasks that no error touched; empty with one sample."""
    model_calls: int
    """All prompts of all episodes, lost ones too: 0 says that no language model was asked."""
    declared: bool
    """Whether the agent told its use of models itself."""


class LeftOut(_Frozen):
    """A part that was not played, and why."""

    part: str
    reason: str


class Remembered(_Frozen):
    """An item that was shown or that one was made from, and what it was learned from."""

    item: str
    title: str
    method: str
    split: str
    episodes: tuple[str, ...]


class MemoryArm(_Frozen):
    """How an agent with a memory came by it."""

    method: str
    arm: Literal["frozen", "online"]
    """Learned from episodes that were played without it, or while playing with it; unchanged on the test either way."""
    items: tuple[Remembered, ...]


class Result(_Frozen):
    """``results.json``."""

    format: Literal[1] = 1
    suite: Suite
    """As it was played: a reader needs no file for it."""
    suite_hash: str
    agent: str
    agent_options: dict[str, Any]
    agent_source: str
    """SHA-256 of the files that define the agent."""
    model: str
    memory: MemoryArm | None = None
    samples: int = Field(ge=1, le=10_000)
    fresh: str = ""
    """The draw of the tasks; empty for the suite's own."""
    prices: tuple[float, float] | None = None
    """US dollars for a million prompt and response tokens."""
    date: str
    selfgym: str
    commit: str
    """Of the checkout that selfgym ran from, with ``+`` where files were changed; empty for an installed package."""
    software: dict[str, str]
    left_out: tuple[LeftOut, ...]
    lines: tuple[Line, ...]
    parts: dict[str, Summary]
    total: Summary

    @property
    def name(self) -> str:
        """Who it is, for people."""
        told = [self.agent, *(f"{name}={value}" for name, value in sorted(self.agent_options.items()))]
        told += [f"with {self.model}"] if self.model else []
        told += [f"remembering by {self.memory.method} ({self.memory.arm})"] if self.memory else []
        return visible(" ".join(told))

    @property
    def same_tasks(self) -> tuple[str, str]:
        """What two results share that can be set side by side."""
        return self.suite_hash, self.fresh

    @property
    def tasks(self) -> str:
        """Which tasks these were, for people."""
        return f"{self.suite.name} version {self.suite.version}" + f", fresh {self.fresh}" * bool(self.fresh)

    @property
    def ranked(self) -> str:
        """Why the result is shown without a rank; empty if it has one."""
        if self.left_out:
            return f"incomplete: {', '.join(one.part for one in self.left_out)} left out"
        if self.total.errors > self.suite.most_errors:
            return f"{100 * self.total.errors:.0f}% of episodes lost to errors"
        return ""


def line(episode: Episode, task: Task) -> Line:
    """An episode's line."""
    return Line(
        episode=episode.id, part=task.part.name, task=task.id, seed=task.seed, sample=task.sample,
        outcome=episode.outcome, error=episode.error, steps=len(episode.steps),
        metered=Metered.model_validate(episode.info["metered"]),
    )  # fmt: skip


def summary(episodes: Sequence[Episode], samples: int, prices: tuple[float, float] | None) -> Summary:
    """What ``episodes`` come to."""
    told = summarise(episodes)
    scored = [episode for episode in episodes if not episode.outcome.is_error]
    costs = [Metered.model_validate(episode.info["metered"]) for episode in scored]
    every = [Metered.model_validate(episode.info["metered"]) for episode in episodes]
    tries = _tries(scored)
    shares = [sum(wins) / len(wins) for wins in tries.values()]
    low, high = wilson(sum(shares), len(shares))
    whole = [wins for wins in tries.values() if len(wins) == samples]
    return Summary(
        tasks=len({episode.task_id for episode in episodes}),
        episodes=len(episodes),
        scored=len(scored),
        success=sum(shares) / len(shares) if shares else None,
        low=low,
        high=high,
        steps=None if math.isnan(told["steps"]) else told["steps"],
        invalid=told["invalid"],
        calls=_mean([one.calls for one in costs]),
        prompt_tokens=_mean([one.prompt_tokens for one in costs]),
        response_tokens=_mean([one.response_tokens for one in costs]),
        seconds=_mean([one.seconds for one in costs]),
        cost=_mean([_cost(one, prices) for one in costs]) if prices else None,
        errors=told["errors"],
        outcomes=dict(sorted(Counter(str(episode.outcome) for episode in episodes).items())),
        pass_at={
            k: sum(pass_at_k(samples, sum(wins), k) for wins in whole) / len(whole)
            for k in range(1, samples + 1) if samples > 1 and whole
        },
        model_calls=sum(one.calls for one in every),
        declared=any(one.declared for one in every),
    )  # fmt: skip


def _tries(scored: Iterable[Episode]) -> dict[str, list[bool]]:
    tries: dict[str, list[bool]] = {}
    for episode in scored:
        tries.setdefault(episode.task_id, []).append(episode.outcome is Outcome.SUCCESS)
    return tries


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None


def _cost(spent: Metered, prices: tuple[float, float]) -> float:
    return (spent.prompt_tokens * prices[0] + spent.response_tokens * prices[1]) / 1e6


def numbers(
    suite: Suite, by_id: Mapping[str, Episode], seats: Mapping[str, Task], samples: int,
    prices: tuple[float, float] | None,
) -> dict[str, Any]:  # fmt: skip
    """The fields of `Result` that follow from the episodes: ``lines``, ``parts`` and ``total``."""
    episodes = [by_id[id] for id in seats]
    parts = {
        part.name: summary([by_id[id] for id, task in seats.items() if task.part == part], samples, prices)
        for part in suite.parts
        if any(task.part == part for task in seats.values())
    }
    lines = tuple(line(by_id[id], task) for id, task in seats.items())
    return {"lines": lines, "parts": parts, "total": summary(episodes, samples, prices)}


def surroundings() -> dict[str, Any]:
    """The fields of `Result` that say where and when it was made."""
    software = {"python": platform.python_version(), "system": f"{platform.system()} {platform.machine()}"}
    for name in _SOFTWARE:
        try:
            software[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "selfgym": selfgym.__version__,
        "commit": _commit(),
        "software": software,
    }


def _commit() -> str:
    root = Path(__file__).resolve().parents[2]
    if not (root / "pyproject.toml").exists():
        return ""
    try:
        said = [
            subprocess.run(["git", *words], cwd=root, capture_output=True, text=True, check=True).stdout.strip()
            for words in (["rev-parse", "HEAD"], ["status", "--porcelain", "--untracked-files=no"])
        ]
    except (OSError, subprocess.CalledProcessError):
        return ""
    return said[0] + "+" * bool(said[1])


def read_result(folder: Path) -> Result:
    """The result in a folder. Raises `ResultError`."""
    path = folder / JSON
    try:
        return Result.model_validate_json(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ResultError(f"{folder} holds no result: {path.name} cannot be read ({error})") from error
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = ".".join(map(str, first["loc"]))
        raise ResultError(f"{path} is no result: {field + ': ' if field else ''}{first['msg']}") from error
