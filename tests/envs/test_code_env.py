"""Code-v0 as its users meet it: episodes, seeds, snapshots, failures of the sandbox, tasks from files."""

import json
import os
import signal
import struct
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from gymnasium.error import ResetNeeded

from selfgym.envs.code.env import CodeEnv
from selfgym.envs.code.experts import play, undo
from selfgym.envs.core import Outcome, SnapshotError
from selfgym.envs.sandbox.limits import SandboxUnavailable
from selfgym.envs.sealed import seal, unseal
from selfgym.envs.tools import ToolCall

from .code_tasks import LIMITS, PROBLEM, RIGHT, opened, variant


@pytest.fixture(scope="module")
def env():
    with opened() as env:
        yield env


@pytest.fixture(scope="module")
def other():
    with opened() as env:
        yield env


def call(name, **arguments):
    return {"name": name, "arguments": arguments}


def do(env, name, **arguments):
    """One call; returns what is seen."""
    return env.step(call(name, **arguments))[0]


MEND = call("edit", path="calc/__init__.py", old="x + 2", new="x * 2")
SUBMIT = call("submit")
LOOK = call("shell", command="find . /tmp -printf '%p %y %m %T@ %l\\n' | sort; head -c 999 calc/*.py notes.txt")
"""Everything about every file, times included."""


def test_a_repair_is_found_tested_and_rewarded(env):
    observation, info = env.reset(seed=0)
    assert PROBLEM.statement in observation
    assert info == {"outcome": Outcome.RUNNING, "task": PROBLEM.statement, "task_id": "calc/1", "action_error": None}
    assert do(env, "list") == "calc/__init__.py\ncalc/more.py\nnotes.txt\ntests/test_calc.py"
    assert do(env, "search", pattern="def d") == "calc/__init__.py:4:def double(x):"
    assert "5     return x + 2" in do(env, "read", path="calc/__init__.py")
    assert "2 passed" in do(env, "test")
    assert env.step(MEND)[0] == "Replaced 1 line of calc/__init__.py from line 5 on by 1 line."
    assert do(env, "shell", command="python -c 'import calc; print(calc.double(3))'") == "6"
    observation, reward, terminated, truncated, info = env.step(SUBMIT)
    assert (reward, terminated, truncated, info["outcome"]) == (1.0, True, False, Outcome.SUCCESS)
    assert (info["score"], info["passed"], info["tests"], info["grade"]) == (1.0, 4, 4, "")
    assert observation == "All 4 hidden tests pass."
    with pytest.raises(ResetNeeded):
        env.step(SUBMIT)


def test_part_of_it_earns_no_reward_but_a_score(env):
    env.reset(seed=0)
    observation, reward, terminated, _, info = env.step(SUBMIT)
    assert (reward, terminated, info["outcome"], info["score"]) == (0.0, True, Outcome.FAILURE, 0.5)
    assert observation == info["grade"] == "2 of 4 hidden tests fail"


@pytest.mark.parametrize("form", [dict, json.dumps, lambda one: ToolCall(one["name"], one["arguments"])])
def test_an_action_is_a_dictionary_its_json_or_a_call(env, form):
    env.reset(seed=0)
    assert env.step(form(MEND))[4]["action_error"] is None
    assert env.step(form(SUBMIT))[1] == 1.0


def test_the_reward_is_the_same_for_a_solution_written_anew(env):
    env.reset(seed=0)
    do(env, "write", path="calc/__init__.py", content="from .deep import double, label\n")
    do(env, "write", path="calc/deep.py", content=RIGHT + "\n\nclass Unused:\n    pass\n")
    do(env, "write", path="tests/test_mine.py", content="def test_mine():\n    assert True\n")
    do(env, "write", path="readme.md", content="Mended.\n")
    assert env.step(SUBMIT)[1] == 1.0


