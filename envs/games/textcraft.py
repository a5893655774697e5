"""Crafting by recipes that the text gives, after TextCraft (Prasad et al. 2023, ADaPT, arXiv 2311.05772).

There the recipes are Minecraft's; here a tree of them is drawn from a seed, of a depth that the level says, between
others that lead nowhere. Raw items are had for the asking, the others only by their recipe.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from random import Random

from pydantic import BaseModel, Field

from selfgym.envs.core import Outcome
from selfgym.envs.games.env import GameEnv
from selfgym.envs.games.game import Game, Move, NoSolutionError, Verb, quoted
from selfgym.envs.tools import ActionError

MOST = 64
"""Of one item at a time."""
_RAW = (
    *("birch log", "oak log", "clay", "flax", "copper ore", "iron ore", "sand", "wool", "reed", "limestone", "beeswax"),
    *("charcoal", "hide", "feather", "quartz", "amber", "bamboo", "coral", "cotton", "granite", "resin", "salt"),
    *("silk thread", "sulphur"),
)
_KINDS = (
    *("birch", "brass", "carved", "painted", "slender", "gilded", "glazed", "iron", "polished", "sturdy", "tempered"),
    *("woven",),
)
_FORMS = (
    *("plank", "rod", "plate", "cord", "brick", "lens", "gear", "frame", "lamp", "barrel", "panel", "wheel", "basket"),
    *("hinge", "ladder", "kettle", "chest", "bell", "loom", "sail"),
)
_GET = re.compile(r"get ([0-9]{1,3}) (.+)", re.ASCII)
_CRAFT = re.compile(r"craft ([0-9]{1,3}) (.+?) using (.+)", re.ASCII)
_PART = re.compile(r"([0-9]{1,3}) (.+)", re.ASCII)

Counts = tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Recipe:
    """So many of an item come of these."""

    item: str
    makes: int
    needs: Counts

    def command(self) -> str:
        """The command that follows it."""
        return f"craft {self.makes} {self.item} using {', '.join(f'{count} {item}' for item, count in self.needs)}"


@dataclass(frozen=True, slots=True)
class Bench:
    """The recipes, what is to be crafted, and what is there (sorted by name)."""

    recipes: tuple[Recipe, ...]
    target: str
    have: Counts = ()

    def raw(self) -> list[str]:
        """The items that have no recipe."""
        crafted = {recipe.item for recipe in self.recipes}
        return sorted({item for recipe in self.recipes for item, _ in recipe.needs} - crafted)


class _Get(BaseModel):
    count: int = Field(description="How many, 1 to 64.")
    item: str = Field(description="An item that has no recipe.")


class _Craft(BaseModel):
    count: int = Field(description="As many as the recipe makes.")
    item: str
    ingredients: str = Field(description="As the recipe lists them, e.g. '2 birch log, 1 clay'.")


class _Nothing(BaseModel):
    pass


class TextCraft(Game[Bench]):
    """The rules, and the shortest plan."""

    name = "textcraft"
    steps = (20, 30, 40, 60)
    form = Bench
    verbs = (
        Verb("get", "Take some of a raw item.", _Get, "get {count} {item}"),
        Verb("craft", "Follow a recipe once.", _Craft, "craft {count} {item} using {ingredients}"),
        Verb("inventory", "Say what you have.", _Nothing, "inventory"),
    )

    def start(self, rng: Random, level: int) -> Bench:
        """A tree of recipes as deep as the level, which half of the steps are enough for, and as many others."""
        while True:
            raw = rng.sample(_RAW, 4 + level)
            names = [f"{kind} {form}" for kind in _KINDS for form in _FORMS]
            rng.shuffle(names)
            tree = _tree(rng, level, raw, names)
            others = [_recipe(rng, names.pop(), [*raw, *(recipe.item for recipe in tree)]) for _ in range(2 + level)]
            recipes = [*tree, *others]
            rng.shuffle(recipes)
            state = Bench(tuple(recipes), tree[-1].item)
            wanted, crafts = _plan(state)
            counts = [wanted.get(item, 0) for item in state.raw()]
            if max(counts) <= MOST and len(crafts) + len(counts) - counts.count(0) <= self.steps[level - 1] // 2:
                return state

    def key(self, state: Bench) -> str:
        """The target and the recipes that lead to it."""
        return f"{state.target}: {sorted(recipe.command() for recipe in _needed(state))}"

    def goal(self, state: Bench) -> str:
        """In words."""
        return f"Craft {state.target}."

    def describe(self, state: Bench) -> str:
        """The recipes, what is there, and the commands."""
        recipes = "\n".join(recipe.command() for recipe in state.recipes)
        return (
            f"Recipes:\n{recipes}\n\n{_inventory(state)}\nItems without a recipe can be had by 'get'. "
            "Commands: get N ITEM; craft N ITEM using N ITEM, N ITEM ..., just as in a recipe; inventory."
        )

    def legal(self, state: Bench) -> list[str]:
        """Recipes that can be followed now, and of each raw item the numbers in recipes; any other can be had too."""
        have, raw = dict(state.have), set(state.raw())
        wanted = sorted({need for recipe in state.recipes for need in recipe.needs if need[0] in raw})
        gets = [f"get {count} {item}" for item, count in wanted if have.get(item, 0) + count <= MOST]
        crafts = [recipe.command() for recipe in state.recipes if _missing(recipe, have) is None]
        return [*gets, *crafts, "inventory"]

    def apply(self, state: Bench, words: str) -> Move[Bench]:
        """Get, craft, or look at what is there."""
        words = words.lower()
        if words == "inventory":
            return Move(state, _inventory(state))
        if found := _GET.fullmatch(words):
            return _get(state, int(found[1]), found[2])
        if found := _CRAFT.fullmatch(words):
            return _craft(state, int(found[1]), found[2], found[3])
        raise ActionError("Write one of: get N ITEM; craft N ITEM using N ITEM, N ITEM ...; inventory.")

    def solution(self, state: Bench) -> list[str]:
        """A shortest plan: what is wanted is added up from the target down, got at once, and crafted from below.

        It is shortest because every item has one recipe, so no craft in it can be left out and no raw item can come
        in fewer portions. (What was crafted in excess could only block it at the limit of 64.)
        """
        wanted, crafts = _plan(state)
        if too_many := [item for item in state.raw() if wanted.get(item, 0) > MOST]:
            raise NoSolutionError(f"more than {MOST} {too_many[0]} would be wanted at once")
        have = dict(state.have)
        short = {item: wanted.get(item, 0) - have.get(item, 0) for item in state.raw()}
        return [f"get {count} {item}" for item, count in short.items() if count > 0] + crafts


class TextCraftEnv(GameEnv[Bench]):
    """Crafting in text: get raw items and follow recipes, some of which lead nowhere.

    ``level``, 1 to 4, is the depth of the tree of recipes.
    """

    def __init__(
        self, level: int = 1, split: str = "train", max_steps: int | None = None, render_mode: str | None = None
    ) -> None:
        super().__init__(TextCraft(), level, split, max_steps, render_mode)


def _recipe(rng: Random, item: str, pool: list[str], must: str | None = None) -> Recipe:
    needs = rng.sample(pool, rng.randint(1, min(3, len(pool))))
    if must is not None and must not in needs:
        needs[0] = must
    makes = rng.choice((1, 1, 1, 2, 4))
    return Recipe(item, makes, tuple((need, rng.randint(1, 3)) for need in needs))


def _tree(rng: Random, depth: int, raw: list[str], names: list[str]) -> list[Recipe]:
    """Recipes from the raw items up: each layer needs one of the layer below; the last one is the target's."""
    recipes: list[Recipe] = []
    below, known = list(raw), list(raw)
    for layer in range(depth):
        width = 1 if layer == depth - 1 else 2
        made = [_recipe(rng, names.pop(), known, must=rng.choice(below)) for _ in range(width)]
        recipes += made
        below = [recipe.item for recipe in made]
        known += below
    return recipes


