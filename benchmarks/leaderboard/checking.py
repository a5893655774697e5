"""What a result must be before it stands on a page: complete, of a known suite, and following from its episodes.

It is not proof against a forger who invents whole episodes; `replayed` is: it takes the actions of some episodes in the
environment again and compares every reward and how they end.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from itertools import chain
from pathlib import Path

from pydantic import ValidationError

from selfgym.benchmarks.leaderboard.playing import Entrant, Metered, make_env
from selfgym.benchmarks.leaderboard.remembering import Remembering, practice
from selfgym.benchmarks.leaderboard.result import EPISODES, Result, ResultError, numbers, read_result
from selfgym.benchmarks.leaderboard.running import UNAVAILABLE, Plan
from selfgym.benchmarks.leaderboard.suite import Task, frozen_hashes, suite_names
from selfgym.envs.core import Outcome
from selfgym.memory.episode import Episode
from selfgym.memory.exchange.files import DamagedFileError
from selfgym.memory.exchange.formats import import_episodes


def checked(folder: Path) -> tuple[Result, list[Episode]]:
    """A result and its test episodes. Raises `ResultError` with the first reason to refuse it."""
    result = read_result(folder)
    for complaint in _of_suite(result):
        raise ResultError(f"{folder}: {complaint}")
    try:
        episodes = {episode.id: episode for episode in import_episodes(folder / EPISODES, "parquet")}
    except (DamagedFileError, OSError, ValueError) as error:
        raise ResultError(f"{folder}: its episodes cannot be read: {error}") from error
    seats = _plan(result).seats(one.part for one in result.left_out)
    for complaint in chain(_of_episodes(result, seats, episodes), _of_memory(result, seats, episodes)):
        raise ResultError(f"{folder}: {complaint}")
    return result, [episodes[id] for id in seats]


def _plan(result: Result) -> Plan:
    entrant = Entrant(result.agent, result.agent_options, result.model)
    memory = Remembering(result.memory.method, result.memory.arm) if result.memory else None
    return Plan(result.suite, entrant, result.agent_source, result.samples, result.fresh, memory)


def _of_suite(result: Result) -> Iterator[str]:
    suite = result.suite
    if suite.hash != result.suite_hash:
        yield f"the suite that it holds has the hash {suite.hash[:12]}, not {result.suite_hash[:12]} as it says"
    if suite.name in suite_names():
        known = frozen_hashes(suite.name)
        if suite.version not in known:
            yield f"this selfgym knows no version {suite.version} of the suite {suite.name!r}: is it of a newer one?"
        elif known[suite.version] != suite.hash:
            yield f"its suite is not version {suite.version} of {suite.name!r}: the hash is another"
    parts = {part.name for part in suite.parts}
    left_out = {one.part for one in result.left_out}
    if wrong := left_out - parts:
        yield f"it leaves out {min(wrong)!r}, which is no part of the suite"
    count = result.samples * sum(part.seeds.count for part in suite.parts if part.name not in left_out)
    if len(result.lines) != count:  # before anybody counts up to what it claims
        yield f"it lists {len(result.lines)} episodes, {count} belong to the parts that it has"


def _of_episodes(result: Result, seats: Mapping[str, Task], episodes: Mapping[str, Episode]) -> Iterator[str]:
    if lost := [id for id in seats if id not in episodes]:
        yield f"{len(lost)} of {len(seats)} episodes are not there, the first is {lost[0]!r}"
        return
    for id, task in seats.items():
        episode, part = episodes[id], task.part
        told = (episode.env, episode.seed, episode.task_id, episode.env_options, episode.phase, episode.split)
        if told != (part.env, task.seed, task.id, part.options, "test", part.split):
            yield f"the episode {id!r} is of another task than its name says"
        if episode.env_version != part.env_version and not episode.outcome.is_error:
            yield f"the episode {id!r} was played by version {episode.env_version} of {part.env}"
        if len(episode.steps) > (most := part.options["max_steps"]):
            yield f"the episode {id!r} has {len(episode.steps)} steps, more than the {most} allowed"
        won = bool(episode.steps) and episode.steps[-1].reward >= 1.0
        if part.rewarded and won is not (episode.outcome is Outcome.SUCCESS):
            yield f"the episode {id!r} is called a {episode.outcome}, which its rewards are not"
        try:
            answered = Metered.model_validate(episode.info.get("metered")).response_tokens
        except ValidationError:
            yield f"the episode {id!r} does not say what it cost"
            return
        sampled = sum(len(step.response_ids) for step in episode.steps)
        if sampled > answered:
            yield f"the episode {id!r} holds {sampled} sampled tokens, more than it says a model answered"
    again = numbers(result.suite, episodes, seats, result.samples, result.prices)
    for name, value in again.items():
        if value != getattr(result, name):
            yield f"its {name} do not follow from its episodes{_first_difference(value, getattr(result, name))}"


def _first_difference(ours: object, theirs: object) -> str:
    """Where two equal-shaped values differ, as a tail of a sentence."""
    if hasattr(ours, "model_dump") and hasattr(theirs, "model_dump"):
        mine, other = ours.model_dump(), theirs.model_dump()
        for name in mine:
            if mine[name] != other.get(name):
                return f": {name} is {mine[name]}, it says {other.get(name)}"
    return ""


def _of_memory(result: Result, seats: Mapping[str, Task], episodes: Mapping[str, Episode]) -> Iterator[str]:
    """Whatever was shown must have been learned from practice alone."""
    shown = {id: seat for seat in seats for id in episodes[seat].items}
    if result.memory is None:
        if shown:
            yield f"the episode {next(iter(shown.values()))!r} was shown memory items, and no memory is declared"
        return
    known = {item.item: item for item in result.memory.items}
    if lost := sorted(shown.keys() - known.keys()):
        yield f"the item {lost[0]!r} was shown, and nothing says where it was learned"
    practised = {
        id: (part.env, seed, options)
        for part in result.suite.parts
        for id, (seed, options) in practice(part, _plan(result).run).items()
    }
    tested = [(task.part.env, task.seed, task.part.options) for task in seats.values()]
    for item in known.values():
        if item.split != "train" and item.episodes:
            yield f"the item {item.title!r} was learned on the split {item.split!r}"
        for source in item.episodes:
            if source in seats:
                yield f"the item {item.title!r} was learned from the test episode {source!r}"
            elif source not in episodes:
                yield f"the item {item.title!r} was learned from {source!r}, an episode that is not there"
            else:
                one = episodes[source]
                task = (one.env, one.seed, one.env_options)
                if task in tested:
                    yield f"the item {item.title!r} was learned on a test task, in {source!r}"
                elif one.phase != "practice" or task != practised.get(source):
                    yield f"the item {item.title!r} was learned from {source!r}, which is no practice of the suite"


def replayed(episodes: list[Episode], number: int, *, seed: int = 0) -> int:
    """Take the actions of ``number`` episodes again; their number. Raises `ResultError` where one goes otherwise.

    Not tried are those that an error ended, and those whose environment is not to be had here.
    """
    whole = [episode for episode in episodes if not episode.outcome.is_error]
    chosen = random.Random(seed).sample(whole, min(number, len(whole)))
    number = 0
    for episode in chosen:
        try:
            env = make_env(episode.env, episode.env_options)
        except UNAVAILABLE:
            continue
        number += 1
        try:
            _, info = env.reset(seed=episode.seed)
            for at, step in enumerate(episode.steps):
                _, reward, _, _, info = env.step(step.action)
                if float(reward) != step.reward:
                    raise ResultError(
                        f"the episode {episode.id!r} goes otherwise when its actions are taken again: step {at + 1} "
                        f"gives the reward {reward}, not {step.reward}"
                    )
            if info["outcome"] != episode.outcome:
                raise ResultError(
                    f"the episode {episode.id!r} ends as {info['outcome']} when its actions are taken again, not as "
                    f"{episode.outcome}"
                )
        finally:
            env.close()
    return number
