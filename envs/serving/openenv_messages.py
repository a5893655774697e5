"""What clients of OpenEnv send and are sent, and the answers to one of them. Nothing here knows about sockets.

An action is ``{"action": TEXT}`` or a tool call, ``{"name": NAME, "arguments": {...}}`` (or ``tool_name``, as OpenEnv's
own calls have it). An observation is ``{"text", "task", "outcome", "truncated", "action_error", "info", "pictures"}``.
A reward is null after a reset and where the environment itself failed; then the outcome is ``env_error``. A reset takes
``seed`` and ``episode_id``, nothing else: how the environment is made is said where the server is started.
Written after the wire format of openenv 0.10 (and openenv-core 0.3), ``openenv/core/env_server/http_server.py``.
"""

from __future__ import annotations

import base64
import json
import uuid
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from selfgym.envs.serving.session import MOST_SEED, ServingError, Session
from selfgym.envs.serving.turn import Turn

_Message = TypeVar("_Message", bound=BaseModel)


class Action(BaseModel):
    """What a step sends: a text, or the call of a tool."""

    model_config = ConfigDict(extra="forbid")

    action: str | None = Field(None, description="An action in words.")
    name: str | None = Field(None, alias="tool_name", description="The tool to call.")
    arguments: dict[str, Any] = Field({}, description="What it is called with.")
    type: str = Field("", description="Ignored; OpenEnv's calls have 'call_tool'.")
    metadata: dict[str, Any] = Field({}, description="Ignored.")

    @model_validator(mode="before")
    @classmethod
    def _either_name(cls, data: Any) -> Any:
        if isinstance(data, dict) and "name" in data and "tool_name" not in data:
            data = {("tool_name" if key == "name" else key): value for key, value in data.items()}
        return data

    @model_validator(mode="after")
    def _one_of_both(self) -> Action:
        if (self.action is None) == (self.name is None):
            raise ValueError("an action has either 'action', a text, or 'name' (and 'arguments'), a tool call")
        return self

    @property
    def said(self) -> Any:
        """The action as the environment takes it."""
        return self.action if self.name is None else {"name": self.name, "arguments": self.arguments}


class Observation(BaseModel):
    """What a client sees."""

    text: str = Field(description="The observation in words.")
    task: str = Field(description="The goal in words.")
    outcome: str = Field(description="running, success, failure, truncated, env_error or policy_error.")
    truncated: bool = Field(description="Whether the episode was cut off, so that its last state is no end.")
    action_error: str | None = Field(description="What was wrong with the action.")
    info: dict[str, Any] = Field(description="What else the environment says, such as admissible_commands.")
    pictures: dict[str, str] = Field(description="PNG files in base64, by name.")
    metadata: dict[str, Any] = Field(default={}, description="Empty.")


class State(BaseModel):
    """How an episode stands."""

    episode_id: str | None = Field(description="As the client named it in reset, or a name made up.")
    step_count: int = Field(ge=0)
    seed: int | None
    task: str
    outcome: str
    total_reward: float


class Reset(BaseModel):
    """What a reset sends."""

    model_config = ConfigDict(extra="forbid", strict=True)

    seed: int | None = Field(None, ge=0, lt=MOST_SEED)
    episode_id: str | None = Field(None, max_length=255)


class Refused(Exception):
    """A message that gets an error for an answer; the code is one of OpenEnv's."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Talk:
    """What one client says, and what it is answered."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.episode = ""

    async def answer(self, text: str | None) -> dict[str, Any] | None:
        """The answer to one message; None where the client says goodbye. Never raises for what a client sends."""
        try:
            kind, data = _message(text)
            if kind == "close":
                return None
            if kind == "state":
                return {"type": "state", "data": self._state().model_dump()}
            turn = await (self._reset(data) if kind == "reset" else self._step(data))
        except Refused as error:
            return refusal(error.code, str(error))
        except ServingError as error:
            return refusal("EXECUTION_ERROR", str(error))
        return {"type": "observation", "data": observed(turn)}

    async def _reset(self, data: Any) -> Turn:
        asked = _checked(Reset, data)
        turn = await self.session.reset(asked.seed)
        self.episode = asked.episode_id or str(uuid.uuid4())
        return turn

    async def _step(self, data: Any) -> Turn:
        return await self.session.step(_checked(Action, data).said)

    def _state(self) -> State:
        session, turn = self.session, self.session.turn
        return State(
            episode_id=self.episode or None,
            step_count=session.steps,
            seed=session.seed,
            task=turn.info["task"] if turn else "",
            outcome=turn.info["outcome"] if turn else "",
            total_reward=session.total_reward,
        )


def observed(turn: Turn) -> dict[str, Any]:
    """A turn as OpenEnv sends observations."""
    rest = {name: value for name, value in turn.info.items() if name not in ("task", "outcome", "action_error")}
    observation = Observation(
        text=turn.text,
        task=turn.info["task"],
        outcome=turn.info["outcome"],
        truncated=turn.truncated,
        action_error=turn.info["action_error"],
        info=rest,
        pictures={name: base64.b64encode(png).decode() for name, png in turn.pictures.items()},
    )
    return {"observation": observation.model_dump(), "reward": turn.reward, "done": turn.done}


def refusal(code: str, message: str) -> dict[str, Any]:
    """An error as OpenEnv sends it."""
    return {"type": "error", "data": {"message": message, "code": code}}


def _message(text: str | None) -> tuple[str, Any]:
    try:
        message = json.loads(text or "")
    except (ValueError, RecursionError) as error:
        raise Refused("INVALID_JSON", f"a message is a JSON object in a text frame: {error}") from error
    if not isinstance(message, dict):
        raise Refused("VALIDATION_ERROR", 'a message is an object: {"type": "reset" | "step" | "state" | "close"}')
    kind = message.get("type")
    if kind not in ("reset", "step", "state", "close"):
        raise Refused("UNKNOWN_TYPE", f"there is no message {str(kind)[:60]!r}: say reset, step, state or close")
    return kind, message.get("data", {})


def _checked(model: type[_Message], data: Any) -> _Message:
    try:
        return model.model_validate(data)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise Refused("VALIDATION_ERROR", f"{where + ': ' if where else ''}{first['msg']}") from error
