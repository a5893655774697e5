"""Two sets of episodes side by side, paired by task: two runs, two phases of one, or two files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from selfgym.envs.core import Outcome
from selfgym.memory.episode import Episode
from selfgym.trainers.metrics import paired_difference, wilson
from selfgym.viewer.episode_page import outcome_badge
from selfgym.viewer.html import Html, join, table, tag
from selfgym.viewer.layout import Page, note
from selfgym.viewer.links import ServedLinks
from selfgym.viewer.source import Source

_TASKS = 300  # that are listed; those that differ come first
_LARGEST = 20_000  # episodes of one side that are compared


@dataclass(frozen=True, slots=True)
class Side:
    """Episodes of one run and phase in one file: their outcomes, without their steps."""

    number: int
    """Of the file."""
    name: str
    episodes: tuple[Episode, ...]
    left_out: int
    """Episodes beyond the most that are compared."""


def sides(sources: Sequence[Source]) -> list[tuple[str, str]]:
    """(value, name) of everything that can be compared: each phase of each run of each file."""
    found = []
    for number, source in enumerate(sources):
        for run, phase in source.store.rows("SELECT run, phase FROM episodes GROUP BY run, phase ORDER BY MIN(seq)"):
            name = " · ".join(filter(None, (source.name if len(sources) > 1 else "", run, phase)))
            found.append((f"{number}/{len(run)}/{run}{phase}", name))
    return found


def _read_side(sources: Sequence[Source], value: str) -> Side:
    number, length, rest = [*value.split("/", 2), "", ""][:3]
    if not (number.isdecimal() and length.isdecimal() and int(number) < len(sources)):
        raise LookupError(f"{value!r} does not name a run and a phase.")
    run, phase = rest[: int(length)], rest[int(length) :]
    source = sources[int(number)]
    rows = source.store.rows(
        "SELECT id, env, task_id, outcome FROM episodes WHERE run = ? AND phase = ? ORDER BY seq LIMIT ?",
        (run, phase, _LARGEST),
    )
    episodes = tuple(
        Episode(id=id, env=env, task="", task_id=task, outcome=Outcome(outcome)) for id, env, task, outcome in rows
    )
    left = source.store.count(run=run, phase=phase) - len(rows)
    return Side(int(number), " · ".join(filter(None, (source.name, run, phase))), episodes, left)


def compare_page(sources: Sequence[Source], query: Mapping[str, str]) -> Page:
    """``left`` beside ``right``; without them only the choice."""
    offered = sides(sources)
    wanted = [query.get(name, "") for name in ("left", "right")]
    body: list[Html | None] = [_form(offered, wanted)]
    if all(wanted):
        left, right = (_read_side(sources, value) for value in wanted)
        body += [_summary(left, right), _tasks(left, right)]
    return Page("Side by side", join(body), "Compare")


def _form(offered: Sequence[tuple[str, str]], wanted: Sequence[str]) -> Html:
    standard = (offered[0][0], offered[-1][0]) if offered else ("", "")
    menus = []
    for name, label, chosen, usual in zip(("left", "right"), ("Before", "After"), wanted, standard, strict=True):
        options = [tag("option", shown, value=value, selected=value == (chosen or usual)) for value, shown in offered]
        menus.append(tag("label", tag("span", label), tag("select", *options, name=name), class_="wide"))
    buttons = tag("div", tag("button", "Compare", type="submit"), class_="buttons")
    return tag("form", *menus, buttons, method="get", class_="filters", aria_label="Two sets of episodes")


def _summary(left: Side, right: Side) -> Html:
    rows: list[list[object]] = []
    for side in (left, right):
        scored = [episode for episode in side.episodes if not episode.outcome.is_error]
        wins = sum(episode.outcome is Outcome.SUCCESS for episode in scored)
        low, high = wilson(wins, len(scored))
        rows.append([
            side.name, f"{100 * wins / len(scored):.1f}%" if scored else "-", f"{100 * low:.1f} to {100 * high:.1f}%",
            f"{wins} of {len(scored)}", len(side.episodes) - len(scored),
        ])  # fmt: skip
    columns: list[object] = ["Episodes", "Success", "95% interval", "Successes", "Lost to errors"]
    try:
        gain, low, high = (100 * value for value in paired_difference(right.episodes, left.episodes))
        told = f"After minus before, on the tasks that both have: {gain:+.1f} points, "
        told += f"95% interval {low:+.1f} to {high:+.1f} (bootstrap over tasks)."
    except ValueError:
        told = "They have no scored task in common, so nothing can be paired."
    left_out = left.left_out + right.left_out
    more = note(f"{left_out:,} further episodes were left out: {_LARGEST:,} a side are compared.") if left_out else None
    return join(
        [table("Success of the two", columns, rows, numbers=(1, 2, 3, 4)), tag("p", told, class_="verdict"), more]
    )


def _tasks(left: Side, right: Side) -> Html | None:
    """The tasks that both have, those that differ first."""
    ours, theirs = _by_task(left), _by_task(right)
    shared = [task for task in ours if task in theirs]
    if not shared:
        return None
    gaps = {task: _gap(ours[task], theirs[task]) for task in shared}
    known = [gap for gap in gaps.values() if gap is not None]
    better, worse = sum(gap > 0 for gap in known), sum(gap < 0 for gap in known)
    same = len(known) - better - worse
    order = sorted(shared, key=lambda task: (not gaps[task], gaps[task] or 0))[:_TASKS]
    rows: list[list[object]] = [
        [task or "(no task id)", _cell(ours[task], left.number), _cell(theirs[task], right.number), _word(gaps[task])]
        for task in order
    ]
    told = f"{len(shared):,} tasks are in both: {better:,} better after, {worse:,} worse, {same:,} alike"
    told += f", {len(shared) - len(known):,} lost to errors." if len(known) < len(shared) else "."
    more = note(f"The first {_TASKS} are listed, those that got worse first, then those that got better.")
    listed = table("Task by task", ["Task", "Before", "After", "Change"], rows)
    return join([tag("p", told), more if len(shared) > _TASKS else None, listed])


def _by_task(side: Side) -> dict[str, list[Episode]]:
    found: dict[str, list[Episode]] = {}
    for episode in side.episodes:
        found.setdefault(episode.task_id, []).append(episode)
    return found


def _gap(before: Sequence[Episode], after: Sequence[Episode]) -> float | None:
    """By how much the share of successes grew; None where one side was lost to errors."""
    shares = []
    for episodes in (before, after):
        scored = [episode.outcome is Outcome.SUCCESS for episode in episodes if not episode.outcome.is_error]
        if not scored:
            return None
        shares.append(sum(scored) / len(scored))
    return shares[1] - shares[0]


def _cell(episodes: Sequence[Episode], number: int) -> Html:
    links = ServedLinks(number)
    shown = [tag("a", outcome_badge(one.outcome), href=links.episode(one.id)) for one in episodes[:4]]
    more = f" and {len(episodes) - 4} more" if len(episodes) > 4 else None
    return join([join(shown, " "), more])


def _word(gap: float | None) -> Html:
    if gap is None:
        return tag("span", "not comparable", class_="badge odd-end")
    kind, name = ("good", "better") if gap > 0 else ("bad", "worse") if gap < 0 else (None, "same")
    return tag("span", name, class_=f"badge {kind}" if kind else "badge")
