"""The rollout engine: many episodes in lockstep, typed outcomes, the same result whatever finishes first."""

import os
import signal
import subprocess
import sys
import time
from contextlib import closing, suppress
from functools import partial
from pathlib import Path

import gymnasium
import pytest

from selfgym.agents.agent import UnknownAgentError, find_agent
from selfgym.agents.policies.policy import PolicyError
from selfgym.agents.policies.scripted import ScriptedPolicy
from selfgym.agents.random import RandomAgent
from selfgym.agents.react import ReactAgent
from selfgym.agents.rollout import Job, rollout
from selfgym.agents.workers import EnvPool, RemoteEnv
from selfgym.envs.core import AgentEnv, Outcome
from selfgym.memory.episode import Source

RECORD = {"env": "selfgym/Household-v0"}


def household(**options):
    return gymnasium.make("selfgym/Household-v0", size="tiny", max_steps=6, **options).unwrapped


def actions(episodes):
    return [[step.action for step in episode.steps] for episode in episodes]


def played(jobs, policy=None, **options):
    return [episode for _, episode in sorted(rollout(jobs, policy, **options), key=lambda pair: pair[0])]


def random_jobs(count, make=household):
    return [Job(f"e{n}", make, partial(RandomAgent, seed=n), seed=n, record=RECORD) for n in range(count)]


def test_episodes_are_recorded_whole():
    [episode] = played(random_jobs(1))
    assert episode.id == "e0"
    assert episode.seed == 0
    assert episode.outcome in (Outcome.TRUNCATED, Outcome.SUCCESS)
    assert len(episode.steps) == 6
    assert episode.task in episode.steps[0].observation
    assert all(step.state_key for step in episode.steps)
    env = household()
    observation, _ = env.reset(seed=0)
    for step in episode.steps:
        assert step.observation == observation
        observation, *_ = env.step(step.action)
    assert episode.final_observation == observation


def test_width_does_not_change_episodes():
    narrow, wide = played(random_jobs(7), width=1), played(random_jobs(7), width=5)
    strip = {"created": 0.0}
    assert [e.model_copy(update=strip) for e in narrow] == [e.model_copy(update=strip) for e in wide]


def test_worker_processes_give_the_same_episodes():
    here = played(random_jobs(3))
    there = played(random_jobs(3, partial(RemoteEnv, household)), width=3)
    assert actions(here) == actions(there)
    assert [e.final_observation for e in here] == [e.final_observation for e in there]


class Failing(AgentEnv):
    """Breaks at the step its seed says."""

    def __init__(self, how):
        self.how, self.inner = how, household()
        self.version = self.inner.version

    def reset(self, *, seed=None, options=None):
        if self.how == "reset":
            raise OSError("no display")
        return self.inner.reset(seed=seed, options=options)

    def step(self, action):
        if self.how == "exit":
            os._exit(3)
        raise OSError("the disk is full")

    def snapshot(self):
        return self.inner.snapshot()

    def restore(self, snapshot):
        return self.inner.restore(snapshot)


@pytest.mark.parametrize("how", ["reset", "step"])
def test_a_failing_environment_ends_its_own_episode_only(how):
    jobs = random_jobs(3)
    jobs[1] = Job("broken", partial(Failing, how), RandomAgent, seed=1, record=RECORD)
    good, bad, also_good = played(jobs)
    assert bad.outcome is Outcome.ENV_ERROR
    assert "OSError" in bad.error
    assert bad.total_reward == 0
    assert actions([good, also_good]) == [actions(played(random_jobs(3)))[n] for n in (0, 2)]


def test_a_worker_that_dies_is_an_env_error():
    make = partial(RemoteEnv, partial(Failing, "exit"))
    [episode] = played([Job("dead", make, RandomAgent, seed=0, record=RECORD)])
    assert episode.outcome is Outcome.ENV_ERROR
    assert "exit code 3" in episode.error


def test_a_pool_lends_its_workers_to_one_episode_after_another():
    here = played(random_jobs(5))
    with EnvPool(household) as pool:
        there = played(random_jobs(5, pool.lease), width=2)
        pids = {env._process.pid for env in pool._idle}
    assert actions(here) == actions(there)
    assert len(pids) == 2
    assert not any(os.path.exists(f"/proc/{pid}") for pid in pids)


