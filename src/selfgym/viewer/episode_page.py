"""One episode, step by step: what was seen, thought, done and sampled, and what it is linked to."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from selfgym.agents.screenshots import SCREENSHOT
from selfgym.memory.episode import Episode, Source, Step
from selfgym.viewer.cards import card_marks, chain_places
from selfgym.viewer.html import Html, join, link, tag, text
from selfgym.viewer.links import STEPS, Links
from selfgym.viewer.pointer import drawn, final
from selfgym.viewer.skills import Known
from selfgym.viewer.tokens import Decoder, legend, sampled

_SCROLLS = 1500  # characters from which a text may scroll, and so must be reached by keyboard
CLIPPED = 20_000
"""Characters of one text that a page shows unless asked for all of them."""
_CARDS = ("brought", "used")  # what a chain notes of its skills
_SOURCES = {Source.TEACHER: "by the teacher", Source.INJECTED: "replayed", Source.ENV: "by the environment"}


def outcome_badge(outcome: str) -> Html:
    """How an episode ended: a word, coloured; an error is told apart from a failure."""
    kind = {"success": "good", "failure": "bad", "truncated": "bad"}.get(outcome, "odd-end")
    return tag("span", outcome.replace("_", " "), class_=f"badge {kind}")


def clipped(said: str, *, whole: bool) -> Html:
    """A text, cut where it is very long."""
    if whole or len(said) <= CLIPPED:
        return text(said)
    note = tag("span", f" … {len(said) - CLIPPED:,} characters more", class_="note")
    return join([said[:CLIPPED], note])


def title_of(episode: Episode) -> str:
    """The task's first line, or the id where the task is not known."""
    return next((line for line in episode.task.splitlines() if line.strip()), "") or episode.id


def facts(episode: Episode, links: Links, chain: Sequence[Episode] = ()) -> Html:
    """What is known about the episode as a whole, as a list of terms; ``chain`` is what is there of its chain."""
    when = datetime.fromtimestamp(episode.created, UTC) if 0 < episode.created < 2**35 else None
    tokens = sum(len(step.response_ids) for step in episode.steps)
    rows: list[tuple[str, Any]] = [
        ("Outcome", outcome_badge(episode.outcome)),
        ("Return", f"{episode.total_reward:g}"),
        ("Steps", len(episode.steps)),
        ("Sampled tokens", f"{tokens:,}" if tokens else None),
        ("Agent", episode.agent),
        ("Policy", episode.policy),
        ("Environment", f"{episode.env} {episode.env_version}"),
        ("Seed", episode.seed),
        ("Run", link(links.episodes(run=episode.run), episode.run) if episode.run else None),
        ("Phase", link(links.episodes(run=episode.run, phase=episode.phase), episode.phase) if episode.phase else None),
        ("Split", episode.split),
        ("Task id", link(links.episodes(task_id=episode.task_id), episode.task_id) if episode.task_id else None),
        ("Role", episode.role),
        ("Group", link(links.group(episode.group), episode.group) if episode.group else None),
        ("Chain", chain_places(episode, chain, links) if episode.chain else None),
        ("Branched from", _parent(episode, links)),
        ("Played", f"{when:%Y-%m-%d %H:%M} UTC" if when else None),
        ("Options", _data(episode.env_options)),
        ("Kept beside", _data(_besides(episode.info))),
    ]  # fmt: skip
    shown = [(name, value) for name, value in rows if value not in (None, "")]
    return tag("dl", *(tag("div", tag("dt", name), tag("dd", value)) for name, value in shown), class_="facts")


def _parent(episode: Episode, links: Links) -> Html | None:
    if not episode.parent:
        return None
    there = link(links.episode(episode.parent), episode.parent)
    return join([there, f", after its step {episode.branch_step}"])


def _besides(info: dict[str, Any]) -> dict[str, Any]:
    """What was kept, without what is shown in another way: the picture, the skills of a chain."""
    shown = _CARDS if isinstance(info.get("brought"), dict | list) else ()
    return {name: value for name, value in info.items() if name not in (SCREENSHOT, *shown)}


def _data(value: dict[str, Any]) -> Html | None:
    if not value:
        return None
    return tag("code", json.dumps(value, ensure_ascii=False)[:2000])


def steps(
    episode: Episode, decode: Decoder | None, known: Known, *, anchor: str = "", part: int = 0, whole: bool = False
) -> Html:
    """The ``STEPS`` steps of a part, each a section with an id; the last part ends with what was seen last."""
    first = part * STEPS
    chosen = list(enumerate(episode.steps[first : first + STEPS], first + 1))
    heated = any(step.logprobs for _, step in chosen)
    rows = [
        _step(number, step, episode, decode, card_marks(known, number, anchor), anchor, whole)
        for number, step in chosen
    ]
    last = first + len(chosen) >= len(episode.steps)
    return tag("div", legend() if heated else None, *rows, _ending(episode, anchor, whole) if last else None)


