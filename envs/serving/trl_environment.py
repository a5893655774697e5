"""Train on any environment with TRL's GRPOTrainer (Hugging Face): its ``environment_factory`` for selfgym.

    trainer = GRPOTrainer(model, environment_factory=environment_factory("selfgym/Household-v0", size="tiny"),
                          train_dataset=Dataset.from_list(rows(range(100))), ...)

TRL calls ``reset`` with the columns of a row (``seed`` is heeded), appends what it returns to the prompt, offers every
other method to the model as a tool, and asks ``get_reward`` for the reward of the episode. The tools are those of the
environment (``env.tools``), or one tool ``act`` that takes an action in words. Where the environment itself failed the
reward is None, which TRL leaves out. All rollouts of a row have its seed, so that a group is of one task. Written after
``GRPOTrainer`` of TRL 1.16; nothing here imports TRL.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from typing import Any

from selfgym.envs.core import AgentEnv, Outcome
from selfgym.envs.serving.acting import ACT, action, made, own_tools
from selfgym.envs.serving.turn import Turn, begun, reading, stepped
from selfgym.envs.tools import Tool

INSTRUCTION = "Act in the environment by calling tools, one at a time, until the task is done.\n\n"


class Episode:
    """One environment as TRL uses it. `environment_factory` makes subclasses with a method for each tool."""

    def __init__(self, env: AgentEnv[Any]) -> None:
        self._env, self._turn = env, Turn("")
        self._total = 0.0

    def reset(self, seed: int | None = None, **row: Any) -> str:
        """Begin the episode of ``seed``; other columns of the row are not heeded. What is seen is returned."""
        self._turn, self._total = begun(self._env, seed), 0.0
        return self._read()

    def get_reward(self) -> float | None:
        """The sum of the rewards; None where the environment or the infrastructure failed."""
        return None if Outcome(self._turn.info["outcome"]).is_error else self._total

    def _do(self, given: Any) -> str:
        if self._turn.done:
            return f"The episode has ended: {self._turn.info['outcome']}."
        self._turn = stepped(self._env, given, self._turn)
        self._total += self._turn.reward or 0.0
        return self._read()

    def _read(self) -> str:
        return reading(self._turn, commands=own_tools(self._env) is None)


def environment_factory(env: str, **options: Any) -> Callable[[], Episode]:
    """What GRPOTrainer takes as ``environment_factory``: each call makes one more environment of the id ``env``.

    Raises `ValueError` for a tool that cannot be a method: its name is taken, or an argument's is no Python name.
    """
    first = made(env, options)
    own = own_tools(first)
    methods = {tool.name: _method(tool) for tool in own or [ACT]}
    first.close()
    if taken := {name for name in methods if hasattr(Episode, name)}:
        raise ValueError(f"the tools {sorted(taken)} of {env} have names that TRL has other uses for")
    kind = type("".join(part for part in env.title() if part.isalnum()), (Episode,), methods)
    return lambda: kind(made(env, options))


def rows(seeds: Iterable[int], instruction: str = INSTRUCTION) -> list[dict[str, Any]]:
    """A row of the training set for each seed: the instruction, to which TRL appends what the environment shows."""
    return [{"prompt": [{"role": "user", "content": instruction}], "seed": seed} for seed in seeds]


def _method(tool: Tool) -> Callable[..., str]:
    """A method that calls the tool, with the signature and the docstring that a schema is read from."""

    def method(self: Episode, **arguments: Any) -> str:
        return self._do(action(own_tools(self._env), tool.name, arguments))

    parameters = [inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD)]
    lines = []
    for name, field in tool.parameters.model_fields.items():
        given, default = field.alias or name, inspect.Parameter.empty
        if not given.isidentifier():
            raise ValueError(f"the argument {given!r} of the tool {tool.name} is no Python name")
        if not field.is_required():
            default = field.get_default(call_default_factory=True, validated_data={})
        parameters.append(
            inspect.Parameter(given, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=field.annotation)
        )
        lines.append(f"    {given}: {' '.join((field.description or f'The {given}.').split())}")
    method.__name__ = method.__qualname__ = tool.name
    method.__doc__ = "\n".join([" ".join(tool.description.split()), "", "Args:", *lines])
    method.__annotations__ = {one.name: one.annotation for one in parameters[1:]} | {"return": str}
    method.__signature__ = inspect.Signature(parameters, return_annotation=str)  # type: ignore[attr-defined]
    return method
