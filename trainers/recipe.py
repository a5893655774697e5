"""What a published method is here: a few functions on the shared pieces, with defaults and the paper they come from.

And finding one by name: a built-in recipe, one that an installed package announces, or ``module:ATTRIBUTE``. Naming
and finding them needs no PyTorch; running one does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from selfgym.agents.named import Named
from selfgym.memory.episode import Episode
from selfgym.trainers.collectors import Task
from selfgym.trainers.playing import demonstrate, evaluate
from selfgym.trainers.rows import Row

if TYPE_CHECKING:
    from selfgym.trainers.objectives import Objective
    from selfgym.trainers.stage import EvolveConfig, Stage


def _likelihood(config: EvolveConfig) -> Objective:
    from selfgym.trainers.objectives import log_likelihood

    return log_likelihood


@dataclass(frozen=True, slots=True)
class Recipe:
    """A method of self-training."""

    name: str
    paper: str
    collect: Callable[[Stage, Sequence[Task]], Iterable[Episode]]
    """Plays a handful of tasks and gives every episode to be logged, derived ones included."""
    rows: Callable[[Stage], Iterable[Row]]
    """What the iteration trains on, read from the store."""
    objective: Callable[[EvolveConfig], Objective] = _likelihood
    demonstrate: Callable[[Stage, Sequence[Task]], Iterable[Episode]] = demonstrate
    """Plays the demonstrations that the start is cloned from."""
    evaluate: Callable[[Stage, Sequence[Task]], Iterable[Episode]] = evaluate
    """Plays held-out tasks with the stage's policy."""
    phrases: tuple[str, ...] = ()
    """What its episodes say that no demonstration does, for the words of a model made from scratch."""


RECIPES = {
    "agent-r": "selfgym.trainers.recipes.agent_r:AGENT_R",
    "direct-revision": "selfgym.trainers.recipes.agent_r:DIRECT_REVISION",
    "good-only": "selfgym.trainers.recipes.agent_r:GOOD_ONLY",
    "more-cloning": "selfgym.trainers.recipes.agent_r:MORE_CLONING",
    "gui-reflection": "selfgym.trainers.recipes.gui_reflection:GUI_REFLECTION",
    "grpo": "selfgym.trainers.recipes.groups:GRPO",
    "dr-grpo": "selfgym.trainers.recipes.groups:DR_GRPO",
    "rloo": "selfgym.trainers.recipes.groups:RLOO",
    "dapo": "selfgym.trainers.recipes.groups:DAPO",
    "gigpo": "selfgym.trainers.recipes.groups:GIGPO",
    "starpo": "selfgym.trainers.recipes.groups:STARPO",
    "nft": "selfgym.trainers.recipes.groups:NFT",
    "dpo": "selfgym.trainers.recipes.groups:DPO",
    "sage": "selfgym.trainers.recipes.sage:SAGE",
    "sage-without-library": "selfgym.trainers.recipes.sage:WITHOUT_LIBRARY",
    "sage-more-cloning": "selfgym.trainers.recipes.sage:MORE_CLONING",
    "reinforce": "selfgym.trainers.recipes.groups:REINFORCE",
}
"""The built-in recipes, loaded when asked for."""


_NAMED = Named("recipe", RECIPES, "selfgym.recipes")


def recipe_names() -> dict[str, str]:
    """Every recipe with a name: built in, and announced under the entry-point group ``selfgym.recipes``."""
    return _NAMED.names()


def find_recipe(name: str) -> Recipe:
    """The recipe called ``name``, or at ``module:ATTRIBUTE``. Raises LookupError with the nearest known name."""
    found = _NAMED.find(name)
    if not isinstance(found, Recipe):
        raise LookupError(f"{name!r} is a {type(found).__name__}, not a Recipe")
    return found
