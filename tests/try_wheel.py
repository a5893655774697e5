"""Build the wheel, install it in a throw-away environment outside the repository, and use it as a stranger would.

`make wheel` runs this; it needs the package index, so it is not part of the tests.
"""

from __future__ import annotations

import json
import subprocess
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


def main() -> None:
    """Try everything that the core install promises; an exception is the failure."""
    with tempfile.TemporaryDirectory(prefix="selfgym-wheel-") as name:
        folder = Path(name)
        environment = install_wheel(folder)
        binaries = environment / "bin"

        def run(*command: str | Path, stdin: str = "") -> str:
            answer = subprocess.run(
                command, check=True, capture_output=True, text=True, cwd=folder, env=clean_environment(), input=stdin
            )
            return answer.stdout

        python, selfgym = binaries / "python", binaries / "selfgym"
        where = run(python, "-c", "import selfgym; print(selfgym.__file__)").strip()
        assert where.startswith(str(environment)), f"another selfgym was imported: {where}"
        loaded = run(python, "-c", "import selfgym, sys; print(*sys.modules)").split()
        assert not set(loaded) & set(HEAVY), f"import selfgym pulls in {set(loaded) & set(HEAVY)}"
        run(python, "-c", PLAY)
        assert run(selfgym, "--version").strip()
        assert "evolve" in run(selfgym, "--help")
        assert any(entry["name"] == "selfgym/Household-v0" and entry["available"] for entry in _json(run, selfgym))
        assert "Task:" in run(selfgym, "play", "selfgym/Household-v0", "--seed", "7", stdin="1\nundo\nquit\n")
        run(selfgym, "doctor")
        packages = site_packages(environment)
        generic = ("envs", "agents", "memory", "trainers", "benchmarks", "tests", "src", "docs")
        assert not [name for name in generic if (packages / name).exists()]
        assert (packages / "selfgym" / "py.typed").exists()
    print("the wheel installs and works outside the repository")


def _json(run, selfgym: Path) -> list[dict]:
    return json.loads(run(selfgym, "envs", "--json"))


if __name__ == "__main__":
    main()
