"""Two results side by side: paired by task, with bootstrap intervals, and in words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from selfgym.benchmarks.leaderboard.result import Result, ResultError
from selfgym.memory.episode import Episode
from selfgym.trainers.metrics import paired_difference, won


@dataclass(frozen=True, slots=True)
class Gap:
    """The second's mean minus the first's, with its 95% interval (bootstrap over tasks)."""

    middle: float
    low: float
    high: float

    @property
    def significant(self) -> bool:
        """Whether the interval leaves out zero."""
        return not self.low <= 0.0 <= self.high


@dataclass(frozen=True, slots=True)
class Comparison:
    """What differs between two results of one suite."""

    first: str
    second: str
    tasks: int
    """Scored in both."""
    success: dict[str, Gap]
    """Part, or ``total`` -> success of the second minus that of the first, as a share."""
    steps: dict[str, Gap]

    def plain(self) -> dict[str, Any]:
        """As JSON data."""
        return asdict(self) | {"significant": {where: gap.significant for where, gap in self.success.items()}}


def _steps(episode: Episode) -> float:
    return float(len(episode.steps))


def compare(first: tuple[Result, Sequence[Episode]], second: tuple[Result, Sequence[Episode]]) -> Comparison:
    """Compare on the tasks that both were scored on. Raises `ResultError` where the tasks are not the same."""
    (one, before), (other, after) = first, second
    if one.same_tasks != other.same_tasks:
        raise ResultError(f"these are of different tasks and cannot be compared: {one.tasks}, and {other.tasks}")
    success, steps = {}, {}
    for part in (*(part.name for part in one.suite.parts), "total"):
        here = [[e for e in es if part in ("total", e.task_id.split("/")[1])] for es in (after, before)]
        if gap := _gap(here[0], here[1], won):
            success[part] = gap
        if gap := _gap(here[0], here[1], _steps):
            steps[part] = gap
    if "total" not in success:
        raise ResultError("no task was scored in both results")
    scored = [{episode.task_id for episode in es if not episode.outcome.is_error} for es in (before, after)]
    return Comparison(one.name, other.name, len(scored[0] & scored[1]), success, steps)


def _gap(after: Sequence[Episode], before: Sequence[Episode], value: Callable[[Episode], float]) -> Gap | None:
    try:
        return Gap(*paired_difference(after, before, value=value))
    except ValueError:  # nothing was scored in both
        return None


def in_words(found: Comparison) -> str:
    """The comparison as text.

    >>> gap = Gap(0.052, 0.015, 0.09)
    >>> print(in_words(Comparison("a", "b", 200, {"total": gap}, {"total": Gap(-1.0, -2.0, 0.5)})))
    b against a, on 200 tasks that were scored in both
      total          success +5.2 points [1.5, 9.0], steps -1.0 [-2.0, 0.5]
    b solves more than a: the interval leaves out zero (p < 0.05, paired bootstrap).
    """
    width = max(14, *(len(part) for part in found.success))
    lines = [f"{found.second} against {found.first}, on {found.tasks} tasks that were scored in both"]
    for part, gap in found.success.items():
        steps = found.steps[part]
        lines.append(
            f"  {part:{width}} success {100 * gap.middle:+.1f} points [{100 * gap.low:.1f}, {100 * gap.high:.1f}], "
            f"steps {steps.middle:+.1f} [{steps.low:.1f}, {steps.high:.1f}]"
        )
    total = found.success["total"]
    verb = "more" if total.middle > 0 else "less"
    lines.append(
        f"{found.second} solves {verb} than {found.first}: the interval leaves out zero (p < 0.05, paired bootstrap)."
        if total.significant
        else f"No difference in success is shown: the interval holds zero, on {found.tasks} tasks."
    )
    return "\n".join(lines)
