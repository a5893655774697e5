"""Build the wheel, install it in a throw-away environment outside the repository, and use it as a stranger would.

`make wheel` runs this; it needs the package index, so it is not part of the tests. What needs a sandbox or the archives
of `selfgym download code` is left out, loudly, where there are none.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from selfgym.benchmarks.install_size import HEAVY, clean_environment, install_wheel, site_packages

PLAY = """
import gymnasium
env = gymnasium.make("selfgym:selfgym/Household-v0")
observation, info = env.reset(seed=7)
assert info["task"], info
observation, reward, terminated, truncated, info = env.step(info["admissible_commands"][0])
snapshot = env.unwrapped.snapshot()
env.unwrapped.restore(snapshot)
env.close()
"""

SANDBOX = """
from selfgym.envs.sandbox.opening import open_sandbox
with open_sandbox(preimport=["pytest"]) as sandbox:
    result = sandbox.exec("import sys; print(sys.modules['pytest'].__name__, 6 * 7)")
    assert result.stdout == b"pytest 42\\n", result
"""
CODE = """
import gymnasium
env = gymnasium.make("selfgym:selfgym/Code-v0", split="valid").unwrapped
observation, info = env.reset(seed=7)
observation, reward, terminated, truncated, info = env.step({"name": "test", "arguments": {}})
assert info["action_error"] is None and "passed" in observation, observation
before = env.snapshot()
env.step({"name": "shell", "arguments": {"command": "rm -r *"}})
env.restore(before)
assert env.step({"name": "list", "arguments": {}})[0].count(".py") > 1
env.close()
"""
WEB = """
import gymnasium
for name, options in (("MiniWoB-v0", {"task": "click-button"}), ("Web-v0", {"site": "shop"})):
    env = gymnasium.make(f"selfgym:selfgym/{name}", admissible_commands=True, **options).unwrapped
    observation, info = env.reset(seed=7)
    before = env.snapshot()
    after = env.step(info["admissible_commands"][0])
    assert after[4]["action_error"] is None, after
    assert env.restore(before)[0] == observation
    env.close()
"""


def main() -> None:
    """Try everything that the core install promises, then what `selfgym[code,web]` adds; an exception fails."""
    with tempfile.TemporaryDirectory(prefix="selfgym-wheel-") as name:
        folder = Path(name)
        environment = install_wheel(folder)
        binaries = environment / "bin"

        def run(*command: str | Path, stdin: str = "") -> str:
            answer = subprocess.run(
                command, stdout=subprocess.PIPE, text=True, cwd=folder, env=clean_environment(), input=stdin
            )
            answer.check_returncode()
            return answer.stdout

        python, selfgym = binaries / "python", binaries / "selfgym"
        where = run(python, "-c", "import selfgym; print(selfgym.__file__)").strip()
        assert where.startswith(str(environment)), f"another selfgym was imported: {where}"
        loaded = run(python, "-c", "import selfgym, sys; print(*sys.modules)").split()
        assert not set(loaded) & set(HEAVY), f"import selfgym pulls in {set(loaded) & set(HEAVY)}"
        run(python, "-c", PLAY)
        assert run(selfgym, "--version").strip()
        assert "evolve" in run(selfgym, "--help")
        listed = {entry["name"]: entry for entry in _json(run, selfgym, "envs")}
        assert listed["selfgym/Household-v0"]["available"]
        assert "Task:" in run(selfgym, "play", "selfgym/Household-v0", "--seed", "7", stdin="1\nundo\nquit\n")
        run(selfgym, "doctor")
        packages = site_packages(environment)
        generic = ("envs", "agents", "memory", "trainers", "benchmarks", "tests", "src", "docs")
        assert not [name for name in generic if (packages / name).exists()]
        assert (packages / "selfgym" / "py.typed").exists()

        (built,) = (folder / "dist").glob("*.whl")
        quietly = ("--quiet", "--disable-pip-version-check", "--no-input")
        run(python, "-m", "pip", "install", *quietly, f"{built}[code,web]")
        checks = {check["name"]: check for check in _json(run, selfgym, "doctor")}
        tried = (
            *((SANDBOX, ["local sandbox"]), (CODE, ["local sandbox", "Code-v0 packages"])),
            (WEB, ["Chromium", "miniwob"]),
        )
        for program, needs in tried:
            missing = [checks[name] for name in needs if not checks[name]["ok"]]
            if missing:
                _left_out(missing)
            else:
                run(python, "-c", program)
    print("the wheel installs and works outside the repository")


def _json(run, selfgym: Path, command: str) -> list[dict]:
    return json.loads(run(selfgym, command, "--json"))


def _left_out(missing: list[dict]) -> None:
    for check in missing:
        print(f"try_wheel: NOT TRIED, {check['name']}: {check['found']} ({check['remedy']})", file=sys.stderr)


if __name__ == "__main__":
    main()
