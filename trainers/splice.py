"""Agent-R's converter: from the paths of a search tree to trajectories that show a mistake being noticed and mended.

A revision trajectory is a bad path up to and including its first error, a revision thought, and a good continuation;
loss falls on the thought and what follows it, never on the mistake (arXiv 2501.11425). Unlike the released code, every
spliced trajectory is played again in the environment, and only one that really ends well is kept: the observations on
record are those that followed the actions on record.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import Literal

from selfgym.agents.policies.policy import Policy
from selfgym.agents.react import ReactAgent
from selfgym.agents.rollout import Job, Process, play
from selfgym.agents.teacher import Line, ScriptAgent
from selfgym.envs.core import Outcome
from selfgym.memory.episode import Episode, Source, Step
from selfgym.trainers.collectors import Task

REVISIONS = (
    "That step did not help. I will go back to the task.",
    "I made a mistake just now. Let me correct it.",
    "This is not the way. I will try something else.",
    "That was the wrong action. I should fix it.",
    "I am off the track. I will return to the goal.",
)
"""What the agent says when it turns back; the released code draws from ten such sentences."""

Judge = Callable[[Episode, int], "Process[bool]"]
"""(bad episode, step number) -> whether the actor holds that step to be an error."""


@dataclass(frozen=True, slots=True)
class SpliceConfig:
    """Which paths are paired, and how."""

    alpha: tuple[float, ...] = (0.5, 0.7, 1.0)
    """A path is good if its value is at least this, by iteration (paper: 0.5, 0.7, 1.0)."""
    beta: float = 0.2
    """A good path's value exceeds a bad one's by more than this (paper: 0.2)."""
    discount: float = 1.0
    """A path's value is its reward times this to the power of its length: a high alpha then asks for short paths."""
    pairs: Literal["same-parent", "any"] = "same-parent"
    """``same-parent``: the first error is where the paths part (paper). ``any``: it may come later (released code)."""
    transition: Literal["judged", "end"] = "judged"
    """Where the bad path is left: at the first error, or at its very end (the control called direct revision)."""
    max_pairs: int = 4
    """Revision trajectories kept for one task."""
    retrace: int = 2
    """How many of the shared steps before the parting may be repeated where the good continuation alone fails."""

    def good(self, episode: Episode, iteration: int) -> bool:
        """Whether ``episode`` may serve as a good path in this iteration (counted from 0)."""
        return self.value(episode) >= self.alpha[min(iteration, len(self.alpha) - 1)]

    def value(self, episode: Episode) -> float:
        """The discounted worth of a finished path."""
        return float(max(0.0, episode.total_reward) * self.discount ** len(episode.steps))


def preference_judge(episode: Episode, number: int) -> Process[bool]:
    """Bad if, when the step was proposed, the actor held another proposal to be likelier than the one taken."""
    yield from ()  # the answer was given when the tree grew
    step = episode.steps[number]
    proposed: dict[str, float] = dict(step.info.get("proposed", []))
    return step.action in proposed and proposed[step.action] < max(proposed.values())


def verbal_judge(policy: Policy, *, instruction: str = "") -> Judge:
    """Asks the actor in words; only an answer that says ``Judgement: Bad`` counts as bad."""

    def judge(episode: Episode, number: int) -> Process[bool]:
        agent = ReactAgent(policy, instruction=instruction, temperature=0.0, max_new_tokens=24)
        lines = [f"Saw: {step.observation}\nDid: {step.action}" for step in episode.steps[:number]]
        step = episode.steps[number]
        after = episode.steps[number + 1].observation if number + 1 < len(episode.steps) else episode.final_observation
        question = "\n".join([
            *lines, f"Saw: {step.observation}", f"Did: {step.action}", f"Then saw: {after}",
            f"The task: {episode.task}.",
            "Was the last action Good, Bad or Uncertain for the task? Answer 'Judgement: ' and one word.",
        ])  # fmt: skip
        [completion] = yield [agent.ask(question, {})]
        return parse_judgement(completion.text) == "bad"

    return judge


def parse_judgement(text: str) -> str:
    """The verdict: ``good``, ``bad`` or ``uncertain`` (also for an answer that gives none, or negates it).

    >>> parse_judgement("Judgement: Bad."), parse_judgement("Not bad, I think."), parse_judgement("Judgement: not good")
    ('bad', 'uncertain', 'uncertain')
    """
    found = re.search(r"judge?ment\s*:\s*(good|bad|uncertain)\b", text, re.IGNORECASE)
    return found.group(1).lower() if found else "uncertain"


