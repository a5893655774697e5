"""Apps-v0 as its users meet it: episodes in a sandbox, saving and going back, cheating, metrics, the clerk."""

from __future__ import annotations

import json
import os
import site
from pathlib import Path

import gymnasium
import pytest

from selfgym.agents.clerk import ClerkAgent
from selfgym.envs.apps import hiding
from selfgym.envs.apps.api.endpoint import APPS
from selfgym.envs.apps.env import APP_TOOLS, AppsEnv
from selfgym.envs.apps.evaluate import NOTHING_ELSE
from selfgym.envs.apps.oracle import skill, steps
from selfgym.envs.apps.scenarios.scenario import SPLITS
from selfgym.envs.core import Outcome, SnapshotError
from selfgym.envs.sandbox.limits import SandboxUnavailable
from selfgym.memory.episode import Source


def opened(**options):
    env = AppsEnv(**options)
    try:
        env.reset(seed=0)
    except SandboxUnavailable as error:
        pytest.skip(f"NO SANDBOX: {error}")
    return env


@pytest.fixture(scope="module")
def env():
    env = opened()
    yield env
    env.close()


@pytest.fixture(scope="module")
def other():
    env = opened()
    yield env
    env.close()


def play(env, agent, seed, **options):
    """The last of what was seen, and the actions."""
    observation, info = env.reset(seed=seed, options=options)
    agent.begin(env)
    actions = []
    while info["outcome"] is Outcome.RUNNING:
        decision = agent.act(observation, info)
        assert decision.source is Source.TEACHER
        actions.append(decision.action)
        observation, reward, *_, info = env.step(decision.action)
    return observation, reward, info, actions


@pytest.mark.parametrize("split", SPLITS)
def test_the_clerk_does_tasks_of_every_split(split):
    env = opened(split=split)
    for seed in (0, 4, 8):
        observation, reward, info, _ = play(env, ClerkAgent(), seed)
        assert (reward, info["outcome"], info["score"]) == (1.0, Outcome.SUCCESS, 1.0), observation
        assert info["action_error"] is None
        assert all(passed for _, passed in info["tests"])
    env.close()


def test_a_careless_clerk_gets_nothing(env):
    for seed in (0, 1, 2):
        observation, reward, info, _ = play(env, ClerkAgent(careless=True), seed)
        assert (reward, info["outcome"]) == (0.0, Outcome.FAILURE)
        assert (NOTHING_ELSE, False) in info["tests"]
        assert 0 < info["score"] < 1
        assert NOTHING_ELSE in observation


def test_a_skill_of_the_first_task_does_the_others_in_one_step(env):
    *_, actions = play(env, ClerkAgent(skills=True), 3)
    assert len(actions) == 2
    found = env.assignment
    definitions = {found.scenario.name: skill(found.scenario, found.task)}
    for seed in (4, 5):
        _, reward, _, actions = play(env, ClerkAgent(skills=True), seed, definitions=definitions)
        assert len(actions) == 1
        assert reward == 1.0
    observation, _ = env.reset(seed=4, options={"definitions": definitions})
    assert f"Defined already: def {found.scenario.name}(" in observation


def test_a_clerk_without_its_world_says_so():
    agent = ClerkAgent()
    agent.begin(object())
    with pytest.raises(TypeError, match="Apps-v0"):
        agent.act("", {})
    with pytest.raises(ValueError, match="not both"):
        ClerkAgent(skills=True, careless=True)


def test_the_first_observation_is_short_and_tells_what_is_there(env):
    for seed in range(0, 99, 3):
        observation, info = env.reset(seed=seed)
        assert observation.startswith(info["task"])
        assert all(app in observation for app in APPS)
        assert 'docs("mail.send")' in observation
        assert len(observation.split()) < 170
    assert info["scenario"] in info["task_id"]
    assert info["variant"] == 0


def test_actions_may_be_code_or_calls(env):
    env.reset(seed=0)
    assert env.step("print(apis.supervisor.now()['date'])")[0].startswith("2026-")
    assert env.step({"name": "run", "arguments": {"code": "x = 2"}})[0].startswith("Done")
    assert env.step('{"name": "run", "arguments": {"code": "print(x + 1)"}}')[0] == "3"
    assert [tool.name for tool in APP_TOOLS] == ["run", "finish"]
    observation, reward, terminated, _, info = env.step({"name": "finish", "arguments": {"answer": None}})
    assert (reward, terminated, info["outcome"]) == (0.0, True, Outcome.FAILURE)
    assert "Failed: " in observation


