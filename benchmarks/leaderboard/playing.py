"""Who is measured, and how the episodes of a suite are played: on the rollout engine, metered, many at once.

An agent that asks a model here is played over one policy, with every environment in a process of its own if there are
several workers. Any other agent goes with its environment into worker processes, because scripted experts look into
their environments. Workers can be actors of a Ray cluster instead. What an episode cost stands in its record under
``info["metered"]``.
"""

from __future__ import annotations

import hashlib
import inspect
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import gymnasium
from pydantic import BaseModel, ConfigDict, Field

import selfgym  # noqa: F401  (registers the ids)
from selfgym.agents.agent import Agent, AgentOptionError, agent_maker, find_agent
from selfgym.agents.policies.policy import Completion, Policy
from selfgym.agents.ray_workers import RayPool
from selfgym.agents.rollout import Job, Process, drive, play
from selfgym.agents.workers import EnvPool, WorkerError
from selfgym.benchmarks.leaderboard.suite import Part, Suite, Task
from selfgym.envs.core import Outcome
from selfgym.memory.episode import Episode

EXPERT, RANDOM = "expert", "random"
"""The ends of every table: the scripted expert of each part, and random actions."""


class Metered(BaseModel):
    """What an episode cost: `Episode.info` holds it as ``metered``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    calls: int = Field(default=0, ge=0)
    """Prompts that a model answered."""
    prompt_tokens: int = Field(default=0, ge=0)
    response_tokens: int = Field(default=0, ge=0)
    declared: bool = False
    """Whether the agent itself told these numbers, because it asks a model in its own way."""
    seconds: float = Field(default=0.0, ge=0)
    """On the clock, from making the environment on; waiting for other episodes is part of it."""


@dataclass(frozen=True, slots=True)
class Entrant:
    """Who is measured."""

    agent: str
    options: Mapping[str, Any] = field(default_factory=dict)
    model: str = ""

    def agent_of(self, part: Part) -> tuple[str, Mapping[str, Any]]:
        """Name and options for a part: ``expert`` is another agent in each."""
        return (part.expert, part.expert_options) if self.agent == EXPERT else (self.agent, self.options)

    def source(self, suite: Suite) -> str:
        """The SHA-256 of the files that define the agent: an agent that was changed is another one."""
        names = sorted({self.agent_of(part)[0] for part in suite.parts} - {""})
        digest = hashlib.sha256()
        for name in names:
            path = getattr(inspect.getmodule(find_agent(name)), "__file__", None)
            digest.update(Path(path).read_bytes() if path else name.encode())
        return digest.hexdigest()


@dataclass(frozen=True, slots=True)
class Seat:
    """One episode with everything its record says; plain data, so that it can go to another process."""

    id: str
    task: Task
    entrant: Entrant
    run: str
    phase: str = "test"
    options: Mapping[str, Any] = field(default_factory=dict)
    """Of the environment."""

    def job(self, policy: Policy | None, env: Callable[[], Any] | None = None) -> Job:
        """What the rollout engine plays. Raises `AgentOptionError`."""
        part, seed = self.task.part, self.task.seed
        name, options = self.entrant.agent_of(part)
        make = agent_maker(name, find_agent(name), policy, options)
        record = {
            "env": part.env, "env_options": dict(self.options), "task_id": self.task.id, "agent": self.entrant.agent,
            "policy": self.entrant.model, "run": self.run, "phase": self.phase,
            "split": self.options.get("split", "train") if self.phase == "practice" else part.split,
            "group": self.task.id,
        }  # fmt: skip
        own = partial(make, seed + 1_000_003 * self.task.sample, self.id)
        return Job(self.id, env or partial(make_env, part.env, self.options), own, seed, record=record)


def make_env(env: str, options: Mapping[str, Any]) -> Any:
    """The environment itself, without Gymnasium's wrappers."""
    return gymnasium.make(env, **options).unwrapped