def _step(
    number: int, step: Step, episode: Episode, decode: Decoder | None, deeds: list[Html], anchor: str, whole: bool
) -> Html:
    id = f"{anchor}step-{number}"
    marks = [
        *deeds,
        tag("span", "not admitted", class_="badge bad") if not step.valid else None,
        tag("span", f"reward {step.reward:+g}", class_=f"badge {'good' if step.reward > 0 else 'bad'}")
        if step.reward
        else None,
        tag("span", _SOURCES[step.source], class_="badge") if step.source in _SOURCES else None,
        tag("span", "not trained on", class_="badge") if not step.trainable else None,
        tag("span", f"policy {step.policy_version}", class_="badge plain") if step.response_ids else None,
    ]
    besides = _besides(step.info)
    branch = number == episode.branch_step + 1 and bool(episode.parent)
    head = tag(
        "h3", tag("a", f"Step {number}", href=f"#{id}"), *marks,
        tag("span", "branches off here", class_="badge turn") if branch else None,
    )  # fmt: skip
    parts = [
        _said("Saw", "seen", step.observation, whole),
        _said("Thought", "thought", step.thought, whole) if step.thought else None,
        *_asides(step, whole),
        _said("Did", "did" if step.valid else "did refused", step.action, whole),
        drawn(step, episode.env_options),
        sampled(step, decode),
        _proposed(step),
        tag("details", tag("summary", "kept with the step"), _data(besides)) if besides else None,
    ]
    return tag("section", head, *parts, class_="step", id=id)


def _asides(step: Step, whole: bool) -> Iterator[Html]:
    """What was asked of a tool or a helper and answered without a step; and the call whose first action this is."""
    found = step.info.get("asides")
    for pair in found if isinstance(found, list) else ():
        if isinstance(pair, list) and len(pair) == 2 and all(isinstance(one, str) for one in pair):
            yield _said("Asked", "did", pair[0], whole)
            yield _said("Heard", "seen", pair[1], whole)
    if isinstance(call := step.info.get("call"), str):
        yield _said("Called", "did", call, whole)


def _said(name: str, kind: str, said: str, whole: bool) -> Html:
    scrolls = {"tabindex": 0, "role": "region", "aria_label": name} if len(said) > _SCROLLS else {}
    shown = tag("pre", clipped(said, whole=whole), class_=kind, **scrolls)
    return tag("div", tag("span", name, class_="label"), shown, class_="said")


def _proposed(step: Step) -> Html | None:
    """What else a search proposed at this state, the likeliest first."""
    found = step.info.get("proposed")
    pairs = [pair for pair in found if _is_proposal(pair)] if isinstance(found, list) else []
    if len(pairs) < 2:
        return None
    order = sorted(pairs, key=lambda pair: -pair[1])
    rows = [
        tag("li", tag("code", action), f" log-prob {odds:.2f}", " (taken)" if action == step.action else None)
        for action, odds in order
    ]
    value = {name: step.info[name] for name in ("value", "visits") if isinstance(step.info.get(name), int | float)}
    told = "".join(f", {name} {number:g}" for name, number in value.items())
    return tag("details", tag("summary", f"{len(pairs)} actions proposed here{told}"), tag("ul", *rows))


def _is_proposal(pair: object) -> bool:
    return isinstance(pair, list) and len(pair) == 2 and isinstance(pair[0], str) and isinstance(pair[1], int | float)


def _ending(episode: Episode, anchor: str, whole: bool) -> Html:
    seen = episode.final_observation
    return tag(
        "section",
        tag("p", "Ended: ", outcome_badge(episode.outcome), f" return {episode.total_reward:g}"),
        _said("Saw", "seen", seen, whole) if seen else None,
        final(episode.info),
        _said("Error", "did refused", episode.error, whole) if episode.error else None,
        class_="step", id=f"{anchor}end",
    )  # fmt: skip


def parts(episode: Episode, part: int, address: Callable[[int], str]) -> Html | None:
    """Links to the parts of a very long episode."""
    count = -(-len(episode.steps) // STEPS)
    if count < 2:
        return None
    rows = [
        tag("li", tag("a", f"{one * STEPS + 1} to {min((one + 1) * STEPS, len(episode.steps))}", href=address(one),
            aria_current="page" if one == part else None))
        for one in range(count)
    ]  # fmt: skip
    return tag("nav", tag("span", "Steps", class_="label"), tag("ul", *rows), aria_label="Steps", class_="parts")