def test_an_answer_is_judged(env):
    with opened(scenario="sum_invoices") as one:
        right = one.assignment.task.answer
        assert one.step(f"finish({right})")[1] == 1.0
        one.reset(seed=0)
        assert one.step(f"finish({right + 1})")[1] == 0.0
        one.reset(seed=0)
        assert one.step({"name": "finish", "arguments": {"answer": str(right)}})[1] == 1.0


def test_a_step_that_fails_has_no_effect(env):
    env.reset(seed=0)
    key = env.state_key()
    observation, *_, info = env.step("print('before')\napis.notes.create(title='a', body='b')\nx = 1 / 0")
    assert info["action_error"].startswith("ZeroDivisionError: division by zero (line 3: x = 1 / 0)")
    assert observation.startswith("before\n")
    assert "Traceback" not in observation
    assert env.state_key() == key
    assert not env.host.all_changes()
    assert "NameError" in env.step("print(x)")[4]["action_error"]


ENDS = {
    "import os; os._exit(3)": "exit code 3",
    "x = bytearray(10**10)": "MemoryError",
    "import sys; sys.setrecursionlimit(10**9)\ndef f(): f()\nf()": "broke off",
    "apis.todo.lists()\nexit(1)": None,
    "print('a' * 10**7)": None,
}


@pytest.mark.parametrize("code", ENDS)
def test_however_the_code_ends_the_episode_goes_on(env, code):
    env.reset(seed=0)
    observation, _, terminated, truncated, info = env.step(code)
    assert not terminated
    assert not truncated
    assert len(observation) < 5000
    assert (info["action_error"] is None) == (ENDS[code] is None), observation
    assert (ENDS[code] or "") in observation
    assert env.step("print(1)")[0] == "1"


def test_long_output_is_cut_in_the_middle(env):
    env.reset(seed=0)
    observation = env.step("print('a' * 3000 + 'b' * 3000)")[0]
    assert observation.startswith("aaa")
    assert observation.rstrip().endswith("bbb")
    assert "characters left out" in observation
    assert len(observation) < 2200


def test_a_step_leaves_no_files(env):
    env.reset(seed=0)
    env.step("open('/work/note', 'w'); print(1)")
    env.step("import os; os.mkdir('/tmp/' + 'note'); print(1)")
    assert env.step("import os; print(os.listdir('/work') + os.listdir('/tmp'))")[0] == "[]"


def test_an_episode_saved_in_its_middle_goes_on_in_another_environment(env, other):
    env.reset(seed=6)
    codes = steps(env.assignment.scenario, env.assignment.task)
    env.step("def mine(x):\n    return {'b': x, 'a': [x]}\nkept = mine(3)")
    for code in codes[:-1]:
        env.step(code)
    saved, key = env.snapshot(), env.state_key()
    last = [env.step("print(list(kept), mine(1))"), env.step(codes[-1])]
    other.restore(saved)
    assert (other.snapshot(), other.state_key()) == (saved, key)
    assert [other.step("print(list(kept), mine(1))"), other.step(codes[-1])] == last
    assert last[1][1] == 1.0
    assert other.snapshot() == env.snapshot()
    assert other.restore(env.snapshot()) == (last[1][0], last[1][4])


def test_keys_tell_states_apart(env):
    env.reset(seed=0)
    keys = [env.state_key()]
    for code in ("x = 1", "def f(): pass", "apis.todo.create_list(name='new')"):
        env.step(code)
        keys.append(env.state_key())
    env.step("print(apis.todo.lists())")
    assert env.state_key() == keys[-1]
    assert len(set(keys)) == 4
    assert env.reset(seed=0)
    assert env.state_key() == keys[0]


def test_foreign_snapshots_are_refused(env):
    env.reset(seed=0)
    with opened(level=1) as one:
        saved = one.snapshot()
    with pytest.raises(SnapshotError, match="other options"):
        env.restore(saved)


STEAL = "import gc, sqlite3\ndb = [one for one in gc.get_objects() if isinstance(one, sqlite3.Connection)][0]\n"


