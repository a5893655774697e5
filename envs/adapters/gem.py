r"""`selfgym/GEM-v0`: the environments of GEM (Liu et al. 2025, arXiv 2510.01051) whose observations are text.

Games, questions and judges are GEM's own. An action is what a model would answer, such as ``I say \boxed{7}``. Where
GEM would end an episode because an answer is not marked as one, it is refused here, and the agent may try again.
Programs that answer tasks of code are run in selfgym's sandbox; GEM's own setting would run them beside itself.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from difflib import get_close_matches
from importlib.metadata import version
from pathlib import Path
from typing import Any

from gymnasium.error import DependencyNotInstalled

from selfgym.envs.adapters.randomness import OwnRandomness
from selfgym.envs.adapters.replayed import ReplayedEnv, Seen, limited, load
from selfgym.envs.core import Outcome
from selfgym.envs.sandbox.opening import open_sandbox
from selfgym.envs.tools import ActionError

VERSION = "1"
_MARKS = {  # where GEM finds the answer, by what finds it
    "extract_code_from_model": ("```", "a block of code: a line ```python, the program, a line ```"),
    "extract_last_tagged_answer": ("<answer>", "<answer>...</answer>"),
    "": ("\\boxed{", "\\boxed{...}"),
}
_UNREADABLE = (ValueError, TypeError, LookupError, ArithmeticError, AttributeError, AssertionError, RecursionError)
_TIMEOUT = 10.0  # seconds for a program, as GEM has it


class GemEnv(ReplayedEnv):
    """An environment of GEM.

    An episode succeeds if it ends with a reward of 1, GEM's for an answer that is right or a game that is won.

    Args:
        env: GEM's id, such as ``"game:Sokoban-v0-easy"`` or ``"rg:leg_counting"``.
        dataset: for tasks of ``math:``, ``code:`` and ``qa:``, a file of JSON lines to take instead of the set that GEM
            downloads.
        max_steps: after which the episode is truncated.
        max_characters: how long an observation may be.
        render_mode: ``"ansi"`` for the last observation.
        settings: those of GEM's environment.
    """

    def __init__(
        self,
        env: str,
        *,
        dataset: str | None = None,
        max_steps: int = 100,
        max_characters: int = 16_384,
        render_mode: str | None = None,
        **settings: Any,
    ) -> None:
        known = load("gem.envs.registration", "gem-llm").ENV_REGISTRY
        load("gem.envs", "gem-llm")
        if env not in known:
            near = get_close_matches(env, known, n=1)
            raise ValueError(f"GEM has no environment {env!r}.{f' Did you mean {near[0]!r}?' if near else ''}")
        shown = "".join(f",{key}={one!r}" for key, one in sorted({**settings, "dataset": dataset}.items()) if one)
        super().__init__(
            f"gem:{env}{shown}",
            f"{VERSION}.{version('gem-llm')}",
            max_steps=max_steps,
            max_characters=max_characters,
            render_mode=render_mode,
        )
        self._id, self._dataset, self._settings = env, dataset, settings
        self._game: Any = None

    def begin(self, seed: int) -> tuple[str, Seen]:
        """GEM's episode of a seed: its first text is the task."""
        self._own = OwnRandomness(seed)
        with self._own.used():
            if self._game is None or self._id.startswith("rg:"):  # of these, GEM counts the episodes
                self.drop()
                self._game = self._made()
            text, info = self._game.reset(seed=seed)
        if not isinstance(text, str):
            raise ValueError(f"{self._id} shows {type(text).__name__} where a text is needed")
        return text, Seen(_told(text, info))

    def read(self, action: Any) -> str:
        """Any text, or a tool call. Raises `ActionError` where GEM would find no answer in it."""
        text = (
            limited(action) if isinstance(action, str) and not action.lstrip().startswith("{") else super().read(action)
        )
        extractor = "extract_code_from_model" if _is_code(self._game) else _name(getattr(self._game, "extractor", None))
        mark, words = _MARKS.get(extractor, _MARKS[""])
        if mark not in text:
            raise ActionError(f"There is no answer in that. Mark it: {words}.")
        return text

    def act(self, command: str) -> Seen:
        """Answer. What GEM fails to read is a wrong answer."""
        try:
            with self._own.used():
                text, reward, terminated, truncated, info = self._game.step(command)
        except _UNREADABLE as error:
            return Seen(f"GEM cannot read that answer: {type(error).__name__}.", 0.0, Outcome.FAILURE)
        over = terminated or truncated
        outcome = Outcome.RUNNING if not over else Outcome.SUCCESS if terminated and reward >= 1 else Outcome.FAILURE
        told = {Outcome.RUNNING: _told(text, info), Outcome.SUCCESS: "Right.", Outcome.FAILURE: "That was not right."}
        final = load("gem.utils.constants", "gem-llm").TERMINAL_STATE
        return Seen(told[outcome] if text == final else _told(text, info), float(reward), outcome)

    def drop(self) -> None:
        """Let go of the environment and the process that judges."""
        game, self._game = self._game, None
        pool = getattr(game, "mp_pool", None)
        if pool is not None:
            pool.terminate()
            pool.join()
        if _is_code(game):
            game.thread_pool_executer.shutdown()

    def _made(self) -> Any:
        gem, settings = load("gem", "gem-llm"), dict(self._settings)
        if self._dataset is not None:
            lines = Path(self._dataset).read_text(encoding="utf-8").splitlines()
            settings["dataset"] = load("datasets", "datasets").Dataset.from_list([json.loads(line) for line in lines])
        try:
            game = gem.make(self._id, **settings)
        except ImportError as error:  # what some environments need is no requirement of GEM's
            raise DependencyNotInstalled(f"{error} Install what is missing with pip.") from error
        if _is_code(game):
            load("gem.envs.code_env", "gem-llm").run_python = _run_inside
        return game


def _is_code(game: Any) -> bool:
    return type(game).__name__ == "CodeEnv"


def _name(extractor: Callable[..., Any] | None) -> str:
    return getattr(extractor, "__name__", "")


def _told(text: str, info: dict[str, Any]) -> str:
    suffix = info.get("suffix") if isinstance(info, dict) else None
    return f"{text.strip()}\n{suffix}" if suffix else text.strip()


def _run_inside(code: str, sandbox_type: str, stdin: str | None = None, timeout: float = _TIMEOUT) -> tuple[Any, ...]:
    """In place of ``gem.utils.sandbox.run_python``: whether a program ended well, its output and its errors.

    As there, a program that lacks a name is run once more below GEM's usual imports.
    """
    usual = load("gem.utils.constants", "gem-llm").BASE_IMPORTS
    with open_sandbox() as box:
        for source in (code, f"{usual}\n{code}"):
            done = box.exec(["python", "-c", source], stdin=stdin or "", timeout=timeout)
            errors = done.stderr.decode(errors="replace").strip()
            if done.ok or "is not defined" not in errors:
                break
    return done.ok, done.stdout.decode(errors="replace"), errors
