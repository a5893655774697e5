"""OpenEnv's environments through our interface, against servers of the genuine openenv-core."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("websockets.sync.client", reason="WEBSOCKETS IS NOT INSTALLED: pip install 'selfgym[web]'")

from selfgym.envs.adapters.openenv import OpenEnv, OpenEnvError
from selfgym.envs.core import SnapshotError


def digits(observation):
    """The digits that the hint names."""
    return json.loads(observation.partition("digits are ")[2])


def turn(wheel, digit):
    return {"name": "step", "arguments": {"wheel": wheel, "digit": digit}}


@pytest.fixture
def lock(openenv_lock):
    env = OpenEnv(openenv_lock, max_steps=40)
    yield env
    env.close()


def test_actions_are_typed_tools_and_observations_words(lock):
    observation, info = lock.reset(seed=3)
    assert observation == "wheels: [2, 5, 9]\nhint: 0 right; the digits are [3, 8, 9]"
    assert info["task"] == "Open the lock."
    [schema] = lock.tools.openai_schemas()
    assert schema["function"]["name"] == "step"
    assert set(schema["function"]["parameters"]["properties"]) == {"wheel", "digit"}
    by_fields, by_call = lock.step('{"wheel": "left", "digit": 3}')[0], lock.step(turn("left", 3))[0]
    assert by_fields == by_call == "wheels: [3, 5, 9]\nhint: 1 right; the digits are [3, 8, 9]"


def test_what_is_no_action_never_reaches_the_server(lock):
    first, _ = lock.reset(seed=3)
    for action, reason in (
        ("left 3", "That is no JSON"),
        ('{"wheel": "up", "digit": 3}', "input should be 'left', 'middle' or 'right'"),
        ('{"wheel": "left"}', "argument 'digit': field required"),
        ('{"name": "open", "arguments": {}}', "There is no tool 'open'"),
    ):
        observation, reward, *ends, info = lock.step(action)
        assert reason in info["action_error"]
        assert (observation.endswith(first), reward, ends) == (True, 0.0, [False, False])


def test_the_server_judges(lock):
    observation, info = lock.reset(seed=3)
    for wheel in ("left", "middle", "right"):
        for digit in digits(observation):
            right = int(observation.partition("hint: ")[2][0])
            observation, reward, *_, info = lock.step(turn(wheel, digit))
            if info["outcome"] != "running" or int(observation.partition("hint: ")[2][0]) > right:
                break
    assert (reward, info["outcome"]) == (1.0, "success")
    lock.reset(seed=3)
    for _ in range(20):
        *_, info = lock.step(turn("left", 0))
    assert info["outcome"] == "failure"


def test_going_back_repeats_the_episode(lock, openenv_lock):
    other = OpenEnv(openenv_lock, max_steps=40)
    lock.reset(seed=5)
    before = lock.step(turn("left", 1))[0]
    snapshot = lock.snapshot()
    after = [lock.step(turn("middle", digit)) for digit in (1, 2, 3)]
    for env in (lock, other):
        assert env.restore(snapshot)[0] == before
        assert [env.step(turn("middle", digit)) for digit in (1, 2, 3)] == after
    other.close()


def test_what_fails_on_the_server_is_no_failure_of_the_agent(lock):
    lock.reset(seed=1)
    observation, reward, terminated, truncated, info = lock.step(turn("left", 10))
    assert (reward, terminated, truncated, info["outcome"]) == (0.0, False, True, "env_error")
    assert "EXECUTION_ERROR: the wheel breaks" in observation
    assert lock.reset(seed=1)[1]["outcome"] == "running"


def test_a_server_that_heeds_no_seed_has_no_snapshots(openenv_lock):
    env = OpenEnv(openenv_lock, heeds=False)
    env.reset(seed=1)
    with pytest.raises(SnapshotError, match="two resets with the same seed show different things"):
        env.snapshot()
    assert env.step(turn("left", 1))[4]["outcome"] == "running"
    env.close()


def test_the_environment_that_openenv_makes_itself_and_a_server_that_goes(serve_openenv, tmp_path):
    """``openenv init`` writes a server that echoes."""
    command = [str(serve_openenv.python.with_name("openenv")), "init", "echoing"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, timeout=120)
    url, process = serve_openenv("-m", "uvicorn", "server.app:app", "--port", "PORT", cwd=tmp_path / "echoing")
    env = OpenEnv(url, text_field="message", success=0.5)
    observation, _ = env.reset(seed=1)
    assert "echoed_message: Echoing environment ready!" in observation
    observation, reward, *_, info = env.step("Hello")
    assert "echoed_message: Hello\nmessage_length: 5" in observation
    assert (reward, info["action_error"]) == (0.5, None)
    assert env.step('{"message": "Hello"}')[1] == 0.5
    snapshot = env.snapshot()
    assert env.restore(snapshot)[1]["outcome"] == "running"
    process.kill()
    process.wait()
    _, reward, terminated, truncated, info = env.step("Hello")
    assert (reward, terminated, truncated, info["outcome"]) == (0.0, False, True, "env_error")
    with pytest.raises(OSError, match="refused"):
        env.reset(seed=1)
    env.close()
    with pytest.raises(OpenEnvError, match="no OpenEnv server answers at"):
        OpenEnv(url)


def test_tools_of_mcp_are_the_tools(openenv_lock):
    env = OpenEnv(f"{openenv_lock}/tools")
    assert [tool.signature() for tool in env.tools] == ["add(number: integer, times?: integer)"]
    env.reset(seed=4)
    observation, _, terminated, truncated, info = env.step({"name": "add", "arguments": {"number": 5}})
    assert "The total is 9." in observation
    assert (terminated, truncated, info["action_error"]) == (False, False, None)
    assert "There is no tool 'ad'" in env.step('{"name": "ad", "arguments": {"number": 5}}')[4]["action_error"]
    snapshot = env.snapshot()
    after = env.step({"name": "add", "arguments": {"number": 1, "times": 2}})
    assert "The total is 11." in after[0]
    env.restore(snapshot)
    assert env.step({"name": "add", "arguments": {"number": 1, "times": 2}}) == after
    env.close()


def test_addresses_and_fields_are_checked(openenv_lock):
    with pytest.raises(ValueError, match="base_url should begin with http:// or https://"):
        OpenEnv("127.0.0.1:8000")
    with pytest.raises(ValueError, match="has no field 'words'"):
        OpenEnv(openenv_lock, text_field="words")


def test_nothing_of_openenv_is_imported_here(openenv_lock):
    script = f"from selfgym.envs.adapters.openenv import OpenEnv; OpenEnv({openenv_lock!r}).close(); import sys; "
    script += "print([name for name in sys.modules if name.split('.')[0] == 'openenv'])"
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, text=True).stdout == "[]\n"


def test_the_example_of_the_documentation_runs(openenv_lock):
    page = (Path(__file__).resolve().parents[3] / "docs" / "adapters.md").read_text(encoding="utf-8")
    [example] = re.findall(r"^```python needs-openenv\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    names = {}
    exec(example.replace("http://127.0.0.1:8000", openenv_lock), names)
    assert names["info"]["action_error"] is None
