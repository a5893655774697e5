"""How much a core install takes, and how long ``import selfgym`` does: in a fresh environment, from the wheel.

    python benchmarks/install_size.py

Builds the wheel, makes a throw-away virtual environment outside the repository, installs the wheel with its
dependencies from the package index and measures. Also the way in which `make wheel` gets an installed selfgym to try.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HEAVY = ("torch", "transformers", "playwright", "docker", "matplotlib", "pyarrow")
IMPORTS = 7


def install_wheel(folder: Path) -> Path:
    """Build the wheel and install it with its core dependencies in ``folder``; the new environment's folder."""
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder / "dist"), str(ROOT)]
    subprocess.run(build, check=True, stdout=subprocess.DEVNULL)
    venv.create(folder / "venv", with_pip=True)
    (wheel,) = (folder / "dist").glob("*.whl")
    install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input", str(wheel)]
    subprocess.run([str(folder / "venv" / "bin" / "python"), *install], check=True, cwd=folder)
    return folder / "venv"


def site_packages(environment: Path) -> Path:
    """Where an environment keeps what is installed."""
    (folder,) = environment.glob("lib/python*/site-packages")
    return folder


def size_of(folder: Path) -> int:
    """Bytes in the files of a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def clean_environment() -> dict[str, str]:
    """This process's variables without those that would let an installed selfgym see the repository."""
    return {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}


def import_seconds(python: Path, folder: Path) -> tuple[float, list[str]]:
    """Median seconds of ``import selfgym`` in a new process, and which heavy packages that pulled in."""
    program = (
        "import time; start = time.perf_counter(); import selfgym, json, sys; took = time.perf_counter() - start;"
        f"print(json.dumps([took, [name for name in {HEAVY!r} if name in sys.modules]]))"
    )
    seconds, heavy = [], []
    for _ in range(IMPORTS):
        answer = subprocess.run(
            [python, "-c", program], check=True, capture_output=True, cwd=folder, env=clean_environment()
        )
        took, heavy = json.loads(answer.stdout)
        seconds.append(took)
    return statistics.median(seconds), heavy


def main() -> None:
    """Measure, print a table, and keep the numbers under benchmarks/results."""
    with tempfile.TemporaryDirectory(prefix="selfgym-install-") as name:
        folder = Path(name)
        venv.create(folder / "empty", with_pip=True)
        empty = size_of(folder / "empty")
        environment = install_wheel(folder)
        seconds, heavy = import_seconds(environment / "bin" / "python", folder)
        result = {
            "date": time.strftime("%Y-%m-%d"),
            "command": "python benchmarks/install_size.py",
            "python": platform.python_version(),
            "wheel_kb": round(next((folder / "dist").glob("*.whl")).stat().st_size / 1e3, 1),
            "selfgym_mb": round(size_of(site_packages(environment) / "selfgym") / 1e6, 2),
            "core_install_mb": round((size_of(environment) - empty) / 1e6, 1),
            "import_seconds": round(seconds, 3),
            "heavy_imports": heavy,
        }
    for key, value in result.items():
        print(f"{key:16} {value}")
    out = ROOT / "benchmarks" / "results" / f"install_size-{result['date']}.json"
    out.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
