"""What a sample takes along from one task of a chain to the next, and how its episodes tell.

Two ways; an environment says which (`AgentEnv.skill_form`). Python functions, which the environment keeps and takes as
``definitions`` at reset; and sequences of actions, which an agent's thoughts define (`selfgym.agents.skill_writing`)
and which are shown to it.
"""

from __future__ import annotations

import ast
import importlib
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

import gymnasium
from gymnasium.envs.registration import load_env_creator

from selfgym.agents.agent import Agent
from selfgym.agents.remembering import Recall, RememberingAgent, read_call
from selfgym.agents.skill_writing import skills_in, written_as
from selfgym.envs.core import AgentEnv
from selfgym.memory.episode import Episode, Step
from selfgym.memory.views import plain_line, quoted

Skills = dict[str, str]
"""Source by name."""


class Carrying(ABC):
    """A way to take skills along."""

    @abstractmethod
    def options(self, brought: Skills) -> Mapping[str, Any]:
        """Reset options of an episode that begins with ``brought``."""

    @abstractmethod
    def agent(self, agent: Agent, brought: Skills, episode: str) -> Agent:
        """``agent`` as it plays an episode that begins with ``brought``."""

    @abstractmethod
    def defined(self, step: Step, size: int = 1) -> Skills:
        """The skills of at least ``size`` statements or actions that a step defined."""

    @abstractmethod
    def calls(self, step: Step) -> set[str]:
        """Names of the skills that a step called, and of whatever else it called, whatever came of it."""

    def written(self, episode: Episode, size: int = 1) -> Skills:
        """The skills that an episode defined, the last version of each."""
        return {name: source for step in episode.steps for name, source in self.defined(step, size).items()}

    def called(self, episode: Episode) -> set[str]:
        """What the steps of an episode called."""
        return {name for step in episode.steps for name in self.calls(step)}


class Functions(Carrying):
    """Python functions, for environments whose actions are programs."""

    def options(self, brought: Skills) -> Mapping[str, Any]:
        """They are there from the beginning."""
        return {"definitions": brought} if brought else {}

    def agent(self, agent: Agent, brought: Skills, episode: str) -> Agent:
        """The environment shows them."""
        return agent

    def defined(self, step: Step, size: int = 1) -> Skills:
        """Functions at the top level of admitted code; none where one of them nests too deep to be written out."""
        try:
            return {
                node.name: ast.unparse(node)
                for node in _program(step).body
                if isinstance(node, ast.FunctionDef) and sum(isinstance(one, ast.stmt) for one in ast.walk(node)) > size
            }
        except RecursionError:
            return {}

    def calls(self, step: Step) -> set[str]:
        """Names that admitted code calls."""
        calls = (node.func for node in ast.walk(_program(step)) if isinstance(node, ast.Call))
        return {called.id for called in calls if isinstance(called, ast.Name)}


def _program(step: Step) -> ast.Module:
    """The code of a step; nothing where it was not admitted or is none."""
    try:
        return ast.parse(step.action if step.valid else "")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ast.parse("")


class Sequences(Carrying):
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

    def defined(self, step: Step, size: int = 1) -> Skills:
        """What its thought defines."""
        return {
            name: written_as(item)
            for name, item in skills_in(step.thought).items()
            if item.code is not None and len(item.code.source.splitlines()) >= size
        }

    def calls(self, step: Step) -> set[str]:
        """What was called, and did act."""
        return {read_call(step.info["call"])[0]} if "call" in step.info else set()


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