def _needed(state: Bench) -> list[Recipe]:
    """The recipes that lead to the target, each before those of its ingredients."""
    recipes = {recipe.item: recipe for recipe in state.recipes}
    order: list[Recipe] = []

    def visit(item: str) -> None:
        if item in recipes and recipes[item] not in order:
            for need, _ in recipes[item].needs:
                visit(need)
            order.append(recipes[item])

    visit(state.target)
    return order[::-1]


def _plan(state: Bench) -> tuple[dict[str, int], list[str]]:
    """How many of each item are wanted beside or of what is there, and the crafts in order."""
    have, wanted = dict(state.have), {state.target: dict(state.have).get(state.target, 0) + 1}
    crafts: list[str] = []
    for recipe in _needed(state):
        short = max(0, wanted.get(recipe.item, 0) - have.get(recipe.item, 0))
        times = -(-short // recipe.makes)
        for item, count in recipe.needs:
            wanted[item] = wanted.get(item, 0) + times * count
        crafts = [recipe.command()] * times + crafts
    return wanted, crafts


def _inventory(state: Bench) -> str:
    things = ", ".join(f"{count} {item}" for item, count in state.have)
    return f"You have {things or 'nothing'}."


def _missing(recipe: Recipe, have: dict[str, int]) -> str | None:
    """What keeps one from following a recipe."""
    for item, count in recipe.needs:
        if have.get(item, 0) < count:
            return f"it needs {count} {item} and you have {have.get(item, 0)}"
    if have.get(recipe.item, 0) + recipe.makes > MOST:
        return f"you cannot have more than {MOST} {recipe.item}"
    return None


def _with(state: Bench, have: dict[str, int]) -> Bench:
    return Bench(state.recipes, state.target, tuple(sorted((item, count) for item, count in have.items() if count)))


def _get(state: Bench, count: int, item: str) -> Move[Bench]:
    raw, have = state.raw(), dict(state.have)
    if item not in raw:
        crafted = any(recipe.item == item for recipe in state.recipes)
        why = f"{item} has to be crafted" if crafted else f"there is no {quoted(item)}"
        raise ActionError(f"You cannot get that: {why}. Items to get: {', '.join(raw)}.")
    if count < 1 or have.get(item, 0) + count > MOST:
        raise ActionError(f"You can get 1 or more, and have {MOST} of an item at most.")
    have[item] = have.get(item, 0) + count
    return Move(_with(state, have), f"Got {count} {item}.")


def _craft(state: Bench, count: int, item: str, using: str) -> Move[Bench]:
    parts = [_PART.fullmatch(part.strip()) for part in using.split(",")]
    given = sorted((part[2], int(part[1])) for part in parts if part)
    recipe = next((recipe for recipe in state.recipes if recipe.item == item), None)
    if recipe is None:
        raise ActionError(f"There is no recipe for {quoted(item)}.")
    if None in parts or recipe.makes != count or sorted(recipe.needs) != given:
        raise ActionError(f"That is not its recipe, which is: {recipe.command()}.")
    have = dict(state.have)
    if (why := _missing(recipe, have)) is not None:
        raise ActionError(f"You cannot craft {item} now: {why}.")
    for need, number in recipe.needs:
        have[need] -= number
    have[item] = have.get(item, 0) + count
    after = _with(state, have)
    if item == state.target:
        return Move(after, f"Crafted {count} {item}. That is what was wanted.", 1.0, Outcome.SUCCESS)
    return Move(after, f"Crafted {count} {item}.")
