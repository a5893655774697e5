"""A suite from beginning to end for one entrant: what is missing is told, what is stored is not played again."""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from gymnasium.error import DependencyNotInstalled

from selfgym.agents.policies.policy import Policy
from selfgym.benchmarks.leaderboard.playing import Entrant, Seat, check_entrant, make_env, play_seats
from selfgym.benchmarks.leaderboard.remembering import Remembering, play_remembering
from selfgym.benchmarks.leaderboard.result import EPISODES, JSON, STORE, LeftOut, Result, numbers, surroundings
from selfgym.benchmarks.leaderboard.suite import Part, Suite, SuiteError, Task, tasks
from selfgym.memory.episode import Episode
from selfgym.memory.exchange.files import replacing
from selfgym.memory.exchange.formats import export_episodes
from selfgym.memory.store import EpisodeStore

_BATCH, _PATIENCE = 16, 2.0
"""Episodes stored in one transaction, and seconds until fewer are: what a killed run may have to play again."""

UNAVAILABLE = (DependencyNotInstalled, ImportError, OSError)
"""What making an environment raises where something that it needs is not there."""

Progress = Callable[[str, int, int], None]
"""(what, done, total)."""


@dataclass(frozen=True, slots=True)
class Plan:
    """One entrant in one suite."""

    suite: Suite
    entrant: Entrant
    source: str
    """That of `Entrant.source`."""
    samples: int = 1
    fresh: str = ""
    memory: Remembering | None = None

    @property
    def run(self) -> str:
        """The run's name, that of its folder too: another suite, agent, model, memory or draw has another.

        >>> from selfgym.benchmarks.leaderboard.suite import find_suite
        >>> Plan(find_suite("quick"), Entrant("my:Agent"), "f00").run[:15]
        'quick-my.Agent-'
        """
        parts: list[Any] = [self.suite.hash, self.entrant.agent, dict(self.entrant.options), self.entrant.model]
        parts += [self.source, self.fresh, asdict(self.memory) if self.memory else None]
        digest = hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:10]
        words = [self.suite.name, self.entrant.agent, self.entrant.model, self.memory.method if self.memory else ""]
        return "-".join([*(re.sub(r"[^\w.]+", ".", word)[:40] for word in words if word), digest])

    def seats(self, left_out: Iterable[str] = ()) -> dict[str, Task]:
        """Episode id -> what it plays, in order."""
        gone = set(left_out)
        found = tasks(self.suite, samples=self.samples, fresh=self.fresh)
        return {f"{self.run}/{t.part.name}/{t.seed}/{t.sample}": t for t in found if t.part.name not in gone}


def left_out_here(plan: Plan, missing: Callable[[Part], str], unplayed: Mapping[str, str]) -> list[LeftOut]:
    """The parts that cannot be played, each with the reason. Raises `SuiteError` where none is left."""
    found = []
    for part in plan.suite.parts:
        reason = unplayed.get(part.name, "")
        if not reason and plan.fresh and part.fixed:
            reason = f"a collection of {part.fixed} tasks: no fresh ones can be drawn"
        reason = reason or missing(part) or _probed(part)
        if not reason and plan.memory and part.practice is None:
            reason = "the suite has no practice tasks for a memory here"
        if reason:
            found.append(LeftOut(part=part.name, reason=reason))
    if len(found) == len(plan.suite.parts):
        told = "; ".join(f"{one.part}: {one.reason}" for one in found)
        raise SuiteError(f"no part of the suite {plan.suite.name!r} can be played here: {told}")
    return found


def _probed(part: Part) -> str:
    """Why an environment cannot be made, or is not the one the suite was frozen for."""
    try:
        env = make_env(part.env, part.options)
    except UNAVAILABLE as error:
        return f"{error}"
    try:
        if env.version != part.env_version:
            return f"{part.env} has version {env.version}, the suite was frozen for {part.env_version}"
        if part.fixed and (found := len(getattr(env, "games", ()))) != part.fixed:
            return f"the collection has {part.fixed} tasks, {found} of them are here"
    finally:
        env.close()
    return ""


def run_suite(
    plan: Plan, folder: Path, missing: Callable[[Part], str], progress: Progress, *, policy: Policy | None = None,
    workers: int = 1, ray: bool = False, prices: tuple[float, float] | None = None,
) -> Result:  # fmt: skip
    """Play what is not stored yet in ``folder``, and write the result there.

    Args:
        missing: why a part's environment cannot be played here; empty if it can.
        policy: answers the agent's prompts.
        workers: episodes at once.
        ray: on the actors of the Ray cluster that this process is connected to; an agent with a memory plays here.
        prices: US dollars for a million prompt and response tokens.
    """
    unplayed = check_entrant(plan.entrant, plan.suite, policy)
    left_out = left_out_here(plan, missing, unplayed)
    seats = plan.seats(one.part for one in left_out)
    folder.mkdir(parents=True, exist_ok=True)
    memory = None
    with EpisodeStore(folder / STORE) as store:
        played = [Seat(id, task, plan.entrant, plan.run, options=task.part.options) for id, task in seats.items()]
        told = partial(progress, plan.run)
        if plan.memory:
            memory = play_remembering(plan.memory, played, folder, store, policy, workers, told)
        else:
            play = partial(play_seats, policy=policy, workers=workers, seconds=plan.suite.seconds, ray=ray)
            _play_missing(played, store, play, told)
        episodes = {episode.id: episode for episode in store.episodes(run=plan.run)}
        practised = list(store.episodes(run=plan.run, phase="practice"))
    export_episodes([*(episodes[id] for id in seats), *practised], folder / EPISODES, "parquet")
    result = Result(
        suite=plan.suite, suite_hash=plan.suite.hash, agent=plan.entrant.agent,
        agent_options=dict(plan.entrant.options), agent_source=plan.source, model=plan.entrant.model, memory=memory,
        samples=plan.samples, fresh=plan.fresh, prices=prices, left_out=tuple(left_out), **surroundings(),
        **numbers(plan.suite, episodes, seats, plan.samples, prices),
    )  # fmt: skip
    with replacing(folder / JSON) as unfinished:
        unfinished.write_text(result.model_dump_json(indent=1) + "\n", encoding="utf-8")
    return result


def _play_missing(
    seats: Sequence[Seat], store: EpisodeStore, play: Callable[[Sequence[Seat]], Generator[Episode, None, None]],
    progress: Callable[[int, int], None],
) -> None:  # fmt: skip
    todo = [seat for seat in seats if seat.id not in store]
    done = len(seats) - len(todo)
    progress(done, len(seats))
    batch: list[Episode] = []
    stored = time.monotonic()
    try:
        with closing(play(todo)) as playing:
            for episode in playing:
                batch.append(episode)
                done += 1
                if len(batch) == _BATCH or time.monotonic() - stored > _PATIENCE:
                    store.append(batch)
                    batch, stored = [], time.monotonic()
                    progress(done, len(seats))
    finally:  # what was played is kept, whatever ended it
        store.append(batch)
    progress(done, len(seats))
