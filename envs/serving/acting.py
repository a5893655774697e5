"""How those act who only know tools: by the environment's own, or by one tool that takes an action in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gymnasium
from pydantic import BaseModel, Field

import selfgym  # noqa: F401 - registers the ids
from selfgym.envs.core import AgentEnv
from selfgym.envs.tools import Tool, ToolSet


class _Words(BaseModel):
    action: str = Field(description="The action in words.")


ACT = Tool("act", "Do one action in the environment, in words that it understands.", _Words)


def made(env: str, options: Mapping[str, Any]) -> AgentEnv[Any]:
    """The environment of that id. Raises `ValueError` where it is not an `AgentEnv`."""
    found = gymnasium.make(env, **options).unwrapped
    if not isinstance(found, AgentEnv):
        raise ValueError(f"{env} is not an AgentEnv: it has no task in words")
    return found


def own_tools(env: AgentEnv[Any]) -> ToolSet | None:
    """The tools of an environment whose every action is a call; None where actions are text."""
    own: ToolSet | None = getattr(env, "tools", None)
    return own


def action(own: ToolSet | None, name: str, arguments: dict[str, Any]) -> Any:
    """The action that a call is: its words, if it is of `ACT`. What is wrong with it, the environment says."""
    return arguments.get("action") if own is None else {"name": name, "arguments": arguments}
