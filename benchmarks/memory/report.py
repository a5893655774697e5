"""What came of `selfgym.benchmarks.memory.protocol`: differences to the same agent without a memory, with intervals.

Episodes lost to errors are left out and counted. Intervals are 95% bootstrap intervals over tasks, each task's value
being its mean over seeds (and orders); the spread over orders is given beside.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from selfgym.benchmarks.memory.protocol import Played
from selfgym.memory.episode import Episode
from selfgym.trainers.metrics import paired_difference, summarise, won

Gap = tuple[float, float, float]


def steps(episode: Episode) -> float:
    """How many steps an episode took."""
    return float(len(episode.steps))


def report(bare: Played, played: Played, facts: Mapping[str, float]) -> dict[str, Any]:
    """One method's row. ``bare`` and ``played`` hold the episodes of all seeds."""
    everything = [episode for episodes in played.values() for episode in episodes]
    shown = [episode for (arm, _), episodes in played.items() for episode in episodes if "without" not in arm]
    row: dict[str, Any] = {
        "frozen": {
            where: against(bare, episodes, where) for (arm, where), episodes in played.items() if arm == "frozen"
        },
        "online": _online(bare, played),
        "without": {
            arm.removeprefix("frozen without "): _gaps(episodes, played["frozen", "held-out"])
            for (arm, _), episodes in played.items()
            if "without" in arm
        },
        "forgetting": _forgetting(played),
        "tokens": _mean([float(e.info.get("memory_tokens", 0)) for e in played.get(("frozen", "held-out"), ())]),
        "reuse": _reuse(shown),
        "bypass": _bypass(shown),
        "errors": sum(e.outcome.is_error for e in everything) / len(everything) if everything else 0.0,
        "episodes": len(everything),
        "facts": dict(facts),
    }
    return row


def against(bare: Played, episodes: Sequence[Episode], where: str) -> dict[str, Any]:
    """Success and steps of some episodes, and how they differ from those without a memory on the same tasks."""
    told = summarise(episodes)
    return {"success": told["success"], "steps": told["steps"], **_gaps(episodes, bare["none", where])}


def _gaps(after: Sequence[Episode], before: Sequence[Episode]) -> dict[str, Gap | None]:
    return {"success_gap": _gap(after, before, won), "steps_gap": _gap(after, before, steps)}


def _gap(after: Sequence[Episode], before: Sequence[Episode], value: Callable[[Episode], float]) -> Gap | None:
    try:
        return paired_difference(after, before, value=value)
    except ValueError:  # nothing was scored in both
        return None


def _online(bare: Played, played: Played) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for where in ("practice", "held-out"):
        orders = [episodes for (arm, place), episodes in played.items() if arm.startswith("online") and place == where]
        if orders:
            found[where] = against(bare, [episode for episodes in orders for episode in episodes], where)
            found[where]["by_order"] = [summarise(episodes)["success"] for episodes in orders]
    return found


def _forgetting(played: Played) -> dict[str, Gap | None] | None:
    """The tasks that came first, with the memory at the end against that right after them."""
    early, late = (
        [e for (arm, _), es in played.items() if arm.startswith(one) for e in es] for one in ("early", "late")
    )
    return _gaps(late, early) if early and late else None


def _reuse(episodes: Sequence[Episode]) -> float | None:
    """The share of shown items that were shown in more than one episode."""
    counts = Counter(id for episode in episodes for id in episode.items)
    return sum(n > 1 for n in counts.values()) / len(counts) if counts else None


def _bypass(episodes: Sequence[Episode]) -> float | None:
    """Of the episodes in which a skill was called or could have been, the share in which none was."""
    skills = {id for episode in episodes for id in episode.info.get("called", ())}
    offered = [episode for episode in episodes if skills & set(episode.items)]
    return sum(not episode.info.get("called") for episode in offered) / len(offered) if offered else None


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0


def table(rows: Mapping[str, Mapping[str, Any]], bare: Played) -> str:
    """The rows as text: percentage points of success and steps, with their intervals."""
    lines = []
    for (_, where), episodes in bare.items():
        told = summarise(episodes)
        lines.append(f"without a memory, {where}: {100 * told['success']:.1f}% success, {told['steps']:.2f} steps")
    for method, row in rows.items():
        lines.append(f"\n{method}: {row['tokens']:.0f} tokens a task, {100 * row['errors']:.1f}% lost to errors")
        for where, told in row["frozen"].items():
            lines.append(f"  frozen, {where:12} {_line(told)}")
        for where, told in row["online"].items():
            by_order = " ".join(f"{100 * one:.1f}" for one in told["by_order"])
            lines.append(f"  online, {where:12} {_line(told)}  by order: {by_order}")
        for kind, told in row["without"].items():
            lines.append(f"  frozen without {kind} minus with: {_line(told)}")
        if row["forgetting"]:
            lines.append(f"  first tasks, late minus early: {_line(row['forgetting'])}")
        share = {name: "-" if row[name] is None else f"{100 * row[name]:.0f}%" for name in ("reuse", "bypass")}
        lines.append(f"  shown more than once {share['reuse']}, skills not called {share['bypass']}")
        for arm in ("frozen", "online"):
            known = {name.partition(", ")[2]: value for name, value in row["facts"].items() if name.startswith(arm)}
            if known:
                lines.append(f"  items, {arm}: " + ", ".join(f"{name} {value:.0f}" for name, value in known.items()))
    return "\n".join(lines)


def _line(told: Mapping[str, Any]) -> str:
    return f"success {_points(told['success_gap'], 100)}, steps {_points(told['steps_gap'], 1)}"


def _points(gap: Gap | None, scale: float) -> str:
    if gap is None:
        return "-"
    middle, low, high = (scale * one for one in gap)
    return f"{middle:+.1f} [{low:.1f}, {high:.1f}]{'' if low <= 0 <= high else ' *'}"
