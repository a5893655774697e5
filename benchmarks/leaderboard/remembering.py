"""Agents with a memory on a suite: practice on the suite's own practice tasks, then the test with the memory unchanged.

    frozen    practise without a memory, then learn from it
    online    practise with the memory, which is credited and extended after every batch

These are the first two arms of `selfgym.benchmarks.memory.protocol`; here they end in one result that can be ranked.
Nothing is ever learned from a test task: while they are played the library is open for reading only. Lessons are
written by the method's own rules.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

from selfgym.agents.agent import Agent
from selfgym.agents.methods.memory import Memory
from selfgym.agents.methods.method import find_method
from selfgym.agents.policies.policy import Policy
from selfgym.agents.proving import Player
from selfgym.agents.rollout import Job, drive
from selfgym.benchmarks.leaderboard.playing import Seat, metered
from selfgym.benchmarks.leaderboard.result import MemoryArm, Remembered
from selfgym.benchmarks.leaderboard.suite import Part, Task
from selfgym.envs.sandbox.opening import open_sandbox
from selfgym.envs.sandbox.sandbox import Sandbox
from selfgym.memory.episode import Episode
from selfgym.memory.library import Library
from selfgym.memory.store import EpisodeStore

_BATCH = 20
"""Episodes between two lessons."""


@dataclass(frozen=True, slots=True)
class Remembering:
    """Which method, and how it learns."""

    method: str
    arm: Literal["frozen", "online"] = "frozen"


def practice(part: Part, run: str) -> dict[str, tuple[int, dict[str, Any]]]:
    """The practice of a part: episode id -> seed, and options of the environment. Empty where it has none."""
    if part.practice is None:
        return {}
    options = {**part.options, **part.practice.options}
    return {f"{run}/practice/{part.name}/{seed}": (seed, options) for seed in part.practice.seeds.all()}


@dataclass(frozen=True, slots=True)
class Course:
    """One part of a suite for an agent with a memory."""

    how: Remembering
    seats: Sequence[Seat]
    """The test."""
    policy: Policy | None
    sandbox: Sandbox
    width: int

    def practice(self) -> list[Seat]:
        """The practice episodes, in order."""
        first = self.seats[0]
        part = first.task.part
        made = partial(Seat, entrant=first.entrant, run=first.run, phase="practice")
        found = practice(part, first.run)
        return [made(id, Task(part, id, seed), options=options) for id, (seed, options) in found.items()]

    def memory(self, library: Library) -> Memory:
        """The method at work on a library."""
        seat = self.practice()[-1]
        prove = seat.task.part.practice.prove if seat.task.part.practice else 0
        prover = Player(
            lambda seed: replace(seat, id=f"prove/{seed}", task=replace(seat.task, seed=seed)).job(self.policy).agent(),
            run=seat.run, policy=self.policy, sandbox=self.sandbox,
        )  # fmt: skip
        return Memory(
            find_method(self.how.method), library, seat.task.part.env, run=seat.run, play=prover, sandbox=self.sandbox,
            env_options=dict(seat.options), seeds=tuple(range(seat.task.seed + 1, seat.task.seed + 1 + prove)),
        )  # fmt: skip

    def play(self, seats: Sequence[Seat], memory: Memory | None) -> Iterator[Episode]:
        """Episodes with a memory or without one, as each ends."""
        jobs = [seat.job(self.policy) for seat in seats]
        if memory is not None:
            jobs = [replace(job, agent=partial(_with, memory, job)) for job in jobs]
        for _, episode in drive(map(metered, jobs), self.policy, width=self.width):
            yield episode

    def learn(self, path: Path) -> list[Episode]:
        """Practise and learn; the library appears at ``path`` whole or not at all. The practice episodes."""
        partial_path = path.with_suffix(".partial")
        partial_path.unlink(missing_ok=True)
        practised: list[Episode] = []
        seats = self.practice()
        with Library(partial_path) as library:
            memory = self.memory(library)
            for at in range(0, len(seats), _BATCH):
                online = self.how.arm == "online"
                batch = list(self.play(seats[at : at + _BATCH], memory if online else None))
                batch.sort(key=lambda episode: episode.id)  # who ends first must not change what is learned
                if online:
                    memory.credit(batch)
                memory.learn(batch)
                practised += batch
        partial_path.replace(path)
        return practised


def _with(memory: Memory, job: Job) -> Agent:
    return memory.agent(job.agent(), episode=job.id, task=str(job.record["task_id"]))


def play_remembering(
    how: Remembering, seats: Sequence[Seat], folder: Path, store: EpisodeStore, policy: Policy | None, width: int,
    progress: Callable[[int, int], None],
) -> MemoryArm:  # fmt: skip
    """Practise where that is still to be done, play the missing test episodes, and say what was remembered.

    A practice is stored when it is complete, so a killed one is played again from its beginning.
    """
    parts: dict[str, list[Seat]] = {}
    for seat in seats:
        parts.setdefault(seat.task.part.name, []).append(seat)
    remembered: dict[str, Remembered] = {}
    done = 0
    with open_sandbox() as sandbox:
        for name, those in parts.items():
            course = Course(how, those, policy, sandbox, width)
            path = folder / f"memory-{name}.db"
            if not path.exists() or course.practice()[-1].id not in store:
                store.append(course.learn(path))
            with Library(path, readonly=True) as library:
                missing = [seat for seat in those if seat.id not in store]
                done += len(those) - len(missing)
                for episode in course.play(missing, course.memory(library)):
                    store.append([episode])
                    done += 1
                    progress(done, len(seats))
                for seat in those:
                    _collect(library, store.get(seat.id).items, remembered)
    return MemoryArm(method=how.method, arm=how.arm, items=tuple(remembered[id] for id in sorted(remembered)))


def _collect(library: Library, ids: Sequence[str], found: dict[str, Remembered]) -> None:
    """Items and those they were made from."""
    for id in ids:
        if id in found or id not in library:
            continue
        item = library.get(id)
        origin = item.origin
        found[id] = Remembered(
            item=id, title=item.title, method=origin.method, split=origin.split, episodes=origin.episodes
        )
        _collect(library, origin.parents, found)
