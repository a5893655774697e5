"""Ray actors: the episodes of one process, whatever happens to the actors; a cluster that nobody else can reach."""

from __future__ import annotations

import json
import os
import random
import signal
import sys
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import gymnasium
import pytest

from selfgym.agents.cluster import RayExecutor, connected, cpus, rollout_on
from selfgym.agents.policies.scripted import ScriptedPolicy
from selfgym.agents.random import RandomAgent
from selfgym.agents.ray_workers import LOSSES, RayPool
from selfgym.agents.react import ReactAgent
from selfgym.agents.rollout import Job, play_all
from selfgym.agents.workers import WorkerError
from selfgym.benchmarks.ray_kill import answer, descendants, measure, worker_processes
from selfgym.cli import main
from selfgym.envs.core import Outcome
from selfgym.memory.store import EpisodeStore

pytestmark = [
    pytest.mark.skipif(find_spec("ray") is None, reason="NO RAY: pip install 'selfgym[ray]'"),
    pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="processes are looked for in /proc"),
    # threads and pipes that Ray leaves to the garbage collector
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]
TIMELESS = {"created": 0.0}
HOUSE = ["--option", "size=tiny", "--max-steps", "5"]


@pytest.fixture(scope="module", autouse=True)
def cluster(monkeypatch_module):
    """One for all: it takes seconds to start."""
    monkeypatch_module.delenv("RAY_ADDRESS", raising=False)
    with connected():
        yield


@pytest.fixture(scope="module")
def monkeypatch_module():
    with pytest.MonkeyPatch.context() as patch:
        yield patch


def household():
    return gymnasium.make("selfgym/Household-v0", size="tiny", max_steps=6).unwrapped


def jobs(count, make=household, agent=RandomAgent):
    record = {"env": "selfgym/Household-v0"}
    return [Job(f"e{n}", make, partial(agent, seed=n), seed=n, record=record) for n in range(count)]


def timeless(episodes):
    return [episode.model_copy(update=TIMELESS).model_dump_json() for episode in episodes]


def stored(path, run):
    with EpisodeStore(path, readonly=True) as store:
        episodes = store.episodes(run=run)
        return timeless(e.model_copy(update={"id": e.id.rpartition("/")[2], "run": ""}) for e in episodes)


def said(capsys, *arguments):
    assert main(list(arguments)) == 0, capsys.readouterr().err
    return capsys.readouterr().out


class Breaking:
    """An agent that takes its process with it, or only its episode."""

    def __init__(self, seed):
        self.seed = seed

    def act(self, observation, info):
        if self.seed == 1:
            os._exit(3)
        if self.seed == 2:
            raise RuntimeError("out of ideas")
        return "look"


class Changing:
    """An environment that answers otherwise on every actor."""

    version = "1"

    def __init__(self):
        self.key = str(os.getpid())

    def state_key(self):
        return self.key

    def close(self):
        pass


def test_nobody_else_can_reach_the_cluster():
    assert cpus() >= 1
    with RayPool(household) as pool:
        pool.lease()
        ours = {inode for process in [os.getpid(), *descendants(os.getpid())] for inode in sockets(process)}
    addresses = []
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and fields[9] in ours:
                addresses.append(fields[1].partition(":")[0])
    assert len(addresses) >= 4
    assert set(addresses) <= {"0100007F", "0000000000000000FFFF00000100007F"}  # 127.0.0.1, and the same in IPv6's form


def sockets(process):
    try:
        links = [os.readlink(link) for link in Path(f"/proc/{process}/fd").iterdir()]
    except OSError:  # it has ended meanwhile
        return []
    return [link[8:-1] for link in links if link.startswith("socket:[")]


def test_whole_episodes_are_those_of_one_process_in_its_order():
    with RayExecutor(2) as executor:
        there = [episode for _, episode in rollout_on(executor, jobs(7))]
    assert timeless(there) == timeless(play_all(jobs(7)))


def test_environments_far_from_their_policy_give_the_same():
    policy = ScriptedPolicy(answer)
    agent = partial(ReactAgent, policy)
    with RayPool(household, ready=2) as pool:
        there = play_all(jobs(5, pool.lease, agent), policy, width=2)
    assert timeless(there) == timeless(play_all(jobs(5, household, agent), policy, width=2))


def test_an_environment_outlives_its_actors():
    alone = household()
    with RayPool(household) as pool:
        env = pool.lease()
        assert env.start("reset", seed=4, options=None).result() == alone.reset(seed=4)
        for command in ("look", "inventory", "help"):
            [worker] = worker_processes()
            os.kill(worker, signal.SIGKILL)
            assert env.start("step", command).result() == alone.step(command)
        assert env.start("state_key").result() == alone.state_key()
        assert pool.lost == 3
        env.close()