def test_an_episode_is_cut_after_its_last_step():
    with opened(max_steps=2) as env:
        env.reset(seed=0)
        assert not env.step("nonsense")[3]
        *_, terminated, truncated, info = env.step(MEND)
        assert (terminated, truncated, info["outcome"]) == (False, True, Outcome.TRUNCATED)
        with pytest.raises(ResetNeeded):
            env.step(SUBMIT)
        env.reset(seed=0)
        env.step(MEND)
        *_, terminated, truncated, info = env.step(SUBMIT)
        assert (terminated, truncated, info["outcome"]) == (True, False, Outcome.SUCCESS)


def test_nothing_works_before_the_first_reset():
    env = CodeEnv(problems=[PROBLEM])
    for use in (lambda: env.step(SUBMIT), lambda: env.problem, lambda: env.session, env.snapshot, env.state_key):
        with pytest.raises(ResetNeeded):
            use()
    env.close()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"kind": "poem"}, "no task is of kind 'poem'"),
        ({"split": "best"}, "there is no split 'best'"),
        ({"max_steps": 0}, "at least 1"),
        ({"render_mode": "human"}, "unknown render_mode"),
        ({"problems": []}, "there are no problems"),
    ],
)
def test_wrong_options_are_refused_in_words(options, words):
    with pytest.raises(ValueError, match=words):
        CodeEnv(**options)


def test_reset_takes_no_options_and_begins_with_the_same_files(env):
    with pytest.raises(ValueError, match="unknown reset option 'goal'"):
        env.reset(options={"goal": 1})
    env.reset(seed=0)
    first = env.step(LOOK)[0]
    do(env, "shell", command="rm -r calc; ln -s / tests2; mkdir -p a/b; chmod 0 a; echo x > /tmp/y; touch notes.txt")
    env.reset(seed=0)
    assert env.step(LOOK)[0] == first


def test_a_seed_names_a_task(env):
    assert [env.reset(seed=seed)[1]["task_id"] for seed in (0, 1, 2, 3)] == ["calc/1", "calc/2", "calc/3", "calc/1"]
    env.reset(seed=7)
    unseeded = [env.reset()[1]["task_id"] for _ in range(5)]
    env.reset(seed=7)
    assert [env.reset()[1]["task_id"] for _ in range(5)] == unseeded


SCRIPT = [
    call("list"),
    call("test"),
    MEND,
    call(
        "write",
        path="tests/test_mine.py",
        content="import calc\n\ndef test_set():\n    assert {'a', 'b', 'c'} == 1\n",
    ),
    call("test", target="tests/test_mine.py"),
    call("shell", command='mkdir new; python -c \'print({"x", "y", "z"}, hash("a"))\'; ls -a . /tmp'),
    call("search", pattern="assert"),
    SUBMIT,
]


def trace(env, seed=0):
    """All that an episode shows."""
    seen = [env.reset(seed=seed)]
    for action in SCRIPT:
        seen.append(env.step(action))
        seen.append(env.state_key())
    return repr(seen)


def test_the_same_actions_give_the_same_episode_again_and_in_another_process(env, other, tmp_path):
    expected = trace(env)
    assert trace(env) == trace(other) == expected
    folder = Path(__file__).parent
    script = f"import sys; sys.path.insert(0, {str(folder.parent)!r})\n"
    script += "from envs.test_code_env import opened, trace\nwith opened() as env: print(trace(env))\n"
    environment = {**os.environ, "PYTHONHASHSEED": "77"}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=tmp_path, env=environment)
    assert done.stdout.strip() == expected, done.stderr


def test_a_container_shows_the_same_episode(env):
    ping = [sys.executable, "-c", "import docker; docker.from_env(timeout=10).ping()"]
    done = subprocess.run(ping, capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"no Docker engine answers: {done.stderr.splitlines()[-1]}")
    with opened(backend="docker") as boxed:
        assert trace(boxed) == trace(env)
        env.reset(seed=0)
        env.step(MEND)
        boxed.restore(env.snapshot())
        assert boxed.state_key() == env.state_key()
        assert boxed.step(SUBMIT)[1] == 1.0


