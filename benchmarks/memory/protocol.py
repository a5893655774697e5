"""Does memory help? What is played to find out: the same tasks by the same agent without a memory, with one that was
learned beforehand and then frozen, and with one that learns as it goes.

    none      no memory
    frozen    learned from the practice of ``none``, then shown unchanged
    online    shown, credited and extended while practising, in several orders of the tasks; then frozen

Each is tried on tasks that nobody practised on, on larger ones (transfer), and on the practised ones again; the frozen
one also without each kind of item. `selfgym.benchmarks.memory.report` makes the table. Nothing here decides what is
shown: that is `selfgym.agents.methods.memory`.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np

import selfgym  # noqa: F401  (registers the ids)
from selfgym.agents.agent import Agent
from selfgym.agents.methods.memory import Memory
from selfgym.agents.methods.method import find_method
from selfgym.agents.methods.writer import Writer
from selfgym.agents.policies.policy import Policy
from selfgym.agents.proving import Player
from selfgym.agents.remembering import RememberingAgent
from selfgym.agents.rollout import Job, play_all
from selfgym.envs.sandbox.opening import open_sandbox
from selfgym.envs.sandbox.sandbox import Sandbox
from selfgym.memory.episode import Episode
from selfgym.memory.item import Kind
from selfgym.memory.library import Library

Played = dict[tuple[str, str], list[Episode]]
"""(arm, set of tasks) -> episodes."""


@dataclass(frozen=True, slots=True)
class World:
    """Where the tasks come from: an environment, and its options for each set of tasks."""

    env: str
    sets: Mapping[str, Mapping[str, Any]]
    """``practice``, ``held-out`` and perhaps ``transfer``; each has a ``split``."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is played."""

    world: World
    agent: Callable[[int, int, str], Agent]
    """(seed of the experiment, seed of the task, episode id) -> who plays."""
    practice: int = 60
    batch: int = 20
    """Episodes between two lessons."""
    held_out: int = 100
    orders: int = 2
    """Orders in which the practice tasks come, for ``online``."""
    contrast: int = 20
    """Further practice tasks, on which items that need it are proved."""
    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Method -> its settings, where they are not the paper's."""
    policy: Callable[[], Policy] | None = None
    """Gives the language model that agents ask, if they do."""
    writer: Callable[[], Policy] | None = None
    """Gives the one that writes the lessons; without it rules do."""


@dataclass
class Trial:
    """One method with one seed, as it is played."""

    plan: Plan
    seed: int
    folder: Path
    policy: Policy | None
    sandbox: Sandbox
    played: Played = field(default_factory=dict)
    facts: dict[str, float] = field(default_factory=dict)
    """What is known of the libraries: items, admitted, proving episodes."""

    def play(self, arm: str, where: str, seeds: Sequence[int], memory: Memory | None = None) -> list[Episode]:
        """The tasks of a set, in this order; kept under ``(arm, where)``."""
        options = dict(self.plan.world.sets[where.partition(" ")[0]])
        agents: list[Agent] = []
        jobs = []
        for seed in seeds:
            id = f"{self.seed}/{arm}/{where}/{seed}"
            task = f"{options['split']}:{options.get('size', '')}:{seed}"
            agent = self.plan.agent(self.seed, seed, id)
            agents.append(memory.agent(agent, episode=id, task=task) if memory else agent)
            record = {
                "env": self.plan.world.env, "env_options": options, "split": options["split"], "task_id": task,
                "phase": arm, "run": str(self.seed),
            }  # fmt: skip
            jobs.append(
                Job(id, partial(make, self.plan.world.env, options), partial(_itself, agents[-1]), seed, record=record)
            )
        told = list(map(_with_facts, play_all(jobs, self.policy), agents))
        self.played.setdefault((arm, where), []).extend(told)
        return told

    def memory(self, method: str, library: Library, without: Iterable[Kind] = ()) -> Memory:
        """The method at work on a library."""
        plan = self.plan
        writer = Writer(plan.writer()) if plan.writer is not None else None
        practice = dict(plan.world.sets["practice"])
        prover = Player(
            lambda seed: plan.agent(self.seed, seed, f"prove/{seed}"), run=f"{self.seed}/{method}", policy=self.policy,
            sandbox=self.sandbox,
        )  # fmt: skip
        return Memory(
            find_method(method, **plan.settings.get(method, {})), library, plan.world.env, run=str(self.seed),
            writer=writer, play=prover, sandbox=self.sandbox, env_options=practice, without=frozenset(without),
            seeds=tuple(range(900_000, 900_000 + plan.contrast)),
        )  # fmt: skip


def make(env: str, options: Mapping[str, Any]) -> Any:
    """The environment itself, without Gymnasium's wrappers."""
    return gymnasium.make(env, **options).unwrapped


def _itself(agent: Agent) -> Agent:
    return agent


def _with_facts(episode: Episode, agent: Agent) -> Episode:
    if not isinstance(agent, RememberingAgent):
        return episode
    return episode.model_copy(update={"info": {"memory_tokens": agent.tokens, "called": list(agent.called)}})


