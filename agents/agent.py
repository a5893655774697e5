"""Who acts: the `Agent` protocol, and finding an agent by name.

An agent maps an observation to an action. ``act`` may be an ordinary method, or a generator that yields lists of
`Prompt` and is sent lists of `Completion`: the rollout engine answers the prompts of all running episodes in one
batch, so an agent is written as if it were alone and still shares the model.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from selfgym.agents.named import Named
from selfgym.agents.policies.policy import Completion, Policy, Prompt
from selfgym.memory.episode import Source


@dataclass(frozen=True, slots=True)
class Decision:
    """An action with what the record should hold about how it came about; the fields are those of `Step`."""

    action: str
    thought: str = ""
    prompt_ids: tuple[int, ...] = ()
    response_ids: tuple[int, ...] = ()
    logprobs: tuple[float, ...] = ()
    fresh: bool = False
    source: Source = Source.POLICY
    trainable: bool = True
    info: dict[str, Any] = field(default_factory=dict)


Asking = Generator[list[Prompt], list[Completion], "str | Decision"]
"""A decision in progress: yields prompts, is sent completions, returns the action."""


class Agent(Protocol):
    """What the rollout engine needs. ``begin(env)`` and ``end(episode)`` are optional and called if present."""

    def act(self, observation: Any, info: dict[str, Any]) -> str | Decision | Asking:
        """The next action."""
        ...


class UnknownAgentError(LookupError):
    """No agent has that name."""


class AgentOptionError(ValueError):
    """An agent cannot be made with these options, or without a model."""


AgentFactory = Callable[..., Agent]
_BUILT_IN = {
    "random": "selfgym.agents.random:RandomAgent",
    "clerk": "selfgym.agents.clerk:ClerkAgent",
    "expert": "selfgym.agents.expert:ExpertAgent",
    "solver": "selfgym.agents.solver:SolverAgent",
    "skilled-expert": "selfgym.agents.skilled_expert:SkilledExpertAgent",
    "programmer": "selfgym.agents.programmer:ProgrammerAgent",
    "react": "selfgym.agents.react:ReactAgent",
    "surfer": "selfgym.agents.surfer:SurferAgent",
    "typist": "selfgym.agents.typist:TypistAgent",
}


_AGENTS = Named("agent", _BUILT_IN, "selfgym.agents", UnknownAgentError)


def agent_names() -> dict[str, str]:
    """Every agent that can be made by name: built in, and announced under the entry-point group ``selfgym.agents``."""
    return _AGENTS.names()


def find_agent(name: str) -> AgentFactory:
    """The factory for ``name``: a known agent, or ``module:Class``.

    Raises `UnknownAgentError` with the nearest known name.
    """
    factory: AgentFactory = _AGENTS.find(name)
    return factory


def agent_maker(
    name: str, factory: AgentFactory, policy: Policy | None, options: Mapping[str, Any]
) -> Callable[[int, str], Agent]:
    """(seed, episode id) -> agent, given those of ``policy``, ``seed`` and ``key`` that it has a parameter for.

    Raises `AgentOptionError`.
    """
    parameters = inspect.signature(factory).parameters
    open_ended = any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values())
    unknown = [key for key in options if key not in parameters and not open_ended]
    if unknown:
        known = ", ".join(parameters) or "none"
        raise AgentOptionError(f"agent {name!r} has no option {unknown[0]!r}; it has: {known}")
    if "policy" in parameters and policy is None and parameters["policy"].default is inspect.Parameter.empty:
        raise AgentOptionError(
            f"agent {name!r} asks a language model: give --model (nano, smollm2, a folder, a hub id)"
        )

    def make(seed: int, key: str) -> Agent:
        offered = {"policy": policy, "seed": seed, "key": key}
        fitting = {name: value for name, value in offered.items() if name in parameters}
        return factory(**{**fitting, **options})

    return make
