"""The ways to ask an OpenAI-compatible server's ``/v1/completions``: in vLLM's dialect of token ids, or in text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, Field, ValidationError

from selfgym.agents.policies.engine import Answer, Request
from selfgym.agents.policies.json_http import Server
from selfgym.agents.policies.policy import PolicyError

_MAX_STOPS = 4  # the protocol's limit


_PLAIN = {"top_k": 0, "min_p": 0.0, "repetition_penalty": 1.0}
"""Else vLLM's server takes the model's own defaults for these."""


class Served(BaseModel):
    """A model that a server lists."""

    id: str
    root: str | None = None
    """Where vLLM has it from."""
    parent: str | None = None
    """Of an adapter, the model it belongs to."""


class _Models(BaseModel):
    data: list[Served]


class _Logprobs(BaseModel):
    token_logprobs: list[float] = Field(default_factory=list)
    top_logprobs: list[dict[str, float] | None] | None = None


class _Choice(BaseModel):
    text: str | None = None
    token_ids: list[int] | None = None
    logprobs: _Logprobs | None = None
    finish_reason: str | None = None

    @property
    def finish(self) -> str:
        return "length" if self.finish_reason == "length" else "stop"


class _Reply(BaseModel):
    choices: list[_Choice] = Field(min_length=1)


def models(server: Server) -> list[Served]:
    """What the server has to offer."""
    reply = server.get("/v1/models")
    try:
        return _Models.model_validate(reply).data
    except ValidationError as error:
        raise _strange(server, reply) from error


def sample_ids(server: Server, model: str, request: Request, ends: Sequence[int]) -> Answer:
    """Ask in token ids; what a server leaves out is missing in the answer, token ids included."""
    choice = _choice(
        server,
        _settings(model, request)
        | _PLAIN
        | {
            "prompt": list(request.ids),
            "stop": [] if request.allowed else list(request.prompt.stop),
            "stop_token_ids": list(ends),
            "allowed_token_ids": list(request.allowed) or None,
            "logprobs": 0,  # of the sampled token alone
            "return_token_ids": True,
            "skip_special_tokens": False,
        },
    )
    logprobs = choice.logprobs.token_logprobs if choice.logprobs else ()
    return Answer(tuple(choice.token_ids or ()), tuple(logprobs), choice.finish)


def sample_text(server: Server, model: str, request: Request, tokenizer: Any, ends: Sequence[int]) -> Answer:
    """Ask in text, which the server tokenises its own way; the ids of the answer are its text tokenised here."""
    stop = [*request.prompt.stop, *tokenizer.batch_decode([[token] for token in ends[:1]])]
    body = {"prompt": tokenizer.decode(request.ids), "stop": stop[:_MAX_STOPS]}
    choice = _choice(server, _settings(model, request) | body)
    ids = tuple(tokenizer.encode(choice.text or "", add_special_tokens=False))
    ended = choice.finish == "stop" and not request.prompt.stop  # with stop strings nothing says which one it was
    return Answer((*ids, *ends[:1]) if ended else ids, (), choice.finish)


def token_logprob(server: Server, model: str, ids: Sequence[int], token: int) -> float:
    """The log-probability in nats of one token after ``ids``, at temperature 1; in vLLM's dialect only."""
    if not ids:
        raise PolicyError("the prompt is empty")
    body = _PLAIN | {
        "model": model,
        "prompt": list(ids),
        "max_tokens": 1,
        "temperature": 0.0,
        "logprobs": 1,
        "logprob_token_ids": [token],
        "return_tokens_as_token_ids": True,
    }
    logprobs = _choice(server, body).logprobs
    table = (logprobs.top_logprobs or [None])[0] if logprobs else None
    if table is None or (logprob := table.get(f"token_id:{token}")) is None:
        raise PolicyError(f"the server at {server.url} gives no log-probability of a token that it is asked for")
    return logprob


def _settings(model: str, request: Request) -> dict[str, Any]:
    return {
        "model": model,
        "max_tokens": request.max_tokens,
        "temperature": request.prompt.temperature,
        "top_p": request.prompt.top_p,
        "seed": request.seed,
    }


def _choice(server: Server, body: dict[str, Any]) -> _Choice:
    reply = server.post("/v1/completions", body)
    try:
        return _Reply.model_validate(reply).choices[0]
    except ValidationError as error:
        raise _strange(server, reply) from error


def _strange(server: Server, reply: Any) -> PolicyError:
    return PolicyError(f"the server at {server.url} answered in another form than OpenAI's: {str(reply)[:200]}")
