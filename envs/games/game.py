"""What a game is: a pure state machine. The environment around it is `selfgym.envs.games.env.GameEnv`.

A state is a frozen dataclass of plain data (numbers, texts, tuples of them) and holds everything, the task included.
Nothing here changes a state, draws without the generator it was given, or reads what an agent wrote as a program.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from dataclasses import dataclass
from hashlib import blake2b
from random import Random
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, TypeAdapter

from selfgym.envs.core import Outcome
from selfgym.envs.tools import MAX_ACTION_CHARACTERS, ActionError, Tool, ToolSet

S = TypeVar("S")
SPLITS = ("train", "test")
_TEST_OF = 5  # one task of so many is a test task
_TRIES = 10_000
_JSON = re.compile(r"\s*(\{|\[\s*\{)")


class NoSolutionError(ValueError):
    """From this state the game cannot be won any more, or no way was found."""


class GameFailed(RuntimeError):
    """What runs a game failed, so that the episode says nothing about its player."""


@dataclass(frozen=True, slots=True)
class Verb:
    """One thing that a player can do: a tool, and the command that a call of it stands for."""

    name: str
    description: str
    arguments: type[BaseModel]
    command: str
    """A format string over the arguments, such as ``"stack {block} {under}"``."""


@dataclass(frozen=True, slots=True)
class Move(Generic[S]):
    """What a command led to."""

    state: S
    said: str
    """The observation."""
    reward: float = 0.0
    outcome: Outcome = Outcome.RUNNING


class Game(ABC, Generic[S]):
    """The rules of one game for one player.

    Subclasses set the attributes and define the abstract methods. ``version`` changes whenever the same seed and
    commands could give another episode.
    """

    name: str
    version: str = "1"
    steps: tuple[int, ...]
    """After how many steps an episode is cut, for level 1 and on."""
    verbs: tuple[Verb, ...]
    form: type[S]
    """The class of the states."""

    def __init__(self) -> None:
        self.tools = ToolSet(Tool(verb.name, verb.description, verb.arguments) for verb in self.verbs)
        self._commands = {verb.name: verb.command for verb in self.verbs}
        self._form: TypeAdapter[S] = TypeAdapter(self.form)

    @abstractmethod
    def start(self, rng: Random, level: int) -> S:
        """A first state."""

    @abstractmethod
    def key(self, state: S) -> str:
        """The task of a first state, the same for tasks that a player would call the same; splits go by it."""

    @abstractmethod
    def goal(self, state: S) -> str:
        """The task in words."""

    @abstractmethod
    def describe(self, state: S) -> str:
        """All that the player may know of a state."""

    @abstractmethod
    def legal(self, state: S) -> list[str] | None:
        """Commands that are possible in a state whose game is not over; None where nobody can say."""

    @abstractmethod
    def apply(self, state: S, words: str) -> Move[S]:
        """What a command does. Raises `ActionError`, in words for the player, where it is none or not possible."""

    @abstractmethod
    def solution(self, state: S) -> list[str]:
        """Commands that win from here, or the next one to give. Raises `NoSolutionError`."""

    def command(self, action: Any) -> str:
        """The command that an action stands for: itself where it is text and no JSON, or that of a tool call.

        Raises `ActionError`, whatever the action is.
        """
        if isinstance(action, str) and not _JSON.match(action):
            if len(action) > MAX_ACTION_CHARACTERS:
                raise ActionError(f"The action has {len(action)} characters; the limit is {MAX_ACTION_CHARACTERS}.")
            return " ".join(action.split())
        call = self.tools.parse(action)
        return " ".join(self._commands[call.name].format(**call.arguments).split())

    def loaded(self, data: Any) -> S:
        """A state from its fields as JSON has them. Raises `ValueError`."""
        return self._form.validate_python(data)


def quoted(words: str) -> str:
    """What a player wrote, short and harmless enough to be said back."""
    return ascii(words if len(words) <= 60 else words[:60] + "...")


def split_of(key: str) -> str:
    """The split that a task belongs to: one in five is a test task, by a hash of what it is."""
    number = int.from_bytes(blake2b(key.encode(), digest_size=4).digest())
    return "train" if number % _TEST_OF else "test"


def drawn(game: Game[S], seed: int, level: int, split: str) -> S:
    """The first state number ``seed`` of a level and a split."""
    rng = Random(f"{game.name} {level} {split} {seed}")
    for _ in range(_TRIES):
        state = game.start(rng, level)
        if split_of(game.key(state)) == split:
            return state
    raise RuntimeError(f"{game.name} drew {_TRIES} tasks of level {level} and none was of the split {split!r}")
