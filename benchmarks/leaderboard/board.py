"""The leaderboard as one static page: tables that are readable without scripts, and sortable with them.

The page fetches nothing: style and script stand in it, and its content policy allows no others, the script by its hash.
Whatever comes from a result is escaped, isolated from the direction of its surroundings, and freed of characters that
cannot be seen.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path
from string import Template

from selfgym.benchmarks.leaderboard.checking import checked
from selfgym.benchmarks.leaderboard.playing import EXPERT, RANDOM
from selfgym.benchmarks.leaderboard.result import JSON, Result, ResultError, Summary
from selfgym.memory.item import visible

_NONE = "&ndash;"
_PAGE = Path(__file__).resolve().parent / "page"


def gathered(folder: Path) -> tuple[list[Result], list[tuple[str, str]]]:
    """The sound results at any depth of a folder, and the others as (folder, reason)."""
    results, refused = [], []
    for path in sorted(folder.rglob(JSON)):
        try:
            results.append(checked(path.parent)[0])
        except ResultError as error:
            name = str(path.parent.relative_to(folder))
            refused.append((name, str(error).removeprefix(f"{path.parent}: ")))
    return results, refused


def page(results: Sequence[Result], refused: Sequence[tuple[str, str]] = ()) -> str:
    """The whole page as HTML."""
    boards: dict[tuple[str, str], list[Result]] = {}
    for result in sorted(results, key=lambda one: (one.suite.name, -one.suite.version, one.fresh)):
        boards.setdefault(result.same_tasks, []).append(result)
    script = (_PAGE / "sort.js").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    ids = [f"board-{number}" for number in range(len(boards))]
    links = [f'<a href="#{id}">{_text(those[0].tasks)}</a>' for id, those in zip(ids, boards.values(), strict=True)]
    return Template((_PAGE / "page.html").read_text(encoding="utf-8")).substitute(
        script_hash=digest,
        style=(_PAGE / "style.css").read_text(encoding="utf-8"),
        script=script,
        links=f'<nav aria-label="Suites">{" ".join(links)}</nav>' if len(links) > 1 else "",
        boards="\n".join(_board(id, those) for id, those in zip(ids, boards.values(), strict=True)),
        refused=_refused(refused),
    )


def _text(said: str) -> str:
    """Text of anybody's as HTML."""
    return f"<bdi>{escape(visible(said))}</bdi>"


def _refused(refused: Sequence[tuple[str, str]]) -> str:
    if not refused:
        return ""
    rows = "".join(f"<li><b>{_text(name)}</b> {_text(reason)}</li>" for name, reason in refused)
    return f'<section class="refused"><h2>Refused</h2><ul>{rows}</ul></section>'


_ENDS = {RANDOM: ("floor", "random agent"), EXPERT: ("ceiling: scripted", "scripted expert")}


def in_order(results: Sequence[Result]) -> list[tuple[int | None, Result]]:
    """Results with their ranks, best first; those without a rank stand last, the two ends where they belong."""

    def key(one: Result) -> tuple[bool, float, str]:
        return bool(one.ranked) and one.agent not in _ENDS, -(one.total.success or 0.0), one.name

    ranked = [one.total.success or 0.0 for one in results if not one.ranked and one.agent not in _ENDS]
    return [
        (None if one.ranked or one.agent in _ENDS else 1 + sum(x > (one.total.success or 0.0) for x in ranked), one)
        for one in sorted(results, key=key)
    ]


def _board(id: str, results: Sequence[Result]) -> str:
    suite = results[0].suite
    lacking = [what for agent, (_, what) in _ENDS.items() if all(result.agent != agent for result in results)]
    notes = [f"<p class=missing>No result of the {what} is here to compare with.</p>" for what in lacking]
    parts = [part.name for part in suite.parts]
    ordered = in_order(results)
    rows = [_row(rank, result, parts, results) for rank, result in ordered]
    facts = [_facts(result) for _, result in ordered]
    count = sum(part.seeds.count for part in suite.parts)
    fresh = f" Tasks drawn by {_text(repr(results[0].fresh))}." if results[0].fresh else ""
    return f"""<section aria-labelledby="{id}">
<h2 id="{id}">{_text(suite.name)} <small>version {suite.version}</small></h2>
<p class=about>{_text(suite.about)} {count} tasks.{fresh} <code title="{suite.hash}">{suite.hash[:12]}</code></p>
{"".join(notes)}
<div class=scroll role=region aria-labelledby="{id}" tabindex=0>
<table>
<caption class=unseen>Results in {_text(results[0].tasks)}</caption>
<thead><tr>{"".join(_heads(results, parts))}</tr></thead>
<tbody>
{"".join(rows)}</tbody>
</table>
</div>
<details><summary>How each result came about</summary><dl>{"".join(facts)}</dl></details>
</section>"""


def _heads(results: Sequence[Result], parts: Sequence[str]) -> Iterator[str]:
    columns = [("#", "Rank by success", ""), ("Agent", "", "text")]
    columns += [("Success", "Share of tasks done, with its 95% interval (Wilson)", "")]
    columns += [("Errors", "Share of episodes lost to errors: left out, not counted as failures", "")]
    columns += [(part, f"Success in {part}, percent", "part") for part in parts]
    if any(result.total.pass_at for result in results):
        columns += [("pass@k", "At least one of k tries", "")]
    columns += [("Steps", "Mean steps an episode", ""), ("Tokens", "Mean tokens an episode, prompt and response", "")]
    columns += [
        ("Calls", "Mean prompts to a language model an episode", ""),
        ("Seconds", "Mean seconds an episode", ""),
    ]
    if any(result.prices for result in results):
        columns += [("Cost", "Mean US dollars an episode", "")]
    for name, about, kind in columns:
        title = f' title="{escape(about)}"' if about else ""
        yield f'<th scope=col class="{kind}"{title}>{escape(name)}</th>'


