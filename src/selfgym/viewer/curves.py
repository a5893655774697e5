"""Learning curves: the held-out success of each run after each update, drawn on the server."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from selfgym.envs.core import Outcome
from selfgym.trainers.metrics import wilson
from selfgym.viewer.html import Html, join, link, table, tag, words
from selfgym.viewer.layout import Page, note
from selfgym.viewer.links import Links
from selfgym.viewer.source import Source

_EVALUATION = re.compile(r"eval(?:uation)?[-_](\d{1,6})")
_WIDTH, _HEIGHT = 720, 340
_LEFT, _RIGHT, _TOP, _BOTTOM = 48, 16, 14, 40
_COLOURS = 6  # of lines, in the style sheet


@dataclass(frozen=True, slots=True)
class Point:
    """One evaluation: of ``scored`` episodes ``wins`` succeeded; ``lost`` more ended in errors."""

    at: int
    phase: str
    wins: int
    scored: int
    lost: int

    @property
    def share(self) -> float:
        """Of successes; NaN where nothing could be scored."""
        return self.wins / self.scored if self.scored else math.nan

    @property
    def interval(self) -> tuple[float, float]:
        """The 95% interval of `share` (Wilson)."""
        return wilson(self.wins, self.scored)


def evaluations(source: Source) -> dict[str, list[Point]]:
    """The evaluations of each run, in order: phases ``eval-0``, ``eval-1`` ... as `selfgym evolve` names them."""
    rows = source.store.rows(
        "SELECT run, phase, outcome, COUNT(*) FROM episodes WHERE phase >= 'eval' AND phase < 'evam' GROUP BY 1, 2, 3"
    )
    counts: dict[tuple[str, str], dict[str, int]] = {}
    for run, phase, outcome, number in rows:
        counts.setdefault((run, phase), {})[outcome] = number
    found: dict[str, list[Point]] = {}
    for (run, phase), outcomes in counts.items():
        if match := _EVALUATION.fullmatch(phase):
            lost = sum(number for outcome, number in outcomes.items() if Outcome(outcome).is_error)
            scored = sum(outcomes.values()) - lost
            found.setdefault(run, []).append(Point(int(match[1]), phase, outcomes.get("success", 0), scored, lost))
    return {run: sorted(points, key=lambda point: point.at) for run, points in found.items()}


def curves_page(source: Source, links: Links) -> Page:
    """Every run's curve in one picture, and its numbers in a table."""
    return Page("Learning curves", curves_body(evaluations(source), links), "Curves")


def curves_body(runs: Mapping[str, Sequence[Point]], links: Links) -> Html:
    """The picture and the tables of `evaluations`."""
    if not runs:
        return tag(
            "p", "No evaluations are stored here: they are episodes of a phase eval-0, eval-1 ...", class_="empty"
        )
    remark = note("Success on held-out tasks after each update, with 95% Wilson intervals. Episodes that were lost to "
                  "errors are left out and counted.")  # fmt: skip
    return join([remark, picture(runs), *(_numbers(run, points, links) for run, points in runs.items())])


def _numbers(run: str, points: Sequence[Point], links: Links) -> Html:
    rows: list[list[object]] = [
        [
            link(links.episodes(run=run, phase=point.phase), point.at),
            f"{100 * point.share:.1f}%" if point.scored else "",
            "{:.1f} to {:.1f}%".format(*(100 * bound for bound in point.interval)),
            f"{point.wins} of {point.scored}", point.lost,
        ]
        for point in points
    ]  # fmt: skip
    columns: list[object] = ["Update", "Success", "95% interval", "Successes", "Lost to errors"]
    return table(f"Run {words(run) or '(unnamed)'}", columns, rows, numbers=(1, 2, 3, 4))


def picture(runs: Mapping[str, Sequence[Point]]) -> Html:
    """One line a run over the number of the update, each with its band."""
    ends = [point.at for points in runs.values() for point in points]
    first, last = min(ends), max(max(ends), min(ends) + 1)
    inner = _WIDTH - _LEFT - _RIGHT

    def x(at: float) -> float:
        return _LEFT + inner * (at - first) / (last - first)

    def y(share: float) -> float:
        return _TOP + (_HEIGHT - _TOP - _BOTTOM) * (1 - share)

    marks = [
        tag("g", tag("line", x1=_LEFT, x2=_WIDTH - _RIGHT, y1=f"{y(share):.1f}", y2=f"{y(share):.1f}", class_="grid"),
            tag("text", f"{100 * share:.0f}%", x=_LEFT - 8, y=f"{y(share) + 4:.1f}", class_="tick end"))
        for share in (0.0, 0.25, 0.5, 0.75, 1.0)
    ]  # fmt: skip
    every = max(1, (last - first) // 12)
    marks += [
        tag("text", at, x=f"{x(at):.1f}", y=_HEIGHT - _BOTTOM + 20, class_="tick middle")
        for at in range(first, last + 1, every)
    ]
    marks.append(tag("text", "update", x=_LEFT + inner / 2, y=_HEIGHT - 4, class_="tick middle"))
    lines, keys = [], []
    for number, (run, points) in enumerate(runs.items()):
        kind = f"c{number % _COLOURS}"
        scored = [point for point in points if point.scored]
        lows = [f"{x(p.at):.1f},{y(p.interval[0]):.1f}" for p in scored]
        highs = [f"{x(p.at):.1f},{y(p.interval[1]):.1f}" for p in scored]
        way = [f"{x(p.at):.1f},{y(p.share):.1f}" for p in scored]
        lines.append(tag("polygon", points=" ".join([*lows, *highs[::-1]]), class_=f"band {kind}"))
        lines.append(tag("polyline", points=" ".join(way), class_=f"line {kind}"))
        lines += [_dot(point, f"{x(point.at):.1f}", f"{y(point.share):.1f}", run, kind) for point in scored]
        keys.append(tag("span", "● ", run or "(unnamed)", class_=f"key {kind}"))
    svg = tag(
        "svg", *marks, *lines, viewBox=f"0 0 {_WIDTH} {_HEIGHT}", class_="curve", role="img",
        aria_label="Held-out success after each update; the tables below have the numbers",
    )  # fmt: skip
    return tag("figure", svg, tag("figcaption", *keys) if len(runs) > 1 else None)


def _dot(point: Point, x: str, y: str, run: str, kind: str) -> Html:
    low, high = point.interval
    told = f"{run}, update {point.at}: {100 * point.share:.1f}% [{100 * low:.1f}, {100 * high:.1f}]"
    return tag("circle", tag("title", told), cx=x, cy=y, r=4, class_=f"dot {kind}")
