"""The explorer: it finds its way by the texts alone, from any moment, in both dialects."""

import random
import tarfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfgym.envs.household.belief import UnknownTaskError, parse_task
from selfgym.envs.household.catalogue import likely_places
from selfgym.envs.household.explorer import Explorer
from selfgym.envs.household.game import FIXES, Dialect, compile_game
from selfgym.envs.household.generate import SENTENCES, generate_layout
from selfgym.envs.household.layout import Goal, Layout, TaskType
from selfgym.envs.household.pddl import load_game_file
from selfgym.envs.household.world import World

GAMES = Path(__file__).parents[3] / "shared" / "data" / "alfworld" / "games.tar.xz"
TYPES = st.sampled_from(list(TaskType))


def _play(world: World, explorer: Explorer, text: str, *, menu: bool = True, limit: int = 50) -> list[str]:
    commands: list[str] = []
    while not world.won and len(commands) < limit:
        info: dict[str, Any] = {"task": world.game.task}
        if menu:
            info["admissible_commands"] = world.admissible()
        commands.append(explorer.act(text, info))
        text = world.step(commands[-1])
    return commands


def _world(layout: Layout, dialect: Dialect = "0.4") -> World:
    return World(compile_game(layout, dialect=dialect))


@pytest.mark.parametrize("size", ["tiny", "small", "medium"])
@pytest.mark.parametrize("menu", [True, False])
@pytest.mark.parametrize("dialect", ["0.4", "0.3"])
def test_wins_within_fifty_commands(size: str, menu: bool, dialect: Dialect) -> None:
    for task_type in TaskType:
        for seed in range(12):
            world = _world(generate_layout(seed, size=size, task_type=task_type), dialect)
            _play(world, Explorer(), world.reset(), menu=menu)
            assert world.won, (task_type, seed)


@settings(max_examples=80, deadline=None)
@given(seed=st.integers(0, 10**6), task_type=TYPES, past=st.integers(0, 30), told=st.booleans())
def test_takes_over_from_anyone_with_or_without_the_history(
    seed: int, task_type: TaskType, past: int, told: bool
) -> None:
    world = _world(generate_layout(seed, size="small", task_type=task_type))
    draw, explorer, text = random.Random(seed), Explorer(), world.reset()
    for _ in range(past):
        command = draw.choice([*world.admissible(), "go to bed", "take moon 1 from sky 1", "  ", "open fridge 9"])
        if told:
            explorer.observe(text, command)
        text = world.step(command)
    if not world.won:
        _play(world, explorer, text)
    assert world.won


def test_commands_are_possible_whenever_the_menu_is_shown() -> None:
    for seed in range(20):
        world = _world(generate_layout(seed, size="medium"))
        explorer, text = Explorer(), world.reset()
        while not world.won:
            menu = world.admissible()
            command = explorer.act(text, {"task": world.game.task, "admissible_commands": menu})
            assert command in menu
            text = world.step(command)


def test_the_fixes_of_the_world_do_not_confuse() -> None:
    for seed in range(20):
        layout = generate_layout(seed, size="medium")
        world = World(compile_game(layout, fixes=frozenset(FIXES)))
        _play(world, Explorer(), world.reset())
        assert world.won, seed
        world.reset()
        _play(world, Explorer(), "You see nothing.")
        assert world.won, seed


def test_searches_likely_places_first_and_never_twice() -> None:
    layout = generate_layout(2, size="medium", task_type=TaskType.PICK_AND_PLACE)
    world = _world(layout)
    commands = _play(world, Explorer(), world.reset())
    visited = [command.removeprefix("go to ").split()[0] for command in commands if command.startswith("go to ")]
    assert visited[0] in likely_places(layout.goal.object_type)
    before = commands[: next(n for n, command in enumerate(commands) if command.startswith("take "))]
    assert len(set(before)) == len(before)


def test_same_texts_same_commands() -> None:
    world = _world(generate_layout(9, size="large"))
    first = _play(world, Explorer(), world.reset())
    assert _play(world, Explorer(), world.reset()) == first


@given(task_type=TYPES, number=st.integers(0, 1), stop=st.sampled_from(["", "."]))
def test_every_sentence_is_understood(task_type: TaskType, number: int, stop: str) -> None:
    sentence = SENTENCES[task_type][number].format(object="mug", target="shelf")
    assert parse_task(sentence + stop) == Goal(task_type, "mug", "shelf")
    assert parse_task(f"You see a bed 1.\n\nYour task is to: {sentence}{stop}") == Goal(task_type, "mug", "shelf")


def test_other_sentences_are_refused_by_name() -> None:
    with pytest.raises(UnknownTaskError, match="make me a sandwich"):
        Explorer().act("You see nothing.", {"task": "make me a sandwich."})


def test_wins_genuine_games(tmp_path: Path) -> None:
    if not GAMES.exists():
        pytest.skip(f"the genuine games are not here: {GAMES}")
    with tarfile.open(GAMES) as archive:
        members = [m for m in archive.getmembers() if m.name.endswith("game.tw-pddl") and "valid_seen" in m.name]
        chosen = members[::10]
        archive.extractall(tmp_path, members=chosen, filter="data")
    assert len(chosen) == 14
    for member in chosen:
        world = _world(load_game_file(tmp_path / member.name))
        _play(world, Explorer(), world.reset())
        assert world.won, member.name