def _row(rank: int | None, result: Result, parts: Sequence[str], board: Sequence[Result]) -> str:
    total = result.total
    cells = [_cell(_number(rank, "d"), rank), _who(result), _success(total)]
    outcomes = ", ".join(f"{count} {outcome}" for outcome, count in total.outcomes.items())
    cells.append(_cell(f"{100 * total.errors:.1f}%", total.errors, outcomes, "bad" if total.errors else ""))
    for name in parts:
        told = result.parts.get(name)
        if told is None:
            reason = next((one.reason for one in result.left_out if one.part == name), "")
            cells.append(_cell("left out", None, visible(reason), "part gone"))
        else:
            about = f"{100 * told.low:.1f} to {100 * told.high:.1f}, {told.scored} of {told.episodes} scored"
            lost = f"<br><small>{told.scored} of {told.episodes}</small>" if told.errors else ""
            cells.append(_cell(_percent(told.success) + lost, told.success, about, "part"))
    if any(one.total.pass_at for one in board):
        most = max(total.pass_at, default=0)
        share = total.pass_at.get(most)
        cells.append(_cell(_NONE if share is None else f"{100 * share:.1f} <small>k={most}</small>", share))
    tokens = None if total.prompt_tokens is None else total.prompt_tokens + (total.response_tokens or 0.0)
    about = "" if tokens is None else f"{total.prompt_tokens:.0f} prompt, {total.response_tokens:.0f} response"
    cells.append(_cell(_number(total.steps, ",.1f"), total.steps))
    cells.append(_cell(_number(tokens, ",.0f"), tokens, about))
    cells.append(_cell(_number(total.calls, ",.1f"), total.calls))
    cells.append(_cell(_number(total.seconds, ",.2f"), total.seconds))
    if any(one.prices for one in board):
        cells.append(_cell(_number(total.cost, ".4f"), total.cost))
    kind = "end" if result.agent in _ENDS else "unranked" if result.ranked else ""
    return f'<tr class="{kind}">{"".join(cells)}</tr>\n'


def _who(result: Result) -> str:
    marks = []
    if result.agent in _ENDS:
        marks.append((_ENDS[result.agent][0], ""))
    if result.total.model_calls == 0:
        marks.append(("no model", "free"))
    elif result.total.declared:
        marks.append(("model use as declared", ""))
    if result.ranked:
        marks.append((result.ranked if result.agent in _ENDS else f"not ranked: {result.ranked}", "bad"))
    told = " ".join(f'<span class="mark {kind}">{_text(words)}</span>' for words, kind in marks)
    name = f"<span class=name>{_text(result.name).replace(':', ':<wbr>')}</span>"
    return f'<th scope=row data-value="{escape(visible(result.name))}">{name}<span class=marks>{told}</span></th>'


def _success(total: Summary) -> str:
    if total.success is None:
        return _cell(_NONE, None)
    middle, low, high = (100 * value for value in (total.success, total.low, total.high))
    drawn = (
        f'<svg class=interval viewBox="0 0 100 10" preserveAspectRatio=none aria-hidden=true><rect class=rail y=4.5 '
        f"width=100 height=1 /><rect class=range x={low:.1f} y=2.5 width={high - low:.1f} height=5 />"
        f"<rect class=point x={max(0.0, min(98.5, middle - 0.75)):.2f} width=1.5 height=10 /></svg>"
    )
    words = f"{middle:.1f}% <small>{low:.1f} to {high:.1f}</small>"
    return f'<td data-value="{total.success}" class=success><span class=figure>{words}</span>{drawn}</td>'


def _percent(share: float | None) -> str:
    return _NONE if share is None else f"{100 * share:.1f}"


def _number(value: float | None, form: str) -> str:
    return _NONE if value is None else format(value, form)


def _cell(words: str, value: float | None, about: str = "", kind: str = "") -> str:
    """``words`` are ours and are HTML already."""
    title = f' title="{escape(about)}"' if about else ""
    return f'<td data-value="{"" if value is None else value}" class="{kind}"{title}>{words}</td>'


def _facts(result: Result) -> str:
    """Everything that is needed to do it again."""
    dirty = result.commit.endswith("+")
    commit = f", commit {result.commit[:12]}{' with changes' if dirty else ''}" if result.commit else ""
    outcomes = ", ".join(f"{number} {outcome}" for outcome, number in result.total.outcomes.items())
    told = [
        f"played {result.date} by selfgym {result.selfgym}{commit}",
        f"suite hash {result.suite_hash[:12]}, agent source {result.agent_source[:12]}",
        f"{result.total.episodes} episodes: {outcomes}",
        ", ".join(f"{name} {version}" for name, version in result.software.items()),
    ]
    if result.total.model_calls == 0:
        told.append("no language model was asked: model calls = 0")
    if result.prices:
        told.append(f"US dollars for a million tokens: {result.prices[0]:g} prompt, {result.prices[1]:g} response")
    if result.total.pass_at:
        told.append(", ".join(f"pass@{k} {100 * share:.1f}%" for k, share in result.total.pass_at.items()))
    if result.memory:
        sources = {id for item in result.memory.items for id in item.episodes}
        told.append(f"memory: {len(result.memory.items)} items, learned from {len(sources)} practice episodes")
    told += [f"left out {one.part}: {one.reason}" for one in result.left_out]
    errors = sorted({line.error for line in result.lines if line.error})
    told += [f"an error: {error[:300]}" for error in errors[:3]]
    return f"<dt>{_text(result.name)}</dt>" + "".join(f"<dd>{_text(one)}</dd>" for one in told)