CONTINUATION = [
    LOOK,
    call("test"),
    call("shell", command="cat /tmp/kept; stat -c '%Y %a %n' calc/* /tmp/kept | sort"),
    call("edit", path="calc/__init__.py", old="x * 2", new="2 * x"),
    call("read", path="calc/__init__.py"),
    call("shell", command="git init -q . && git add -A && git status --short"),
    SUBMIT,
]


def continued(env):
    return repr([env.step(action) for action in CONTINUATION])


def test_what_follows_a_restore_is_what_followed_before(env, other):
    env.reset(seed=1)
    env.step(MEND)
    do(env, "test")
    do(env, "shell", command="echo kept > /tmp/kept; chmod 600 /tmp/kept; ln -s /tmp/kept link; mkdir -m 700 empty")
    kept, key = env.snapshot(), env.state_key()
    assert env.snapshot() == kept
    expected = continued(env)
    assert "All 4 hidden tests pass" in expected
    after = env.snapshot()
    for one in (env, other, env):
        observation, info = one.restore(kept)
        assert (observation, info["task_id"], info["outcome"]) == ("[no output]", "calc/2", Outcome.RUNNING)
        assert (one.snapshot(), one.state_key()) == (kept, key)
        assert continued(one) == expected
        assert len(one.snapshot()) == pytest.approx(len(after), rel=0.05)  # the times of what was written since differ
    env.restore(kept)
    env.session.close()
    env.restore(kept)
    assert continued(env) == expected


def test_steps_count_on_from_a_snapshot(other):
    with opened(max_steps=3) as env:
        env.reset(seed=0)
        env.step(MEND)
        kept = env.snapshot()
        for _ in range(2):
            env.restore(kept)
            assert [env.step("nonsense")[3] for _ in range(2)] == [False, True]


def test_an_ended_episode_is_restored_as_ended(env, other):
    env.reset(seed=0)
    observation, *_ = env.step(SUBMIT)
    restored, info = other.restore(env.snapshot())
    assert restored == observation
    assert info["outcome"] is Outcome.FAILURE
    with pytest.raises(ResetNeeded):
        other.step(SUBMIT)
    other.reset(seed=0)
    assert other.step(MEND)[4]["action_error"] is None


def test_a_snapshot_is_small(env):
    env.reset(seed=0)
    begun = len(env.snapshot())
    do(env, "write", path="big.txt", content="x" * 60_000)
    assert len(env.snapshot()) < begun + 2_000
    assert begun < 4_000


