"""What a sample takes along from one task of a chain to the next, and how its episodes tell.

Two ways; an environment says which (`AgentEnv.skill_form`). Python functions, which the environment keeps and takes as
``definitions`` at reset; and sequences of actions, which an agent's thoughts define (`selfgym.agents.skill_writing`)
and which are shown to it.
"""

from __future__ import annotations

import ast
import importlib
from collections.abc import Iterator, Mapping
from typing import Any, Protocol

import gymnasium
from gymnasium.envs.registration import load_env_creator

from selfgym.agents.agent import Agent
from selfgym.agents.remembering import Recall, RememberingAgent, read_call
from selfgym.agents.skill_writing import skills_in, written_as
from selfgym.envs.core import AgentEnv
from selfgym.memory.episode import Episode
from selfgym.memory.views import plain_line, quoted

Skills = dict[str, str]
"""Source by name."""


class Carrying(Protocol):
    """A way to take skills along."""

    def options(self, brought: Skills) -> Mapping[str, Any]:
        """Reset options of an episode that begins with ``brought``."""
        ...

    def agent(self, agent: Agent, brought: Skills, episode: str) -> Agent:
        """``agent`` as it plays an episode that begins with ``brought``."""
        ...

    def written(self, episode: Episode, size: int = 1) -> Skills:
        """The skills of at least ``size`` statements or actions that an episode defined, the last version of each."""
        ...

    def called(self, episode: Episode) -> set[str]:
        """Names of the skills that an episode called, whatever came of it."""
        ...


class Functions:
    """Python functions, for environments whose actions are programs."""

    def options(self, brought: Skills) -> Mapping[str, Any]:
        """They are there from the beginning."""
        return {"definitions": brought} if brought else {}

    def agent(self, agent: Agent, brought: Skills, episode: str) -> Agent:
        """The environment shows them."""
        return agent

    def written(self, episode: Episode, size: int = 1) -> Skills:
        """Functions at the top level of admitted code."""
        return {
            node.name: ast.unparse(node)
            for tree in _programs(episode)
            for node in tree.body
            if isinstance(node, ast.FunctionDef) and sum(isinstance(one, ast.stmt) for one in ast.walk(node)) > size
        }

    def called(self, episode: Episode) -> set[str]:
        """Names that admitted code calls."""
        return {
            node.func.id
            for tree in _programs(episode)
            for node in ast.walk(tree)
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        }


def _programs(episode: Episode) -> Iterator[ast.Module]:
    for step in episode.steps:
        try:
            if step.valid:
                yield ast.parse(step.action)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue


class Sequences:
    """Sequences of actions, for text worlds."""

    def options(self, brought: Skills) -> Mapping[str, Any]:
        """The environment knows nothing of them."""
        return {}

    def agent(self, agent: Agent, brought: Skills, episode: str) -> Agent:
        """The agent is shown them, can call them and write others."""
        items = [item for source in brought.values() for item in skills_in(source).values()]
        text, ids = quoted("Skills", [(item.id, plain_line(item)) for item in items], 500)
        recall = Recall(text, tuple(ids), tuple(items))
        return RememberingAgent(agent, lambda goal, id: recall, episode=episode, writes=True)

    def written(self, episode: Episode, size: int = 1) -> Skills:
        """What thoughts define."""
        return {
            name: written_as(item)
            for step in episode.steps
            for name, item in skills_in(step.thought).items()
            if item.code is not None and len(item.code.source.splitlines()) >= size
        }

    def called(self, episode: Episode) -> set[str]:
        """What was called, and did act."""
        return {read_call(step.info["call"])[0] for step in episode.steps if "call" in step.info}


def carrying(env: str) -> Carrying:
    """The way of the environment called ``env``."""
    return Functions() if env_class(env).skill_form == "functions" else Sequences()


def env_class(env: str) -> type[AgentEnv[Any]]:
    """The class behind a registered environment's id, which may begin with the module that registers it.

    `AgentEnv` itself where it is made by a function: then nothing else is known of it.
    """
    module, _, name = env.rpartition(":")
    if module:
        importlib.import_module(module)
    entry = gymnasium.spec(name).entry_point
    found: Any = load_env_creator(entry) if isinstance(entry, str) else entry
    return found if isinstance(found, type) and issubclass(found, AgentEnv) else AgentEnv