def metered(job: Job) -> Process[Episode]:
    """Play one episode and count what passes by: prompts, tokens, seconds.

    An agent that asks a model in its own way may have an attribute ``usage``, a mapping with ``calls``,
    ``prompt_tokens`` and ``response_tokens``, read when the episode is over; they are marked as declared.
    """
    seated: list[Agent] = []

    def seat() -> Agent:
        seated.append(job.agent())
        return seated[-1]

    began, calls, given, taken = time.monotonic(), 0, 0, 0
    playing = play(replace(job, agent=seat))
    answer: Any = None
    while True:
        try:
            request = playing.throw(answer) if isinstance(answer, Exception) else playing.send(answer)
        except StopIteration as stop:
            episode: Episode = stop.value
            break
        try:
            answer = yield request
        except Exception as error:  # goes on into the episode, which ends by it
            answer = error
        if isinstance(request, list):
            replies = [one for one in answer if isinstance(one, Completion)] if isinstance(answer, list) else []
            calls, given = calls + len(request), given + sum(len(prompt.ids) for prompt in request)
            taken += sum(len(reply.ids) for reply in replies)
    usage = dict(getattr(seated[0], "usage", {})) if seated else {}
    cost = Metered(
        calls=calls + int(usage.get("calls", 0)),
        prompt_tokens=given + int(usage.get("prompt_tokens", 0)),
        response_tokens=taken + int(usage.get("response_tokens", 0)),
        declared=any(usage.values()),
        seconds=round(time.monotonic() - began, 3),
    )
    return episode.model_copy(update={"info": {**episode.info, "metered": cost.model_dump()}})


def play_seats(
    seats: Sequence[Seat], policy: Policy | None, *, workers: int, seconds: float, ray: bool = False
) -> Generator[Episode, None, None]:
    """Every seat's episode, as each ends.

    Args:
        seats: what to play.
        policy: answers the agents' prompts, here.
        workers: episodes at once. Several are in processes of their own.
        seconds: what one of them may take.
        ray: all of them are on the actors of the Ray cluster that this process is connected to.
    """
    kind = RayPool if ray else EnvPool if workers > 1 else None
    if policy is not None:
        yield from _over_one_policy(seats, policy, workers, seconds, kind)
    elif kind is None:
        for seat in seats:
            yield from _here(seat)
    else:
        with kind(Table, deadline=seconds) as pool:
            threads = ThreadPoolExecutor(workers)
            try:
                for done in as_completed([threads.submit(_elsewhere, pool, seat) for seat in seats]):
                    yield done.result()
            finally:  # whoever stops listening wants no further episode begun
                threads.shutdown(cancel_futures=True)


def _here(seat: Seat) -> Generator[Episode, None, None]:
    for _, episode in drive([metered(seat.job(None))], None, width=1):
        yield episode


def _over_one_policy(
    seats: Sequence[Seat], policy: Policy, workers: int, seconds: float, kind: type[EnvPool | RayPool] | None
) -> Iterator[Episode]:
    """Grouped by the environment they need, because a pool lends one kind of it."""
    kinds: dict[str, list[Seat]] = {}
    for seat in seats:
        kinds.setdefault(f"{seat.task.part.env} {sorted(seat.options.items())}", []).append(seat)
    for those in kinds.values():
        make = partial(make_env, those[0].task.part.env, those[0].options)
        with nullcontext() if kind is None else kind(make, deadline=seconds) as pool:
            env = pool.lease if pool else None
            for _, episode in drive((metered(seat.job(policy, env)) for seat in those), policy, width=workers):
                yield episode


class Table:
    """Plays whole episodes in a worker process."""

    version = "1"

    def play(self, seat: Seat) -> Episode:
        """One episode."""
        return next(_here(seat))

    def close(self) -> None:
        """Nothing is kept."""


def _elsewhere(pool: EnvPool | RayPool, seat: Seat) -> Episode:
    """Play in a worker; one that dies or stays silent costs this episode only."""
    try:
        table = pool.lease()
        try:
            episode: Episode = table.start("play", seat).result()
            return episode
        finally:
            table.close()
    except WorkerError as error:
        job = seat.job(None)
        return Episode(
            id=seat.id, seed=seat.task.seed, task="", outcome=Outcome.ENV_ERROR, error=f"WorkerError: {error}",
            env_version=seat.task.part.env_version, created=time.time(), info={"metered": Metered().model_dump()},
            **job.record,
        )  # fmt: skip


def check_entrant(entrant: Entrant, suite: Suite, policy: Policy | None) -> dict[str, str]:
    """Part -> why this agent does not play it. Raises `UnknownAgentError` or `AgentOptionError`."""
    if entrant.agent == EXPERT and entrant.options:
        raise AgentOptionError("the expert of a suite is another agent in each part, and takes no options")
    unplayed = {}
    for part in suite.parts:
        name, options = entrant.agent_of(part)
        if not name:
            unplayed[part.name] = "no scripted expert knows this part"
        else:
            agent_maker(name, find_agent(name), policy, options)
    if len(unplayed) == len(suite.parts):
        raise AgentOptionError(f"no part of the suite {suite.name!r} has a scripted expert")
    return unplayed
