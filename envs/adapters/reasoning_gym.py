"""`selfgym/ReasoningGym-v0`: the questions of reasoning-gym (Stojanovski et al. 2025, arXiv 2505.24760).

An episode is one question; the package makes it and scores the answer. A question belongs to the training or to the
test split by a hash of its text, so that no question is in both, whatever the seeds.
"""

from __future__ import annotations

from difflib import get_close_matches
from random import Random
from typing import Any

from pydantic import BaseModel, Field

from selfgym.envs.adapters.answers import check
from selfgym.envs.adapters.replayed import ReplayedEnv, Seen, limited, load
from selfgym.envs.core import Outcome
from selfgym.envs.games.game import SPLITS, NoSolutionError, split_of
from selfgym.envs.tools import ActionError, Tool, ToolSet

VERSION = "1"
_TRIES = 800
_AT_ONCE = 8  # questions of a seed of the package: some of its datasets take seconds to be made
_HOW = "Put your answer between <answer> and </answer>, or call answer with it."


class _Answer(BaseModel):
    text: str = Field(description="The answer alone, in the form that the question asks for.")


class ReasoningGymEnv(ReplayedEnv):
    """A question of reasoning-gym: algebra, logic, puzzles, games. One answer ends the episode.

    The reward is the package's score, from 0 to 1; a success is a score of 1.

    Args:
        dataset: one of the package's names, such as ``"basic_arithmetic"`` or ``"countdown"``.
        config: its settings, as of ``reasoning_gym.create_dataset(dataset, ...)``.
        split: ``"train"`` or ``"test"``.
        max_steps: tries to write an answer that can be read.
    """

    def __init__(
        self,
        dataset: str = "basic_arithmetic",
        config: dict[str, Any] | None = None,
        *,
        split: str = "train",
        max_steps: int = 8,
        render_mode: str | None = None,
    ) -> None:
        load("reasoning_gym", "reasoning-gym")
        known = load("reasoning_gym.factory", "reasoning-gym").DATASETS
        if dataset not in known or dataset == "composite":
            near = get_close_matches(dataset, list(known), n=1)
            raise ValueError(f"there is no dataset {dataset!r}.{f' Did you mean {near[0]!r}?' if near else ''}")
        if split not in SPLITS:
            raise ValueError(f"there is no split {split!r}: choose one of {', '.join(SPLITS)}")
        if {"seed", "size"} & (config or {}).keys():
            raise ValueError("seed and size are no settings here: reset(seed=...) says which question is asked")
        self.dataset, self.config, self.split = dataset, config or {}, split
        self.tools = ToolSet([Tool("answer", "Give the answer to the question.", _Answer)])
        self._made(0)  # wrong settings are refused now
        self._source: Any = None
        self._entry: dict[str, Any] = {}
        super().__init__(
            f"{dataset}{self.config or ''}:{split}",
            f"{VERSION}.{load('importlib.metadata', 'reasoning-gym').version('reasoning-gym')}",
            max_steps=max_steps,
            render_mode=render_mode,
        )

    def begin(self, seed: int) -> tuple[str, Seen]:
        """The question of a seed: the first of its split that is drawn."""
        rng = Random(f"{self.name} {seed}")
        for number in range(_TRIES):
            if number % _AT_ONCE == 0:
                self._source = self._made(rng.randrange(2**31))
            self._entry = self._source[number % _AT_ONCE]
            if split_of(str(self._entry["question"])) == self.split:
                question = str(self._entry["question"])
                return question, Seen(f"{question}\n\n{_HOW}")
        raise RuntimeError(f"{self.dataset} has too few questions: none of {_TRIES} was of the split {self.split!r}")

    def read(self, action: Any) -> str:
        """The answer that an action holds. Raises `ActionError`."""
        if isinstance(action, str) and not action.lstrip().startswith("{"):
            answer = load("reasoning_gym.utils", "reasoning-gym").extract_answer(limited(action))
        else:
            answer = limited(self.tools.parse(action).arguments["text"])
        if answer is None:
            raise ActionError(f"There is no answer in this. {_HOW}")
        return str(answer)

    def act(self, command: str) -> Seen:
        """Score an answer."""
        check(command, self._source)
        score = float(self._source.score_answer(command, self._entry))
        outcome = Outcome.SUCCESS if score >= 1 else Outcome.FAILURE
        return Seen(f"The answer scores {score:.4g} of 1.", score, outcome)

    def solution(self) -> list[str]:
        """The answer that the package has, as an action; asking for it is cheating.

        Raises `NoSolutionError` for the datasets that have none.
        """
        if self._entry["answer"] is None:
            raise NoSolutionError(f"{self.dataset} scores answers, but has none of its own")
        return [f"<answer>{self._entry['answer']}</answer>"]

    def drop(self) -> None:
        """Forget the question."""
        self._source, self._entry = None, {}

    def _made(self, seed: int) -> Any:
        create = load("reasoning_gym", "reasoning-gym").create_dataset
        try:
            return create(self.dataset, seed=seed, size=_AT_ONCE, **self.config)
        except (TypeError, AssertionError, ValueError) as error:
            raise ValueError(f"reasoning-gym refuses the settings of {self.dataset}: {error}") from error