def damaged(good):
    """Bytes that are not what this environment wrote, each in its way."""
    yield from (b"", b"code2", b"garbage", good[:-1], good + b"x", good[1:], good[: len(good) // 2], b"\0" * 99)
    for change in (
        lambda head: head.pop("nodes"),
        lambda head: head["nodes"].append(["/etc/x", "folder", 493, 0, ""]),
        lambda head: head["nodes"].append(["/work/x", "file", 420, 0, "0" * 32]),
        lambda head: head["nodes"].append(["/work/x", "file", "420", 0, ""]),
        lambda head: head["nodes"].append(7),
        lambda head: head.update(id="another"),
        lambda head: head["source"].update(seed="../../../x"),
        lambda head: head["source"].update(split="../../.."),
        lambda head: head["state"].update(steps="many"),
        lambda head: head["state"].update(ended="happily"),
        lambda head: head["state"].pop("error"),
        lambda head: head.update(blobs={"0" * 32: 0}),
        lambda head: head.update(source=None),
    ):
        yield forged(good, change)


def forged(good, change):
    data = unseal(b"code2", good, len(good) * 100)
    (length,) = struct.unpack_from(">I", data)
    head = json.loads(data[4 : 4 + length])
    change(head)
    text = json.dumps(head).encode()
    return seal(b"code2", struct.pack(">I", len(text)) + text + data[4 + length :])


def test_what_is_no_snapshot_is_refused_and_changes_nothing(env):
    env.reset(seed=1)
    env.step(MEND)
    good = env.snapshot()
    for number, bad in enumerate(damaged(good)):
        with pytest.raises(SnapshotError, match="cannot restore"):
            env.restore(bad)
        assert env.snapshot() == good, number
    with opened(problems=[PROBLEM]) as narrower, pytest.raises(SnapshotError, match="no longer draws"):
        narrower.restore(good)


def test_state_keys_are_equal_when_task_and_files_are(env, other):
    env.reset(seed=0)
    begun = env.state_key()
    do(env, "read", path="calc/__init__.py")
    do(env, "test")
    assert env.step("nonsense")[4]["action_error"]
    do(env, "shell", command="rm -rf /tmp/*; touch calc/__init__.py")
    assert env.state_key() == begun
    other.reset(seed=0)
    assert other.state_key() == begun
    keys = [begun]
    for command in ("echo >> notes.txt", "mkdir d", "ln -s d e", "chmod +x notes.txt", "echo > /tmp/z"):
        do(env, "shell", command=command)
        keys.append(env.state_key())
    env.reset(seed=1)
    keys.append(env.state_key())
    assert len(set(keys)) == len(keys)


def kill(env):
    """What an out-of-memory killer might do."""
    signal.pidfd_send_signal(env.session._link._server, signal.SIGKILL)


def test_a_sandbox_that_dies_says_nothing_about_the_agent(env):
    env.reset(seed=0)
    kill(env)
    observation, reward, terminated, truncated, info = env.step(call("list"))
    assert (reward, terminated, truncated, info["outcome"]) == (0.0, False, True, Outcome.ENV_ERROR)
    assert observation.startswith("The sandbox failed: the sandbox is gone")
    assert info["outcome"].is_error
    kept, key = env.snapshot(), env.state_key()
    with pytest.raises(ResetNeeded):
        env.step(SUBMIT)
    env.reset(seed=0)
    assert "calc" in do(env, "list")
    assert env.restore(kept)[1]["outcome"] is Outcome.ENV_ERROR
    assert env.state_key() == key


def test_a_sandbox_that_dies_while_a_command_runs_is_an_error_too(env):
    env.reset(seed=0)
    killer = threading.Timer(0.3, kill, [env])
    killer.start()
    *_, info = env.step(call("shell", command="sleep 4"))
    killer.join()
    assert info["outcome"] is Outcome.ENV_ERROR
    env.reset(seed=0)
    env.step(MEND)
    assert env.step(SUBMIT)[1] == 1.0


def test_where_no_grading_session_can_be_opened_there_is_no_grade(env, monkeypatch):
    def fails():
        raise SandboxUnavailable("bubblewrap went away")

    env.reset(seed=0)
    env.step(MEND)
    monkeypatch.setattr(env, "_open", fails)
    _, reward, terminated, truncated, info = env.step(SUBMIT)
    assert (reward, terminated, truncated, info["outcome"]) == (0.0, False, True, Outcome.ENV_ERROR)
    assert "score" not in info


def processes():
    """Ids of this process's children."""
    return Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()


def test_close_leaves_no_process_and_may_be_called_again():
    before = processes()
    with opened() as env:
        env.reset(seed=0)
        do(env, "shell", command="sleep 99 & setsid sleep 99 & exit")
        assert len(processes()) > len(before)
        env.close()
        env.close()
        assert processes() == before
        env.reset(seed=0)
        assert "calc" in do(env, "list")
    assert processes() == before


def test_rendering_shows_what_was_seen_last():
    with opened(render_mode="ansi") as env:
        env.reset(seed=0)
        do(env, "read", path="notes.txt")
        assert env.render() == "    1 größe"


def solves(env, solved):
    """Whether the reference solution, and the workspace as it is, are graded as they should be."""
    *_, last = play(env, undo(env.problem)) if solved else [env.step(SUBMIT)]
    return last[1] == float(solved) and last[4]["outcome"] is (Outcome.SUCCESS if solved else Outcome.FAILURE)


HUMANEVAL = {
    "task_id": "HumanEval/0",
    "prompt": 'def shorter(words: list) -> list:\n    """The words of at most 3 letters."""\n',
    "canonical_solution": "    return [word for word in words if len(word) <= 3]\n",
    "test": "def check(candidate):\n    assert candidate(['abcd', 'abc']) == ['abc']\n    assert candidate([]) == []\n",
    "entry_point": "shorter",
}
MBPP = {
    "task_id": 5,
    "text": "Write a function that adds up the squares below n.",
    "code": "import sys\ndef squares(n):\n    assert n < sys.maxsize\n    return sum(k * k for k in range(n))",
    "test_list": ["assert squares(3) == 5", "assert squares(1) == 0"],
    "test_setup_code": "",
    "challenge_test_list": [],
}


@pytest.mark.parametrize("record", [HUMANEVAL, MBPP], ids=["humaneval", "mbpp"])
def test_a_file_of_functions_to_write(record, tmp_path):
    path = tmp_path / "tasks.jsonl"
    path.write_text(json.dumps(record) + "\n")
    with opened(problems=path) as env:
        _, info = env.reset(seed=5)
        assert info["task_id"] in ("HumanEval/0", "MBPP/5")
        assert do(env, "list") == "solution.py"
        assert "no tests ran" in do(env, "test")
        assert solves(env, False)
        env.reset(seed=5)
        assert solves(env, True)


def test_a_repository_with_an_issue(tmp_path):
    folder = tmp_path / "repos" / "acme__calc" / "0000000000000000000000000000000000000000"
    for name, text in {
        "src/calc/__init__.py": RIGHT.replace("x * 2", "x + 2"),
        "src/calc/old.py": "A = 1\n",
        "tests/test_calc.py": "import calc\n\n\ndef test_label():\n    assert calc.label(1) == '<1>'\n",
        "setup.cfg": "[tool:pytest]\naddopts = --nonsense\n",
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    record = {
        "instance_id": "acme__calc-7",
        "repo": "acme/calc",
        "base_commit": "0" * 40,
        "problem_statement": "double(3) is 5",
        "patch": "--- a/src/calc/__init__.py\n+++ b/src/calc/__init__.py\n@@ -4,2 +4,2 @@\n def double(x):\n"
        "-    return x + 2\n+    return x * 2\n"
        "--- a/src/calc/old.py\n+++ /dev/null\n@@ -1 +0,0 @@\n-A = 1\n",
        "test_patch": "--- a/tests/test_calc.py\n+++ b/tests/test_calc.py\n@@ -3,3 +3,7 @@\n \n def test_label():\n"
        "     assert calc.label(1) == '<1>'\n+\n+\n+def test_three():\n+    assert calc.double(3) == 6\n",
        "FAIL_TO_PASS": ["tests/test_calc.py::test_three"],
        "PASS_TO_PASS": ["tests/test_calc.py"],
    }
    path = tmp_path / "swe.json"
    path.write_text(json.dumps([record]))
    with opened(problems=path) as env:
        assert env.reset(seed=0)[1]["task"] == "double(3) is 5"
        assert "1 passed" in do(env, "test")
        assert solves(env, False)
        env.reset(seed=0)
        assert solves(env, True)
        env.restore(env.snapshot())
        assert "old.py" not in {one.path.rpartition("/")[2] for one in env.session.list(recursive=True)}


def test_a_statement_of_any_length_fits_the_space():
    with opened(problems=[replace(variant(1), statement="é" * 100_000)], limits=LIMITS) as env:
        observation, _ = env.reset(seed=0)
        assert observation in env.observation_space
        assert "characters left out" in observation


def test_files_too_large_for_a_snapshot_do_not_end_the_episode(env):
    env.reset(seed=0)
    env.step(call("shell", command="for n in 1 2 3 4; do truncate -s 100M sparse$n; done"))
    key = env.state_key()
    with pytest.raises(SnapshotError, match="bytes of files"):
        env.snapshot()
    assert env.step(MEND)[4]["outcome"] == Outcome.RUNNING
    assert env.state_key() != key
    assert env.step(SUBMIT)[1] == 1.0
