"""A small repair task of our own, for the tests of the programming environment."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from selfgym.envs.code.env import CodeEnv
from selfgym.envs.code.packages import Package
from selfgym.envs.code.problem import Problem
from selfgym.envs.sandbox.limits import Limits, SandboxUnavailable
from selfgym.envs.sandbox.opening import open_sandbox

RIGHT = '''"""Arithmetic."""


def double(x):
    return x * 2


def label(x):
    return f"<{x}>"
'''
WRONG = RIGHT.replace("x * 2", "x + 2")
SHOWN = """import calc


def test_two():
    assert calc.double(2) == 4


def test_label():
    assert calc.label(3) == "<3>"
"""
HIDDEN = (
    SHOWN
    + """

def test_three():
    assert calc.double(3) == 6


class TestMore:
    def test_words(self):
        assert calc.double("a") == "aa"
"""
)
TESTS = ("test_two", "test_label", "test_three", "TestMore::test_words")
PROBLEM = Problem(
    id="calc/1",
    statement="double(3) is 5. It should be 6.",
    package=Package("calc", "1", "", "", "train", sources=("calc",), tests=("tests",)),
    files={
        "calc/__init__.py": WRONG.encode(),
        "calc/more.py": b"ONE = 1\n",
        "tests/test_calc.py": SHOWN.encode(),
        "notes.txt": "größe\n".encode(),
    },
    hidden={"tests/test_calc.py": HIDDEN.encode()},
    tests=tuple(f"tests/test_calc.py::{name}" for name in TESTS),
    solution={"calc/__init__.py": RIGHT.encode()},
)
LIMITS = Limits(timeout=5.0, memory=2**29, processes=64, output=2**18)


def variant(number: int) -> Problem:
    """Another task that begins differently."""
    return replace(PROBLEM, id=f"calc/{number}", statement=f"Task {number}: double(3) is 5.")


@contextmanager
def opened(**options: Any) -> Iterator[CodeEnv]:
    """An environment of these tasks; skips where there can be no sandbox."""
    try:
        open_sandbox().close()
    except SandboxUnavailable as error:
        pytest.skip(f"no sandbox on this machine: {error}")
    env = CodeEnv(**({"problems": [PROBLEM, variant(2), variant(3)], "limits": LIMITS} | options))
    try:
        yield env
    finally:
        env.close()
