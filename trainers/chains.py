"""Chains: tasks of one scenario in a row, by one sample, which takes along the skills that it wrote.

How is for `selfgym.trainers.carrying` to say. A sample's library is its own: nothing is shared within a group. What a
task is brought of it is all of it, or what fits the task by its words.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from selfgym.agents.agent import Agent
from selfgym.agents.rollout import Job, Process, drive, play
from selfgym.envs.core import Outcome
from selfgym.memory.episode import Episode
from selfgym.trainers.carrying import Carrying, Skills, carrying, env_class
from selfgym.trainers.collectors import Task
from selfgym.trainers.skill_search import Written, fitting

if TYPE_CHECKING:
    from selfgym.trainers.stage import Stage


@dataclass(frozen=True, slots=True)
class ChainConfig:
    """How chains are played and rewarded."""

    length: int = 2
    """Tasks in a chain (paper: 2; longer ones did not help)."""
    samples: int = 8
    """Samples of each chain."""
    library: bool = True
    """Whether a sample takes its skills along."""
    reward: Literal["skill", "chain", "outcome"] = "skill"
    """What is added to a success: 1 for using a skill that was brought along, and for having written one that a later
    success used (``skill``); 1 if the whole chain succeeded (``chain``); nothing."""
    size: int = 2
    """A skill of fewer statements or actions earns nothing: it would be a single call under another name."""
    retrieval: Literal["scenario", "query"] = "scenario"
    """What a task is brought of its sample's library. ``scenario``: all that the tasks before it in the chain wrote.
    ``query``: the ``most`` skills that fit the task's words best; at evaluation the library begins with what successful
    training episodes wrote, in whatever scenario."""
    most: int = 3


def chain_of(stage: Stage, task: Task, length: int, *, held_out: bool = False) -> list[Task]:
    """Tasks that share a procedure: of three neighbouring seeds, from three times the task's own on, with the reset
    options that the environment has for a chain."""
    tasks = [stage.task(3 * task.seed + position, held_out=held_out) for position in range(length)]
    options = env_class(task.env_id).chain_options(task.seed)
    if not options:
        return tasks
    name = ",".join(f"{key}={value}" for key, value in options.items())
    return [replace(one, id=f"{one.id}:{name}", options=options) for one in tasks]


def play_chains(
    stage: Stage, chains: Sequence[Sequence[Task]], agent: Callable[[Task, int], Agent], kind: str, *,
    draws: int = 1, config: ChainConfig = ChainConfig(), known: Mapping[str, Written] | None = None,
) -> Iterator[Episode]:  # fmt: skip
    """Every chain ``draws`` times by ``agent(task, draw)``; the episodes, chain by chain.

    ``known``: what every sample's library begins with. ``info`` of an episode has the skills that were ``brought``
    along, each by name with its ``source`` and the ``episode`` that wrote it, and which of them were ``used``.
    """
    begin = dict(known or {})
    processes = [_play(stage, chain, draw, agent, kind, config, begin) for chain in chains for draw in range(draws)]
    played = dict(drive(processes, stage.policy, width=stage.config.width))
    for number in range(len(processes)):
        yield from played[number]


def _play(
    stage: Stage, chain: Sequence[Task], draw: int, agent: Callable[[Task, int], Agent], kind: str,
    config: ChainConfig, known: Mapping[str, Written],
) -> Process[list[Episode]]:  # fmt: skip
    carry = carrying(chain[0].env_id)
    library = dict(known)
    episodes: list[Episode] = []
    name = f"{stage.run}/{stage.phase(kind)}/{chain[0].id}/{draw}"
    for position, task in enumerate(chain):
        id = f"{name}/{position}"
        record = {
            **task.record, **stage.record(kind), "group": task.id, "chain": name, "chain_position": position,
            "agent": "react",
        }  # fmt: skip
        brought: Skills = {}
        options = dict(task.options or {})
        make = partial(_supplied, task, carry, config, library, brought, options)

        def player(task: Task = task, brought: Skills = brought, id: str = id) -> Agent:
            return carry.agent(agent(task, draw), brought, id)

        episode = yield from play(Job(id, make, player, task.seed, options, record))
        info = {
            "brought": {n: {"source": brought[n], "episode": library[n].episode} for n in sorted(brought)},
            "used": sorted(carry.called(episode) & brought.keys()),
        }
        episodes.append(episode.model_copy(update={"info": {**episode.info, **info}}))
        if config.library:
            library |= {n: Written(source, episode.task, id) for n, source in carry.written(episode).items()}
    return episodes


def _supplied(
    task: Task, carry: Carrying, config: ChainConfig, library: Mapping[str, Written], brought: Skills,
    options: dict[str, Any],
) -> Any:  # fmt: skip
    """The task's environment, after ``brought`` and the reset ``options`` were filled with what it is brought.

    To search by a task's words they must be known: the environment is reset once to hear them.
    """
    env = task.make()
    if config.retrieval == "scenario":
        brought |= {name: skill.source for name, skill in library.items()}
    elif library:
        try:
            _, info = env.reset(seed=task.seed, options=dict(options))
        except Exception:
            env.close()
            raise
        brought |= fitting(library, str(info["task"]), config.most)
    options |= carry.options(brought)
    return env


def gathered(stage: Stage, config: ChainConfig) -> dict[str, Written]:
    """What successful demonstrations and training episodes up to now wrote, the last version of each, by name."""
    found: dict[str, Written] = {}
    carry = carrying(stage.config.env)
    phases = [stage.episodes("demo"), *(stage.episodes("group", number) for number in range(stage.iteration))]
    for episode in (episode for episodes in phases for episode in episodes):
        if episode.outcome is Outcome.SUCCESS:
            found |= {n: Written(s, episode.task, episode.id) for n, s in carry.written(episode, config.size).items()}
    return found


def chain_rewards(chain: Sequence[Episode], config: ChainConfig) -> list[float]:
    """The return of each episode of a chain (SAGE, arXiv 2512.17102): for two tasks with outcomes r1, r2 and s = 1 if
    the second used a skill of the first, ``r1 + r1 r2 s`` and ``r2 + r2 s``."""
    won = [episode.outcome is Outcome.SUCCESS for episode in chain]
    rewards = [float(one) for one in won]
    if config.reward == "chain":
        return [reward + all(won) for reward in rewards]
    if config.reward == "outcome":
        return rewards
    carry = carrying(chain[0].env)
    wrote = [carry.written(episode, config.size).keys() for episode in chain]
    used = [set(episode.info.get("used", ())) for episode in chain]
    for at in range(len(chain)):
        if won[at]:
            rewards[at] += any(used[at] & wrote[before] for before in range(at))
            rewards[at] += any(won[after] and used[after] & wrote[at] for after in range(at + 1, len(chain)))
    return rewards


def whole_chains(episodes: Iterator[Episode], length: int) -> Iterator[list[Episode]]:
    """Logged chains in which no episode was lost to an error: a broken one would enter the others' mean."""
    chains: dict[str, list[Episode]] = {}
    for episode in episodes:
        chains.setdefault(episode.chain, []).append(episode)
    yield from (
        chain for chain in chains.values() if len(chain) == length and not any(e.outcome.is_error for e in chain)
    )


def positions(chains: Sequence[Sequence[Episode]], config: ChainConfig) -> Iterator[tuple[list[Episode], list[float]]]:
    """The groups that share a baseline, one for each task of each chain, with the returns in it."""
    groups: dict[str, tuple[list[Episode], list[float]]] = {}
    for chain in chains:
        for episode, reward in zip(chain, chain_rewards(chain, config), strict=True):
            members, rewards = groups.setdefault(episode.group, ([], []))
            members.append(episode)
            rewards.append(reward)
    yield from groups.values()
