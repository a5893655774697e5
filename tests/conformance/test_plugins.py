"""Other people's packages: their environments are found by entry point, and can neither break nor replace ours."""

import os
import subprocess
import sys
import textwrap
import zipfile

import pytest

TINY = """
from gymnasium import spaces
from selfgym.envs.core import AgentEnv, Outcome

class Tiny(AgentEnv):
    def __init__(self, word="hello"):
        self.observation_space = self.action_space = spaces.Text(20)
        self.word = word
    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return self.word, {"outcome": Outcome.RUNNING, "task": "say it", "action_error": None}
    def step(self, action):
        won = action == self.word
        outcome = Outcome.SUCCESS if won else Outcome.RUNNING
        return self.word, float(won), won, False, {"outcome": outcome, "task": "say it", "action_error": None}
    def snapshot(self):
        return self.word.encode()
    def restore(self, snapshot):
        self.word = snapshot.decode()
        return self.reset()
"""


def build_wheel(folder, entry_points):
    """A wheel of one module, written by hand: no build tool, no network."""
    path = folder / "tiny_gym-1.0-py3-none-any.whl"
    info = "tiny_gym-1.0.dist-info"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr("tiny_gym.py", TINY)
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: tiny-gym\nVersion: 1.0\n")
        wheel.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: hand\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{info}/entry_points.txt", f"[selfgym.envs]\n{entry_points}\n")
        wheel.writestr(f"{info}/RECORD", "tiny_gym.py,,\n")
    return path


def test_an_installed_package_brings_its_environments(tmp_path):
    wheel = build_wheel(tmp_path, "tiny/Tiny-v3 = tiny_gym:Tiny\ntiny/Broken-v0 = tiny_gym_absent:Nothing")
    site = tmp_path / "site"
    install = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "-q",
        "--no-deps",
        "--no-index",
        "--target",
        str(site),
        str(wheel),
    ]
    done = subprocess.run(install, capture_output=True, text=True, check=False)
    if "No module named pip" in done.stderr:
        pytest.skip("this Python has no pip to install a package with")
    assert done.returncode == 0, done.stderr
    script = textwrap.dedent("""
        import gymnasium, selfgym, sys
        assert "tiny_gym" not in sys.modules, "a third-party package was imported before it was needed"
        env = gymnasium.make("tiny/Tiny-v3", word="hi")
        env.reset(seed=1)
        assert env.step("hi")[1:3] == (1.0, True)
        assert gymnasium.make("selfgym:tiny/Tiny-v3").unwrapped.word == "hello"
        try:
            gymnasium.make("tiny/Broken-v0")
        except ModuleNotFoundError as error:
            assert "tiny_gym_absent" in str(error)
        else:
            sys.exit("a broken environment was made")
        print("found")
        """)
    environment = os.environ | {"PYTHONPATH": str(site)}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, env=environment)
    assert done.stdout == "found\n", done.stderr


def test_an_installed_package_cannot_take_the_place_of_a_built_in_environment(tmp_path):
    site = tmp_path / "site"
    with zipfile.ZipFile(build_wheel(tmp_path, "selfgym/Household-v0 = tiny_gym:Tiny")) as wheel:
        wheel.extractall(site)
    script = "import gymnasium, selfgym; print(gymnasium.spec('selfgym/Household-v0').entry_point)"
    environment = os.environ | {"PYTHONPATH": str(site)}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, env=environment)
    assert done.stdout.strip() == "selfgym.envs.household.env:HouseholdEnv", done.stderr
