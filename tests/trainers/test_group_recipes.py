"""Every method on groups learns a game that a bandit would, and an interrupted run ends as one left alone."""

from __future__ import annotations

import json

import gymnasium
import pytest

from selfgym.envs.core import AgentEnv, Outcome
from selfgym.envs.spaces import UnicodeText
from selfgym.memory.store import EpisodeStore
from selfgym.trainers.evolve import evolve
from selfgym.trainers.recipe import RECIPES, find_recipe
from selfgym.trainers.stage import EvolveConfig

GROUPS = [name for name, where in RECIPES.items() if "recipes.groups" in where]
COMMANDS = ["look", "open drawer 1", "go to desk 1"]


class Doors(AgentEnv[str]):
    """Two decisions; the second pays if both were the same one of three."""

    def __init__(self, split: str = "train") -> None:
        self.observation_space, self.action_space = UnicodeText(200), UnicodeText(200)
        self.taken: list[str] = []

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.taken = []
        return "You see a desk 1.", self._info(Outcome.RUNNING)

    def step(self, action):
        self.taken.append(action)
        over = len(self.taken) == 2
        won = over and set(self.taken) == {COMMANDS[2]}
        outcome = (Outcome.SUCCESS if won else Outcome.FAILURE) if over else Outcome.RUNNING
        return "You see a drawer 1.", float(won), over, False, self._info(outcome)

    def _info(self, outcome):
        return {"outcome": outcome, "task": "t", "action_error": None, "admissible_commands": COMMANDS}

    def snapshot(self):
        return json.dumps(self.taken).encode()

    def restore(self, snapshot):
        self.taken = json.loads(snapshot)
        return "You see a drawer 1.", self._info(Outcome.RUNNING)


@pytest.fixture(scope="module", autouse=True)
def registered():
    gymnasium.register("tests/Doors-v0", entry_point=Doors, disable_env_checker=True)
    yield
    del gymnasium.registry["tests/Doors-v0"]


def settings(recipe, **changes):
    given = {
        "recipe": recipe, "env": "tests/Doors-v0", "demos": 0, "iterations": 5, "evaluate_every": 5, "evaluations": 60,
        "tasks": 10, "unit": 5, "agent": {"instruction": "", "restrict": True}, "group": {"size": 6},
        "update": {"epochs": 2, "batch_tokens": 400, "learning_rate": 1e-3, "tree": True, "checkpoint_every": 1},
    }  # fmt: skip
    return EvolveConfig(**(given | changes))


@pytest.mark.parametrize("recipe", GROUPS)
def test_every_method_finds_what_pays(recipe, tmp_path):
    first, last = evolve(settings(recipe), tmp_path / "run")
    assert first["success"] < 0.4
    assert last["success"] > first["success"] + 0.2


class Stopped(Exception):
    """Thrown where a run would be killed."""


@pytest.mark.parametrize("recipe", ["dapo", "gigpo", "dpo"])
def test_an_interrupted_run_ends_as_one_left_alone(recipe, tmp_path):
    config = settings(recipe, iterations=2, evaluate_every=1, evaluations=10)
    evolve(config, tmp_path / "alone")
    for stop in (1, 3, 4, 6, 2, 5):
        calls = 0

        def interrupt(what, done, total, stop=stop):
            nonlocal calls
            calls += 1
            if calls > stop:
                raise Stopped

        with pytest.raises(Stopped):
            evolve(config, tmp_path / "run", progress=interrupt)
    evolve(config, tmp_path / "run")
    ends = []
    for folder in (tmp_path / "alone", tmp_path / "run"):
        with EpisodeStore(folder / "episodes.db", readonly=True) as store:
            played = [(e.id.partition("/")[2], [step.action for step in e.steps]) for e in store.episodes()]
        ends.append(((folder / "checkpoints" / "2" / "model.safetensors").read_bytes(), played))
    assert ends[0] == ends[1]


def test_groups_that_teach_nothing_are_replaced(tmp_path):
    recipe = find_recipe("dapo")
    assert recipe.name == "dapo"
    folder = tmp_path / "run"
    evolve(settings("dapo", iterations=1, evaluations=2, tasks=6, unit=6, group={"size": 2, "refill": 2}), folder)
    with EpisodeStore(folder / "episodes.db", readonly=True) as store:
        played = [episode for episode in store.episodes() if episode.phase == "group-0"]
    assert len({episode.id for episode in played}) == len(played)
    groups: dict[str, set[float]] = {}
    for episode in played:
        groups.setdefault(episode.group, set()).add(episode.total_reward)
    assert len(played) == 2 * len(groups)
    even = [group for group, rewards in list(groups.items())[:6] if len(rewards) == 1]
    assert 6 < len(groups) <= 6 + 2 * len(even)
