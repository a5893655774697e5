"""The second rung: a skill's own checks, run in a sandbox, and whether they check anything.

A check that a stub passes is void: Reflexion lost on MBPP to tests that could not fail (arXiv 2303.11366), and a skill
that does nothing must not be admitted for it.
"""

from __future__ import annotations

from collections.abc import Sequence

from selfgym.envs.sandbox.sandbox import Sandbox
from selfgym.memory.item import Check, Code
from selfgym.memory.skills.running import program

_SECONDS = 10.0
_STUBS = (
    "def {entry}(*_, **__):\n    return None",
    "def {entry}(*_, **__):\n    return\n    yield",
    "def {entry}(*_, **__):\n    for _ in range(100):\n        yield ''",
)


def objections(sandbox: Sandbox, code: Code, check: Check, required: Sequence[Code] = ()) -> list[str]:
    """What speaks against the skill: its check fails, or passes for something that does nothing. Empty if it holds."""
    if code.runtime == "folder":
        return ["a folder of instructions cannot be run by a unit check."]
    before = sandbox.snapshot()
    try:
        if failure := _failure(sandbox, program(code, required), check):
            return [f"the check fails: {failure}"]
        for stub in _STUBS:
            sandbox.restore(before)
            if not _failure(sandbox, stub.format(entry=code.entry), check):
                return ["the check is void: a skill that does nothing passes it too."]
    finally:
        sandbox.restore(before)
    return []


def _failure(sandbox: Sandbox, definitions: str, check: Check) -> str:
    """The last line of what went wrong; empty if the check passes."""
    result = sandbox.exec(f"{definitions}\n\n{check.source}", timeout=_SECONDS)
    if result.ok:
        return ""
    last = result.stderr.decode("utf-8", "replace").strip().splitlines()[-1:]
    return last[0][:300] if last else f"limit {result.limit}" if result.limit else f"exit code {result.exit_code}"
