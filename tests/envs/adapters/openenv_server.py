"""A server of OpenEnv, run under the Python that has openenv-core; the argument is its port.

At ``/`` is a lock to be opened, at ``/tools`` a bench with tools of MCP.
"""

from __future__ import annotations

import random
import sys
from typing import Any, Literal

import uvicorn
from fastmcp import FastMCP
from openenv.core.env_server.http_server import create_app
from openenv.core.env_server.interfaces import Environment
from openenv.core.env_server.mcp_environment import MCPEnvironment
from openenv.core.env_server.mcp_types import CallToolAction, CallToolObservation
from openenv.core.env_server.types import Action, EnvironmentMetadata, Observation, State

DIGITS = 3


class Turn(Action):
    """Turn one wheel of the lock."""

    wheel: Literal["left", "middle", "right"]
    digit: int


class Shown(Observation):
    """What the lock shows."""

    wheels: list[int]
    hint: str


class Lock(Environment[Turn, Shown, State]):
    """Three wheels of ten digits; a hint names the number of right ones, and the digits that occur."""

    SUPPORTS_CONCURRENT_SESSIONS = True

    def __init__(self) -> None:
        super().__init__()
        self.wheels, self.code, self.turns = [0] * DIGITS, [0] * DIGITS, 0

    def reset(self, seed: int | None = None, episode_id: str | None = None, heeds: bool = True, **rest: Any) -> Shown:
        """Set a code and the wheels: those of the seed, or any where ``heeds`` is false."""
        chance = random.Random(seed if heeds else None)
        self.code, self.turns = [chance.randrange(10) for _ in range(DIGITS)], 0
        self.wheels = [chance.randrange(10) for _ in range(DIGITS)]
        return self.shown()

    def step(self, action: Turn, timeout_s: float | None = None, **rest: Any) -> Shown:
        if action.digit > 9:
            raise ValueError("the wheel breaks")
        self.turns += 1
        self.wheels[["left", "middle", "right"].index(action.wheel)] = action.digit % 10
        return self.shown()

    def shown(self) -> Shown:
        right = sum(wheel == digit for wheel, digit in zip(self.wheels, self.code, strict=True))
        hint = f"{right} right; the digits are {sorted(self.code)}"
        opened = right == DIGITS
        return Shown(wheels=self.wheels, hint=hint, done=opened or self.turns >= 20, reward=float(opened))

    @property
    def state(self) -> State:
        return State(step_count=self.turns)

    def get_metadata(self) -> EnvironmentMetadata:
        return EnvironmentMetadata(name="lock", description="Open the lock.", version="1")


class Bench(MCPEnvironment):
    """Numbers are added by a tool."""

    SUPPORTS_CONCURRENT_SESSIONS = True

    def __init__(self) -> None:
        tools = FastMCP("bench")
        self.total = 0

        @tools.tool
        def add(number: int, times: int = 1) -> str:
            """Add a number to the total."""
            self.total += number * times
            return f"The total is {self.total}."

        super().__init__(tools)

    def reset(self, seed: int | None = None, episode_id: str | None = None, **rest: Any) -> Observation:
        self.total = (seed or 0) % 10
        return Observation(metadata={})

    def _step_impl(self, action: Action, timeout_s: float | None = None, **rest: Any) -> Observation:
        raise ValueError("there are tools")

    @property
    def state(self) -> State:
        return State(step_count=0)


if __name__ == "__main__":
    app = create_app(Lock, Turn, Shown, env_name="lock", max_concurrent_envs=64)
    app.mount("/tools", create_app(Bench, CallToolAction, CallToolObservation, "bench", max_concurrent_envs=8))
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")