def test_a_pool_replaces_a_worker_that_failed():
    with EnvPool(partial(Failing, "step")) as pool:
        job = lambda n: Job(f"b{n}", pool.lease, RandomAgent, seed=n, record=RECORD)  # noqa: E731
        episodes = played([job(n) for n in range(2)], width=1)
        assert [episode.outcome for episode in episodes] == [Outcome.ENV_ERROR] * 2
        assert pool._idle == []


class Slow:
    """Closes with a word; `wait` takes long."""

    version = "1"

    def wait(self):
        print("waiting", flush=True)
        time.sleep(60)

    def close(self):
        print("closed", flush=True)


def keep_waiting():
    """What the next test interrupts, in a process of its own."""
    with closing(RemoteEnv(Slow)) as env, suppress(KeyboardInterrupt):
        env.start("wait").result()


def test_ctrl_c_ends_workers_without_a_word_of_theirs():
    program = [sys.executable, "-c", f"from {__name__} import keep_waiting; keep_waiting()"]
    paths = {"PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[2]), *sys.path])}
    with subprocess.Popen(
        program, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ | paths,
        start_new_session=True,
    ) as process:  # fmt: skip
        assert process.stdout.readline() == "waiting\n"
        os.killpg(process.pid, signal.SIGINT)
        assert process.communicate(timeout=60) == ("closed\n", "")


class BrokenPolicy(ScriptedPolicy):
    """Cannot answer one episode, and raises for any batch that holds it."""

    def generate(self, prompts):
        if any(prompt.key == "e1" for prompt in prompts):
            raise RuntimeError("out of memory")
        return super().generate(prompts)


def test_a_prompt_that_cannot_be_answered_ends_its_own_episode_only():
    policy = BrokenPolicy(lambda text: "look")
    jobs = [Job(f"e{n}", household, partial(ReactAgent, policy, key=f"e{n}"), seed=n, record=RECORD) for n in range(3)]
    episodes = played(jobs, policy)
    assert [e.outcome for e in episodes] == [Outcome.TRUNCATED, Outcome.POLICY_ERROR, Outcome.TRUNCATED]
    assert "out of memory" in episodes[1].error
    assert PolicyError.__name__ in episodes[1].error


def test_an_agent_that_raises_is_a_policy_error():
    class Raising:
        def act(self, observation, info):
            raise KeyError("plan")

    [episode] = played([Job("e", household, Raising, seed=0, record=RECORD)])
    assert episode.outcome is Outcome.POLICY_ERROR
    assert "KeyError" in episode.error


def test_an_agent_without_a_model_that_asks_one_is_a_policy_error():
    policy = ScriptedPolicy(lambda text: "look")
    [episode] = played([Job("e", household, partial(ReactAgent, policy), seed=0, record=RECORD)], None)
    assert episode.outcome is Outcome.POLICY_ERROR


def test_forced_prefixes_are_injected_and_not_trained_on():
    policy = ScriptedPolicy(lambda text: "inventory")
    job = Job("e", household, partial(ReactAgent, policy), seed=0, record=RECORD, prefix=("look", "help"))
    [episode] = played([job], policy)
    assert [step.action for step in episode.steps] == [
        "look",
        "help",
        "inventory",
        "inventory",
        "inventory",
        "inventory",
    ]
    assert [step.trainable for step in episode.steps[:3]] == [False, False, True]
    assert episode.steps[0].source is Source.INJECTED
    text = policy.tokenizer.decode([t for s in episode.steps for t in s.prompt_ids + s.response_ids])
    assert text.index("look") < text.index("help") < text.index("inventory")


def test_ten_lines_make_an_agent():
    class Greedy:
        def act(self, observation, info):
            return max(info["admissible_commands"], key=len)

    [episode] = played([Job("e", household, Greedy, seed=0, record=RECORD)])
    assert all(step.valid for step in episode.steps)


def test_unknown_agents_suggest_the_nearest():
    with pytest.raises(UnknownAgentError, match="Did you mean 'random'"):
        find_agent("randon")
    with pytest.raises(UnknownAgentError, match="cannot be loaded"):
        find_agent("no_such_module:Agent")
    assert find_agent("selfgym.agents.random:RandomAgent") is RandomAgent
