"""`selfgym/TextWorld-v0`: text adventures of TextWorld (Côté et al. 2018, arXiv 1806.11532), from its package.

Games are files that TextWorld has made, or are made here by its own generator, without a network; making one takes
seconds, so what was made is kept in a folder. Only admissible commands reach the game: others, such as ``restart``,
would lead its parser into questions. What is seen and scored is the game's.
"""

from __future__ import annotations

import re
import tempfile
import warnings
from contextlib import suppress
from pathlib import Path
from typing import Any

from selfgym.envs.adapters.replayed import ReplayedEnv, Seen, load
from selfgym.envs.core import Outcome

VERSION = "1"
_PROMPT = re.compile(r"\s*>?\s*(-= [^\n]* =-\s*\d+/\d+)?\s*\Z")  # and the line that shows room, score and moves


class TextWorldEnv(ReplayedEnv):
    """A text adventure: a quest in some rooms, commands in English.

    The reward is what the game's score goes up, as a share of the best score.

    Args:
        games: a game of TextWorld (``.z8`` or ``.ulx``, with its ``.json`` beside it), or a folder of them: seeds go
            through them in the order of their names. Without it a game is made for each seed.
        rooms: of the games that are made.
        objects: in them.
        quest_length: how many commands the quest takes.
        folder: where games that are made are kept; by default ``~/.cache/selfgym/textworld``.
        max_steps: after which the episode is truncated.
    """

    def __init__(
        self,
        games: str | None = None,
        *,
        rooms: int = 3,
        objects: int = 5,
        quest_length: int = 4,
        folder: str | None = None,
        max_steps: int = 50,
        render_mode: str | None = None,
    ) -> None:
        package = load("textworld", "textworld")
        self.games = _found(games) if games is not None else []
        self.size = (rooms, objects, quest_length)
        if not games and min(self.size) < 1:
            raise ValueError("rooms, objects and quest_length should be at least 1")
        self._version = load("textworld.version", "textworld").__version__
        self._folder = Path(folder or Path.home() / ".cache" / "selfgym" / "textworld")
        self._package = package
        self._inner: Any = None
        name = f"textworld:{Path(games).name}" if games else f"textworld:{'x'.join(map(str, self.size))}"
        super().__init__(name, f"{VERSION}.{self._version}", max_steps=max_steps, render_mode=render_mode)

    def begin(self, seed: int) -> tuple[str, Seen]:
        """Start the game of a seed."""
        self.drop()
        asked = dict.fromkeys(("feedback", "description", "inventory", "admissible_commands", "objective"), True)
        asked |= dict.fromkeys(("won", "lost", "score", "max_score", "facts", "policy_commands"), True)
        path = self.games[seed % len(self.games)] if self.games else self._made(seed)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that the interpreter does not know the game; TextWorld does
            self._inner = self._package.start(str(path), self._package.EnvInfos(**asked))
        self._state = self._inner.reset()
        self._score = 0
        task = " ".join(self._state.objective.split())
        text = f"Task: {task}\n\n{self._state.description.strip()}\n\n{self._state.inventory.strip()}"
        return task, self._seen(text)

    def act(self, command: str) -> Seen:
        """Say a command to the game."""
        self._state, score, _ = self._inner.step(command)
        reward, self._score = (score - self._score) / max(1, self._state.max_score), score
        won, lost = self._state.won, self._state.lost
        outcome = Outcome.SUCCESS if won else Outcome.FAILURE if lost else Outcome.RUNNING
        return self._seen(_PROMPT.sub("", self._state.feedback).strip(), float(reward), outcome)

    def solution(self) -> list[str]:
        """The commands that win from here, as the package knows them; asking for it is cheating."""
        return list(self._state.policy_commands)

    def drop(self) -> None:
        """End the game."""
        inner, self._inner = self._inner, None
        if inner is not None:
            with suppress(Exception):
                inner.close()

    def _seen(self, text: str, reward: float = 0.0, outcome: Outcome = Outcome.RUNNING) -> Seen:
        state = "\n".join(sorted(map(str, self._state.facts)))
        return Seen(text, reward, outcome, list(self._state.admissible_commands), {"score": int(self._score)}, state)

    def _made(self, seed: int) -> Path:
        """The game that the generator makes of a seed, made unless it is there."""
        options = self._package.GameOptions()
        options.nb_rooms, options.nb_objects, options.quest_length = self.size
        options.seeds = seed
        path = self._folder / f"{self._version}-{'x'.join(map(str, self.size))}" / f"{seed}.z8"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=path.parent) as making:
                options.path = str(Path(making, path.name))
                self._package.make(options)
                for name in (path.with_suffix(".json").name, path.name):  # the game last: it says that both are there
                    Path(making, name).replace(path.parent / name)
        return path


def _found(games: str) -> list[Path]:
    path = Path(games)
    found = sorted(one for one in path.iterdir() if one.suffix in (".z8", ".ulx")) if path.is_dir() else [path]
    lacking = [one for one in found if not one.exists() or not one.with_suffix(".json").exists()]
    if lacking or not found:
        raise ValueError(f"no game of TextWorld with its .json beside it: {lacking[0] if lacking else path}")
    return found