@dataclass(frozen=True, slots=True)
class Pair:
    """A bad path, a good path of the same tree, and where they part (the number of steps they share)."""

    bad: Episode
    good: Episode
    parting: int


def pairs(tree: Sequence[Episode], config: SpliceConfig, iteration: int, *, seed: int) -> list[Pair]:
    """Every admissible (bad, good) pair of a tree's paths, in random order; episodes lost to errors are left out."""
    paths = [episode for episode in tree if not episode.outcome.is_error]
    found = [
        Pair(bad, good, _shared(bad, good))
        for good, bad in product(paths, paths)
        if config.good(good, iteration) and config.value(good) - config.value(bad) > config.beta
    ]
    random.Random(seed).shuffle(found)
    return found


def _shared(one: Episode, other: Episode) -> int:
    count = 0
    for ours, theirs in zip(one.steps, other.steps, strict=False):
        if ours.action != theirs.action:
            break
        count += 1
    return count


def splice(
    tree: Sequence[Episode], task: Task, voice: Callable[[], ReactAgent], judge: Judge, config: SpliceConfig,
    *, iteration: int, seed: int, record: dict[str, object],
) -> Process[list[Episode]]:  # fmt: skip
    """The revision episodes of one tree, at most ``config.max_pairs``, no two with the same actions.

    ``task.make`` must give the environment that the tree was grown in (direct revision: one with a longer limit).
    """
    kept: dict[tuple[str, ...], Episode] = {}
    errors: dict[str, int | None] = {}
    for pair in pairs(tree, config, iteration, seed=seed):
        if len(kept) == config.max_pairs:
            break
        at = yield from _transition(pair, judge, config, errors)
        if at is None:
            continue
        thought = REVISIONS[(seed + len(kept)) % len(REVISIONS)]
        identity = f"{record.get('run', '')}/{record.get('phase', '')}/{task.id}/{len(kept)}"
        revised = yield from _replay(pair, at, thought, task, voice, config, {**record, "id": identity})
        if revised is not None:
            kept.setdefault(tuple(step.action for step in revised.steps), revised)
    return list(kept.values())


def _transition(pair: Pair, judge: Judge, config: SpliceConfig, errors: dict[str, int | None]) -> Process[int | None]:
    """The number of the last step of the bad prefix, or None where the pair has no place to turn back."""
    if config.transition == "end":
        return len(pair.bad.steps) - 1 if pair.parting < len(pair.bad.steps) else None
    if pair.bad.id not in errors:
        errors[pair.bad.id] = None
        for number in range(len(pair.bad.steps)):
            if (yield from judge(pair.bad, number)):
                errors[pair.bad.id] = number
                break
    at = errors[pair.bad.id]
    if at is None or at < pair.parting or (config.pairs == "same-parent" and at != pair.parting):
        return None
    return at


def _replay(
    pair: Pair, at: int, thought: str, task: Task, voice: Callable[[], ReactAgent], config: SpliceConfig,
    record: dict[str, object],
) -> Process[Episode | None]:  # fmt: skip
    """Play prefix, thought and continuation for real; repeat up to ``retrace`` shared steps where that is needed."""
    prefix = [_line(step, trainable=False) for step in pair.bad.steps[: at + 1]]
    for start in range(pair.parting, max(-1, pair.parting - config.retrace - 1), -1):
        first, *rest = pair.good.steps[start:]
        turn = Line(first.action, thought, trainable=True)
        script = [*prefix, turn, *(_line(step, trainable=True) for step in rest)]
        fields = {**task.record, **record, "parent": pair.bad.id, "branch_step": at + 1, "group": pair.bad.group}
        identity = str(fields.pop("id"))
        agent = partial(_reader, script, voice)
        episode = yield from play(Job(identity, task.make, agent, task.seed, task.options, fields))
        if episode.outcome is Outcome.SUCCESS and all(step.valid for step in episode.steps[at + 1 :]):
            return episode
    return None


def _reader(script: Sequence[Line], voice: Callable[[], ReactAgent]) -> ScriptAgent:
    return ScriptAgent(script, voice())


def _line(step: Step, *, trainable: bool) -> Line:
    source = step.source if trainable else Source.INJECTED
    return Line(step.action, step.thought, step.response_ids, trainable=trainable, source=source)