def test_another_answer_after_a_loss_is_an_error_and_no_episode():
    with RayPool(Changing) as pool:
        env = pool.lease()
        first = env.start("state_key").result()
        os.kill(int(first), signal.SIGKILL)
        with pytest.raises(WorkerError, match="'state_key' gave another answer"):
            env.start("state_key").result()


def test_what_kills_every_worker_ends_its_own_episode_only():
    with RayExecutor(2) as executor:
        [good, deadly, raising] = [episode for _, episode in rollout_on(executor, jobs(3, agent=Breaking))]
        assert executor.pool.lost == LOSSES
    assert good.outcome is Outcome.TRUNCATED
    assert deadly.outcome is Outcome.ENV_ERROR
    assert f"{LOSSES} workers were lost" in deadly.error
    assert raising.outcome is Outcome.POLICY_ERROR
    assert "out of ideas" in raising.error


def test_a_function_that_raises_says_so():
    with RayExecutor(1) as executor, pytest.raises(WorkerError, match=r"ValueError: .*nonsense"):
        executor.submit(int, "nonsense").result()


def test_a_pool_that_is_closed_lets_nobody_wait():
    with RayPool(household) as pool:
        env = pool.lease()
        waiting = env.start("reset", seed=0)
    with pytest.raises(WorkerError):
        waiting.result()


def test_killed_workers_lose_nothing_and_double_nothing(tmp_path):
    found = measure("whole episodes", 3, random.Random(7), tmp_path)
    assert found["kills"] == 3
    assert (found["lost"], found["doubled"], found["errors"]) == (0, 0, 0)
    assert found["same"]


@pytest.mark.parametrize("asks", [False, True])
def test_selfgym_run_on_ray_is_the_same_and_resumes(asks, tmp_path, capsys):
    path = tmp_path / "episodes.db"
    agent = ["react", "--model", "scripted:selfgym.benchmarks.ray_kill:answer"] if asks else ["random"]
    command = ["run", "--agent", *agent, *HOUSE, "--store", str(path), "--parallel", "2", "--json"]
    said(capsys, *command, "--episodes", "4", "--run", "alone")
    said(capsys, *command, "--episodes", "2", "--run", "there", "--ray")
    told = json.loads(said(capsys, *command, "--episodes", "4", "--run", "there", "--ray"))
    assert (told["episodes"], told["errors"]) == (4, 0.0)
    assert stored(path, "there") == stored(path, "alone")


def test_a_suite_on_ray_gives_the_same(tmp_path, capsys):
    suite = tmp_path / "small.toml"
    suite.write_text(SUITE)
    found = []
    for more in (["--ray", "--workers", "2"], []):
        out = ["--out", str(tmp_path / f"out{len(found)}"), "--alone", "--json", "--quiet"]
        result = json.loads(said(capsys, "bench", str(suite), "--agent", "expert", *out, *more))
        found.append([(line["task"], line["outcome"], line["steps"]) for line in result["lines"]])
    assert found[0] == found[1]
    assert len(found[0]) == 4


SUITE = """
name = "small"
version = 1
about = "A house."

[[parts]]
name = "house"
env = "selfgym/Household-v0"
env_version = "1.1"
expert = "expert"
options = { size = "tiny", split = "test", max_steps = 12 }
seeds = { count = 4 }
"""


def test_a_run_of_training_on_ray_ends_with_the_weights_of_one_process(tmp_path, capsys):
    pytest.importorskip("torch", reason="training needs selfgym[train]")
    small = [
        "env_options.size=tiny", "env_options.max_steps=4", "search.simulations=2", "clone.steps=2", "update.steps=2",
        "unit=1", "agent.restrict=true",
    ]  # fmt: skip
    sizes = ["--demos", "2", "--tasks", "2", "--evaluations", "1", "--iterations", "1"]
    options = [word for setting in small for word in ("--set", setting)]
    found = []
    for name, more in (("alone", ["--set", "workers=1"]), ("there", ["--set", "workers=2", "--ray"])):
        folder = tmp_path / name / "run"
        said(capsys, "evolve", "agent-r", *sizes, *options, *more, "--out", str(folder), "--json")
        weights = (folder / "checkpoints" / "1" / "model.safetensors").read_bytes()
        found.append((stored(folder / "episodes.db", "run"), weights, (folder / "metrics.jsonl").read_text()))
    assert found[0] == found[1]


def test_without_ray_the_error_says_what_to_install(tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    store = tmp_path / "episodes.db"
    assert main(["run", "--agent", "random", "--episodes", "1", "--store", str(store), "--ray"]) == 1
    assert capsys.readouterr().err == "selfgym: a Ray cluster needs ray: pip install 'selfgym[ray]'\n"
    assert not store.exists()


def test_two_ways_to_play_elsewhere_are_one_too_many(tmp_path, capsys):
    assert main(["run", "--agent", "random", "--ray", "--processes", "--store", str(tmp_path / "a.db")]) == 1
    assert "give one" in capsys.readouterr().err
