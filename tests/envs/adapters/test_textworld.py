"""TextWorld's games, made and played by the genuine package."""

import random
import tempfile

import pytest

pytest.importorskip("textworld", reason="TEXTWORLD IS NOT INSTALLED: see docs/adapters.md")

from selfgym.envs.adapters.textworld import TextWorldEnv

FOLDER = f"{tempfile.gettempdir()}/selfgym-textworld-games/made"  # kept: to make a game takes seconds
SMALL = {"rooms": 2, "objects": 3, "quest_length": 2, "folder": FOLDER}


def test_the_walkthrough_is_a_success():
    env = TextWorldEnv(**SMALL)
    for seed in range(3):
        observation, info = env.reset(seed=seed)
        assert observation.startswith(f"Task: {info['task']}")
        assert "You are carrying" in observation
        total = 0.0
        for command in env.solution():
            _, reward, terminated, _, info = env.step(command)
            total += reward
        assert (total, terminated, info["outcome"]) == (1.0, True, "success")


def test_the_solution_goes_on_from_where_one_is():
    env, rng = TextWorldEnv(**SMALL), random.Random(1)
    _, info = env.reset(seed=1)
    for _ in range(4):
        harmless = [
            one for one in info["admissible_commands"] if one.startswith(("look", "examine", "inventory", "go"))
        ]
        *_, info = env.step(rng.choice(harmless))
    for command in env.solution():
        *_, info = env.step(command)
    assert info["outcome"] == "success"


def test_words_that_would_lead_aside_do_not_reach_the_game():
    env = TextWorldEnv(**SMALL)
    env.reset(seed=0)
    for word in ("restart", "quit", "save", "undo", "help"):
        observation, *_, info = env.step(word)
        assert info["action_error"].startswith(f"'{word}' is not possible here.")
        assert info["action_error"] in observation
    assert "=-" in env.step("look")[0]


def test_games_are_chosen_from_a_folder(tmp_path):
    made = TextWorldEnv(**SMALL)
    for seed in range(2):
        for path in made._made(seed).parent.glob(f"{seed}.*"):
            (tmp_path / path.name).write_bytes(path.read_bytes())
    env = TextWorldEnv(str(tmp_path))
    begun = [env.reset(seed=seed)[0] for seed in range(3)]
    assert begun[:2] == [made.reset(seed=seed)[0] for seed in range(2)]
    assert begun[2] == begun[0]


def test_wrong_options_are_refused(tmp_path):
    with pytest.raises(ValueError, match="no game of TextWorld"):
        TextWorldEnv(str(tmp_path))
    with pytest.raises(ValueError, match="no game of TextWorld"):
        TextWorldEnv(str(tmp_path / "zork.z8"))
    with pytest.raises(ValueError, match="at least 1"):
        TextWorldEnv(rooms=0)
