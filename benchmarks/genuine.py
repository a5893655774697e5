"""ALFWorld's own engine as a process that parity and speed checks can ask; nothing of it is imported here."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any

REQUIREMENTS = ("alfworld==0.4.2", "textworld[pddl]==1.7.0")
_PLAYER = Path(__file__).with_name("genuine_player.py")


def peer_python(given: str | None) -> Path:
    """The interpreter of an environment with ALFWorld: the one given, or one made (minutes, needs cmake and g++)."""
    if given is not None:
        return Path(given)
    folder = Path.home() / ".cache" / "selfgym" / "alfworld-peer"
    python = folder / "bin" / "python"
    if not (folder / "complete").exists():
        print(f"making {folder} with {', '.join(REQUIREMENTS)}; this compiles Fast Downward and takes minutes")
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *REQUIREMENTS], check=True)
        (folder / "complete").touch()
    return python


class GenuineEngine:
    """One running engine. Every answer is a dict, see genuine_player.py."""

    def __init__(
        self, python: Path, *, memoise: bool = False, admissible: bool = True, core: int | None = None
    ) -> None:
        command = [str(python), str(_PLAYER)]
        command += ["--memoise"] if memoise else []
        command += [] if admissible else ["--without-admissible"]
        if core is not None:
            command = ["taskset", "-c", str(core), *command]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def load(self, path: Path, rules: str | None = None) -> dict[str, Any]:
        """Load and reset a game file, under its own rules or those in the folder ``rules``."""
        return self._ask({"load": str(path), "rules": rules})

    def step(self, command: str) -> dict[str, Any]:
        """Do one command."""
        return self._ask({"step": command})

    def _ask(self, request: dict[str, Any]) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the genuine engine ended (exit code {self._process.wait()}) on {str(request)[:200]}")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def __enter__(self) -> GenuineEngine:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._process.wait()