def without_memory(trial: Trial) -> None:
    """Every set of tasks once."""
    for where in trial.plan.world.sets:
        trial.play("none", where, range(_number(trial.plan, where)))


def _number(plan: Plan, where: str) -> int:
    return plan.practice if where == "practice" else plan.held_out


def frozen(trial: Trial, method: str, practice: Sequence[Episode]) -> None:
    """Learn from practice, then show what was learned; also without each kind."""
    path = trial.folder / f"{method}-frozen.db"
    with Library(path) as library:
        memory = trial.memory(method, library)
        for at in range(0, len(practice), trial.plan.batch):
            memory.learn(practice[at : at + trial.plan.batch])
    with Library(path, readonly=True) as library:
        for where in trial.plan.world.sets:
            trial.play("frozen", where, range(_number(trial.plan, where)), trial.memory(method, library))
        shown = _shown(trial, "frozen")
        _note(trial, "frozen", library, memory, shown)
        kinds = sorted({library.get(id).kind for id in shown})
        for kind in kinds if len(kinds) > 1 else ():
            trial.play(
                f"frozen without {kind}", "held-out", range(trial.plan.held_out), trial.memory(method, library, [kind])
            )


def online(trial: Trial, method: str) -> None:
    """Learn while practising, in several orders; then the sets again, and what was practised first."""
    plan = trial.plan
    for order in range(plan.orders):
        path = trial.folder / f"{method}-online-{order}.db"
        seeds = np.random.default_rng([trial.seed, order]).permutation(plan.practice).tolist()
        first = seeds[: plan.batch]
        with Library(path) as library:
            memory = trial.memory(method, library)
            for at in range(0, len(seeds), plan.batch):
                played = trial.play(f"online {order}", "practice", seeds[at : at + plan.batch], memory)
                memory.credit(played)
                memory.learn(played)
                if at == 0:
                    _again(trial, method, path, f"early {order}", first)
        _again(trial, method, path, f"late {order}", first)
        with Library(path, readonly=True) as library:
            trial.play(f"online {order}", "held-out", range(plan.held_out), trial.memory(method, library))
            _note(trial, "online", library, memory, _shown(trial, f"online {order}"))


def _again(trial: Trial, method: str, path: Path, arm: str, seeds: Sequence[int]) -> None:
    """What was practised first, with the memory as it is now."""
    with Library(path, readonly=True) as library:
        trial.play(arm, "practice again", seeds, trial.memory(method, library))


def _shown(trial: Trial, arm: str) -> set[str]:
    """The items that were shown in an arm."""
    return {id for (one, _), played in trial.played.items() if one == arm for episode in played for id in episode.items}


def _note(trial: Trial, arm: str, library: Library, memory: Memory, shown: set[str]) -> None:
    """Add to the facts: how many items came of it, and what that cost."""
    rows = library.rows("SELECT item FROM standing WHERE status IN ('trial', 'active')")
    prover = memory.play
    facts = {
        "proposed": len(library),
        "can be shown": len(rows),
        "of these never shown": len({item for (item,) in rows} - shown),
        "episodes to prove them": prover.played if isinstance(prover, Player) else 0,
    }
    share = 1 if arm == "frozen" else 1 / trial.plan.orders
    for name, value in facts.items():
        trial.facts[f"{arm}, {name}"] = trial.facts.get(f"{arm}, {name}", 0.0) + share * value


def run(
    plan: Plan, methods: Sequence[str], seeds: Sequence[int], *, workers: int = 1
) -> Iterator[tuple[str, int, Played, dict[str, float]]]:
    """(method, seed, episodes, facts) as each ends; ``none`` comes first and is the practice of the frozen arm."""
    if workers == 1:
        yield from _all(plan, methods, seeds, map)
        return
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        yield from _all(plan, methods, seeds, pool.map)


def _all(
    plan: Plan, methods: Sequence[str], seeds: Sequence[int], each: Callable[..., Iterable[Any]]
) -> Iterator[tuple[str, int, Played, dict[str, float]]]:
    bare: dict[int, Played] = {}
    for seed, (played, facts) in zip(seeds, each(partial(unit, plan, "none", ()), seeds), strict=True):
        bare[seed] = played
        yield "none", seed, played, facts
    units = [(method, seed) for method in methods for seed in seeds]
    practices = [bare[seed]["none", "practice"] for _, seed in units]
    done = each(partial(unit, plan), [method for method, _ in units], practices, [seed for _, seed in units])
    for (method, seed), (played, facts) in zip(units, done, strict=True):
        yield method, seed, played, facts


def unit(plan: Plan, method: str, practice: Sequence[Episode], seed: int) -> tuple[Played, dict[str, float]]:
    """Everything that is played of one method with one seed."""
    policy = plan.policy() if plan.policy else None
    with tempfile.TemporaryDirectory() as folder, open_sandbox() as sandbox:
        trial = Trial(plan, seed, Path(folder), policy, sandbox)
        if method == "none":
            without_memory(trial)
        else:
            frozen(trial, method, practice)
            online(trial, method)
        return trial.played, trial.facts
