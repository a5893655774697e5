"""BabyAI and MiniGrid in words, against the genuine package."""

import random
import re

import gymnasium
import numpy as np
import pytest

pytest.importorskip("minigrid", reason="MINIGRID IS NOT INSTALLED: pip install 'selfgym[adapters]'")

from selfgym.agents.solver import SolverAgent
from selfgym.envs.adapters.babyai import ACTIONS, BabyAIEnv
from selfgym.envs.adapters.grid import COLOURS, DOORS, KINDS, described

LEVELS = ("GoToRedBallGrey", "GoToLocal", "PickupLoc", "PutNextLocal", "Open", "UnlockLocal", "Synth", "BossLevel")
AREAS = ("wall", "lava", "out of sight")


def placed(words):
    """The place that words such as ``2 forward and 1 left`` mean."""
    ahead, right, left = (re.search(rf"(\d+) {way}", words) for way in ("forward", "right", "left"))
    return (int(ahead[1]) if ahead else 0), (int(right[1]) if right else 0) - (int(left[1]) if left else 0)


def drawn(text, size):
    """The view that a description tells, read without looking at how it is made."""
    view = np.zeros((size, size, 3), dtype=int)
    view[:, :, 0] = KINDS.index("empty")

    def put(ahead, side, cell):
        view[side + size // 2, size - 1 - ahead] = cell

    for line in text.splitlines():
        area = next((kind for kind in AREAS if line.lower().startswith(f"{kind}: ")), None)
        if area:
            for part in line.partition(": ")[2].strip(".").split("; "):
                first, _, last = part.removeprefix("from ").partition(" to ")
                (a, b), (c, d) = placed(first), placed(last or first)
                for ahead in range(a, c + 1):
                    for side in range(b, d + 1):
                        assert view[side + size // 2, size - 1 - ahead, 0] == KINDS.index("empty"), "told twice"
                        put(ahead, side, (KINDS.index(area), COLOURS.index("grey") if area == "wall" else 0, 0))
            continue
        thing = re.match(r"You (see|carry) an? (?:(open|closed|locked) )?(\w+) (\w+) ?(.*)\.", line)
        if thing:
            door, colour, kind = (
                DOORS.index(thing[2]) if thing[2] else 0,
                COLOURS.index(thing[3]),
                KINDS.index(thing[4]),
            )
            put(*placed(thing[5]), (kind, colour, door))
    return view


@pytest.mark.parametrize("level", [*LEVELS, "MiniGrid-LavaCrossingS9N2-v0", "MiniGrid-DoorKey-8x8-v0"])
def test_the_words_tell_the_whole_view_and_nothing_else(level):
    env, rng = BabyAIEnv(level), random.Random(0)
    for seed in range(5):
        _, info = env.reset(seed=seed)
        for _ in range(40):
            view = env._inner.unwrapped.gen_obs()["image"].astype(int)
            told = drawn(described(view), view.shape[0])
            lava = view[:, :, 0] == KINDS.index("lava")
            view[lava, 1] = 0  # its colour is not told: there is but one
            assert (told == view).all()
            *_, ended, cut, info = env.step(rng.choice(info["admissible_commands"]))
            if ended or cut:
                break


def test_what_is_carried_is_told():
    env = BabyAIEnv("PickupLoc")
    env.reset(seed=1)
    commands = env.solution()
    seen = [env.step(command)[0] for command in commands]
    assert commands[-1] == "pick up"
    assert "You carry nothing." in seen[-2]
    assert re.search("You carry an? [a-z]+ (key|ball|box)", seen[-1])


@pytest.mark.parametrize("level", LEVELS)
def test_the_bot_of_babyai_succeeds_through_the_adapter(level):
    env = BabyAIEnv(level)
    for seed in range(3):
        observation, info = env.reset(seed=seed)
        assert observation.startswith(f"Mission: {info['task']}\n")
        total = 0.0
        for command in env.solution():
            assert info["outcome"] == "running"
            _, reward, *_, info = env.step(command)
            total += reward
        assert info["outcome"] == "success"
        assert 0.1 <= total <= 1


def test_the_solver_plays_it():
    env, agent = BabyAIEnv("PickupLoc"), SolverAgent()
    observation, info = env.reset(seed=5)
    agent.begin(env)
    while info["outcome"] == "running":
        observation, *_, info = env.step(agent.act(observation, info).action)
    assert info["outcome"] == "success"


def test_rewards_and_views_are_the_packages_own():
    env, plain = BabyAIEnv("GoToLocal"), gymnasium.make("BabyAI-GoToLocal-v0", disable_env_checker=True)
    rng = random.Random(3)
    for seed in range(5):
        env.reset(seed=seed)
        plain.reset(seed=seed)
        while True:
            action = rng.randrange(len(ACTIONS))
            told, reward, terminated, truncated, _ = env.step(ACTIONS[action])
            observed, expected, *ends, _ = plain.step(action)
            assert (reward, [terminated, truncated]) == (expected, ends)
            assert described(observed["image"]) in told
            if terminated or truncated:
                break


def test_lava_is_a_failure_and_no_truncation():
    env = BabyAIEnv("MiniGrid-LavaGapS5-v0")
    rng, ends = random.Random(0), set()
    for seed in range(30):
        _, info = env.reset(seed=seed)
        while info["outcome"] == "running":
            *_, info = env.step(rng.choice(("turn left", "go forward", "go forward")))
        ends.add(info["outcome"].value)
    assert "failure" in ends


def test_unknown_levels_are_refused():
    with pytest.raises(ValueError, match=r"there is no level 'GoTo Paris'.*GoToLocal"):
        BabyAIEnv("GoTo Paris")
