"""ScienceWorld's tasks, against the genuine package and its simulator."""

import random
import shutil

import pytest

pytest.importorskip("scienceworld", reason="SCIENCEWORLD IS NOT INSTALLED: pip install 'selfgym[adapters]'")
if shutil.which("java") is None:
    pytest.skip("NO JAVA: apt-get install default-jre-headless", allow_module_level=True)

from selfgym.envs.adapters.scienceworld import ScienceWorldEnv, close_idle
from selfgym.envs.core import Outcome

SOLVED = ("find-animal", "lifespan-longest-lived", "power-component", "chemistry-mix", "identify-life-stages-2")


@pytest.fixture(scope="module", autouse=True)
def stopped():
    yield
    close_idle()


@pytest.mark.parametrize("task", SOLVED)
def test_the_gold_path_of_the_package_is_a_success(task):
    env = ScienceWorldEnv(task, max_steps=200)
    observation, info = env.reset(seed=1)
    assert observation.startswith(f"Task: {info['task']}")
    total = 0.0
    for command in env.solution():
        if info["outcome"] is Outcome.RUNNING:
            _, reward, terminated, _, info = env.step(command)
            total += reward
    assert (info["outcome"], info["score"], terminated) == ("success", 100, True)
    assert total == pytest.approx(1)
    env.close()


def test_a_mistake_that_cannot_be_mended_is_a_failure():
    env = ScienceWorldEnv("boil", simplifications="easy")
    env.reset(seed=0)
    _, reward, terminated, _, info = env.step("focus on picture")
    assert (reward, terminated, info["outcome"], info["score"]) == (-1.0, True, "failure", -100)
    env.close()


def test_splits_are_the_packages_and_share_no_variation():
    seen = {}
    for split in ("train", "dev", "test"):
        env = ScienceWorldEnv("boil", split=split)
        env.reset(seed=0)
        seen[split] = set(env._variations["boil"])
        env.close()
    assert [len(seen[split]) for split in seen] == [14, 7, 9]
    assert not seen["train"] & seen["test"] | seen["train"] & seen["dev"] | seen["dev"] & seen["test"]


def test_seeds_go_through_all_tasks():
    env = ScienceWorldEnv()
    assert len(env.tasks) == 30
    env.reset(seed=31)
    assert (env._inner.taskName, env._inner.variationIdx) == (env.tasks[1], env._variations[env.tasks[1]][1])
    env.close()


def test_what_is_not_understood_is_said():
    env = ScienceWorldEnv("boil", simplifications="easy")
    env.reset(seed=0)
    before = env.state_key()
    observation, *_, info = env.step("fly to the moon")
    assert info["action_error"].startswith("No known action matches that input. Actions: ")
    assert "open OBJ" in observation
    assert env.state_key() == before
    env.close()


def test_a_simulator_that_goes_is_no_failure_of_the_agent():
    env = ScienceWorldEnv("boil", simplifications="easy")
    env.reset(seed=0)
    env._inner._gateway.java_process.kill()
    *_, truncated, info = env.step("look around")
    assert (truncated, info["outcome"]) == (True, "env_error")
    assert env.reset(seed=0)[1]["outcome"] == "running"
    env.close()


@pytest.mark.parametrize("task", ["power-component", "mendelian-genetics-unknown-plant", "grow-plant", "find-animal"])
def test_doing_it_again_shows_the_same(task):
    env, other = ScienceWorldEnv(task), ScienceWorldEnv(task)
    _, info = env.reset(seed=2)
    rng = random.Random(0)
    for _ in range(6):
        safe = [one for one in info["admissible_commands"] if not one.startswith("focus")]
        *_, info = env.step(rng.choice(safe))
    assert other.restore(env.snapshot())[1] == info
    env.close()
    other.close()


def test_wrong_options_are_refused():
    with pytest.raises(ValueError, match=r"there is no task 'cook'.*boil"):
        ScienceWorldEnv("cook")
    with pytest.raises(ValueError, match="there is no split 'all'"):
        ScienceWorldEnv(split="all")