def test_changing_the_copy_changes_nothing(env):
    env.reset(seed=0)
    observation = env.step(STEAL + "db.execute('delete from mail')\nprint(len(apis.mail.search()))")[0]
    assert observation.startswith("0\n[What the code saw is not what the apps hold")
    assert not env.host.all_changes()
    assert env.step("print(len(apis.mail.search()))")[0] == "5"
    env.step(STEAL + "db.execute('update wallet set balance = 10**6')\nprint(1)")
    assert not env.host.all_changes()


def forging(times=1, **fields):
    """Code that writes a report of its own, with its calls so many times."""
    report = {"output": "", "error": None, "calls": [], "digest": "", "finished": False, "answer": None}
    report |= {"kept": [], "variables": {}} | fields
    return (
        f"import json, os\nreport = json.loads({json.dumps(report)!r})\nreport['calls'] *= {times}\n"
        "os.write(1, json.dumps(report).encode())\nos._exit(0)"
    )


def test_a_forged_log_is_no_more_than_calls(env):
    env.reset(seed=0)
    *_, info = env.step(forging(calls=[["evaluate.pass", {}]] * 3 + [["mail.star", {"mail_id": "x"}]]))
    assert not env.host.all_changes()
    *_, info = env.step(forging(times=10_000, calls=[["todo.lists", {}]]))
    assert "broke off" in info["action_error"]
    observation, *_ = env.step(forging(calls=[["notes.create", {"title": "a", "body": "b"}]]))
    assert "tampered" in observation
    assert set(env.host.all_changes()) == {"notes"}
    assert env.step(forging(finished=True))[1] == 0.0


def test_what_is_judged_by_cannot_be_seen_from_inside(env):
    env.reset(seed=0)
    code = "import os, sys\nprint(sorted(name for _, _, names in os.walk('/srv') for name in names))\n"
    seen = env.step(code + "try:\n    import selfgym.envs.apps.evaluate\nexcept ImportError:\n    print('no')")[0]
    assert seen.endswith("no")
    assert "evaluate" not in seen
    assert "oracle" not in seen


def test_an_installed_copy_is_covered(monkeypatch):
    assert hiding.hidden() == {}
    ours = Path(hiding.__file__).parent
    monkeypatch.setattr(site, "getsitepackages", lambda: [str(ours.parents[1])])
    ((cover, covered),) = hiding.hidden().items()
    assert os.path.isdir(cover)
    assert covered.endswith("envs/apps")


def test_a_sandbox_that_is_gone_is_nobodys_failure():
    with opened() as env:
        env._session.close()
        observation, reward, terminated, truncated, info = env.step("print(1)")
        assert (reward, terminated, truncated, info["outcome"]) == (0.0, False, True, Outcome.ENV_ERROR)
        assert "sandbox" in observation
        env.reset(seed=1)
        assert env.step("print(1)")[0] == "1"


def test_options_that_make_no_sense_are_refused(env):
    for wrong in ({"split": "test"}, {"level": 4}, {"scenario": "none"}, {"max_steps": 0}, {"render_mode": "human"}):
        with pytest.raises(ValueError, match=r"choose|has no|at least"):
            AppsEnv(**wrong)
    for wrong in ({"skills": {}}, {"definitions": ["def f(): pass"]}, {"definitions": {"f": "x" * 100_000}}):
        with pytest.raises(ValueError, match="definitions"):
            env.reset(seed=0, options=wrong)


def test_an_episode_ends_after_its_last_step():
    with opened(max_steps=2, render_mode="ansi") as env:
        assert env.step("print(1)")[3] is False
        *_, truncated, info = env.step("print(2)")
        assert truncated
        assert info["outcome"] is Outcome.TRUNCATED
        assert "score" not in info
        assert env.render() == "2"


def test_an_episode_may_begin_with_the_task_alone():
    plain = AppsEnv(explain=False)
    observation, info = plain.reset(seed=0, options={"definitions": {"f": "def f(x):\n    return x"}})
    assert observation == f"{info['task']}\nDefined already: def f(x)"
    plain.close()


def test_it_is_made_by_its_name():
    env = gymnasium.make("selfgym:selfgym/Apps-v0", split="dev", level=2)
    assert isinstance(env.unwrapped, AppsEnv)
    env.close()
