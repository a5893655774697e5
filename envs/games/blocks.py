"""The blocks world with four operators (Gupta and Nau, 1992; the domain of the planning competition of 2000), in PDDL.

The domain is read from the text below by `selfgym.envs.games.strips`; its semantics decide what a command does. A task
is drawn from a seed or is a PDDL problem of the user's.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from heapq import heappop, heappush
from itertools import count
from pathlib import Path
from random import Random

from pydantic import BaseModel, Field

from selfgym.envs.core import Outcome
from selfgym.envs.games.env import GameEnv
from selfgym.envs.games.game import Game, Move, NoSolutionError, Verb
from selfgym.envs.games.strips import Action, Domain, Fact, PddlError, Problem, read_domain, read_problem
from selfgym.envs.tools import ActionError

DOMAIN = """
(define (domain blocksworld)
  (:requirements :strips)
  (:predicates (on ?x ?y) (ontable ?x) (clear ?x) (handempty) (holding ?x))
  (:action pick-up
    :parameters (?x)
    :precondition (and (clear ?x) (ontable ?x) (handempty))
    :effect (and (not (ontable ?x)) (not (clear ?x)) (not (handempty)) (holding ?x)))
  (:action put-down
    :parameters (?x)
    :precondition (holding ?x)
    :effect (and (not (holding ?x)) (clear ?x) (handempty) (ontable ?x)))
  (:action stack
    :parameters (?x ?y)
    :precondition (and (holding ?x) (clear ?y))
    :effect (and (not (holding ?x)) (not (clear ?y)) (clear ?x) (handempty) (on ?x ?y)))
  (:action unstack
    :parameters (?x ?y)
    :precondition (and (on ?x ?y) (clear ?x) (handempty))
    :effect (and (holding ?x) (clear ?y) (not (clear ?x)) (not (handempty)) (not (on ?x ?y)))))
"""
_BLOCKS = {1: 4, 2: 6, 3: 8}
_MOST_BLOCKS = 26
_SEARCHED = 50_000


@dataclass(frozen=True, slots=True)
class Table:
    """What there is, what holds, and what should; facts are sorted."""

    blocks: tuple[str, ...]
    facts: tuple[tuple[str, ...], ...]
    wanted: tuple[tuple[str, ...], ...]


class _Block(BaseModel):
    block: str = Field(description="The block's name.")


class _TwoBlocks(_Block):
    other: str = Field(description="The block below.")


class BlocksWorld(Game[Table]):
    """The rules, which are the domain's, and plans."""

    name = "blocksworld"
    steps = (30, 50, 80)
    form = Table
    verbs = (
        Verb("pick-up", "Take a block from the table.", _Block, "pick-up {block}"),
        Verb("put-down", "Put the block you hold on the table.", _Block, "put-down {block}"),
        Verb("stack", "Put the block you hold on another.", _TwoBlocks, "stack {block} {other}"),
        Verb("unstack", "Take a block from another.", _TwoBlocks, "unstack {block} {other}"),
    )

    def start(self, rng: Random, level: int) -> Table:
        """Towers, and other towers."""
        blocks = tuple("abcdefghijklmnopqrstuvwxyz"[: _BLOCKS[level]])
        while True:
            first, last = _towers(rng, blocks), _towers(rng, blocks)
            wanted = frozenset(fact for fact in last if fact[0] == "on")
            if wanted and not wanted <= first:
                return Table(blocks, tuple(sorted(first)), tuple(sorted(wanted)))

    def key(self, state: Table) -> str:
        """Who lies on whom and who should, without names: each block told apart by its neighbours, and theirs."""
        links: list[dict[str, str]] = []
        for facts in (state.facts, state.wanted):
            below = {fact[1]: fact[2] for fact in facts if fact[0] == "on"}
            links += [below, {under: block for block, under in below.items()}]
        signs = dict.fromkeys(state.blocks, "")
        for _ in state.blocks:
            told = {block: f"{[signs.get(link.get(block, '')) for link in links]}" for block in state.blocks}
            signs = {block: blake2b(text.encode(), digest_size=6).hexdigest() for block, text in told.items()}
        return " ".join(sorted(signs.values()))

    def goal(self, state: Table) -> str:
        """In words."""
        wanted = ", ".join(_words(fact) for fact in state.wanted)
        return (
            f"Arrange the blocks so that {wanted}. You hold one block at a time. Commands: pick-up X (from the table), "
            "put-down X (on the table), stack X Y, unstack X Y (X from Y); X and Y must be clear."
        )

    def describe(self, state: Table) -> str:
        """Everything that holds."""
        return "; ".join(_words(fact) for fact in state.facts if fact[0] != "clear") + "."

    def legal(self, state: Table) -> list[str]:
        """The actions whose preconditions hold."""
        facts = frozenset(state.facts)
        return [command for command, action in _actions(state.blocks).items() if action.needs <= facts]

    def apply(self, state: Table, words: str) -> Move[Table]:
        """One action."""
        action = _actions(state.blocks).get(words.lower())
        if action is None:
            raise ActionError("Write one of: pick-up X, put-down X, stack X Y, unstack X Y, with names of blocks.")
        try:
            facts = action.after(frozenset(state.facts))
        except ValueError as error:
            raise ActionError(f"You cannot {words.lower()}: {error}. {self.describe(state)}") from None
        after = Table(state.blocks, tuple(sorted(facts)), state.wanted)
        if facts >= frozenset(state.wanted):
            return Move(after, f"{self.describe(after)} That is what was wanted.", 1.0, Outcome.SUCCESS)
        return Move(after, self.describe(after))

    def solution(self, state: Table) -> list[str]:
        """A shortest plan by A*; where that takes more than 50,000 states, all blocks down and up again.

        Raises `NoSolutionError` where neither leads to the goal.
        """
        plan = shortest_plan(state)
        return _down_and_up(state) if plan is None else plan


class BlocksWorldEnv(GameEnv[Table]):
    """The blocks world of planning: four operators, from PDDL.

    ``level`` 1 has four blocks, 2 six, 3 eight. ``problem`` is a PDDL problem instead, as a text or a path; then
    every episode is that problem, and ``max_steps`` is 200 unless it is given.
    """

    def __init__(
        self,
        level: int = 1,
        split: str = "train",
        problem: str | Path | None = None,
        max_steps: int | None = None,
        render_mode: str | None = None,
    ) -> None:
        first = None if problem is None else load(problem)
        steps = 200 if first is not None and max_steps is None else max_steps
        super().__init__(BlocksWorld(), level, split, steps, render_mode, first)


@lru_cache(maxsize=1)
def domain() -> Domain:
    """The domain, read."""
    return read_domain(DOMAIN)


def load(problem: str | Path) -> Table:
    """A user's problem. Raises `PddlError` where it is none or no arrangement of blocks."""
    text = problem if isinstance(problem, str) and "(" in problem else Path(problem).read_text(encoding="utf-8")
    return table(read_problem(text, domain()))


def table(problem: Problem) -> Table:
    """A problem as a state. Raises `PddlError` where its first facts are no arrangement of blocks."""
    on = [fact for fact in problem.init if fact[0] == "on"]
    below = {fact[1]: fact[2] for fact in on} | {fact[1]: "" for fact in problem.init if fact[0] == "ontable"}
    held = [fact[1] for fact in problem.init if fact[0] == "holding"]
    if not 1 <= len(problem.objects) <= _MOST_BLOCKS:
        raise PddlError(f"a problem should have 1 to {_MOST_BLOCKS} blocks, not {len(problem.objects)}")
    placed = {block: below[block] for block in problem.objects if block in below}
    if problem.init != _all_facts(problem.objects, placed, held[0] if held else None):
        raise PddlError("the facts of :init are no arrangement: each block lies on one clear place, or is held")
    if problem.goal <= problem.init:
        raise PddlError("the goal holds already")
    return Table(problem.objects, tuple(sorted(problem.init)), tuple(sorted(problem.goal)))


def shortest_plan(state: Table) -> list[str] | None:
    """A shortest plan by A*, or None after 50,000 states or where there is none.

    The estimate counts moves of the hand: two for every block that is not where it should be or lies above such a one
    (one if it should be held in the end), one for a block that is held. Each is a move of its own, so it never says
    too much; and a move lowers it by one at most, so no state has to be looked at twice.
    """
    actions, wanted, first = _actions(state.blocks), frozenset(state.wanted), frozenset(state.facts)
    number, cost = count(), {first: 0}
    came: dict[frozenset[Fact], tuple[frozenset[Fact], str]] = {}
    queue = [(_estimate(first, wanted), next(number), first)]
    closed: set[frozenset[Fact]] = set()
    while queue and len(closed) < _SEARCHED:
        _, _, facts = heappop(queue)
        if facts in closed:
            continue
        closed.add(facts)
        if wanted <= facts:
            plan = []
            while facts in came:
                facts, command = came[facts]
                plan.append(command)
            return plan[::-1]
        for command, action in actions.items():
            if action.needs <= facts:
                after = action.after(facts)
                if cost[facts] + 1 < cost.get(after, 1 << 30):
                    cost[after], came[after] = cost[facts] + 1, (facts, command)
                    heappush(queue, (cost[after] + _estimate(after, wanted), -next(number), after))
    return None


def _estimate(facts: frozenset[Fact], wanted: frozenset[Fact]) -> int:
    below = {fact[1]: fact[2] for fact in facts if fact[0] == "on"}
    wrong = {fact[1] for fact in wanted - facts if fact[0] in ("on", "ontable")}
    moves = 0
    for kind, *names in facts:
        if kind == "holding":
            moves += ("holding", names[0]) not in wanted
        elif kind in ("on", "ontable"):
            under = names[0]
            while under not in wrong and under in below:
                under = below[under]
            if under in wrong:
                moves += 1 if ("holding", names[0]) in wanted else 2
    return moves


def _down_and_up(state: Table) -> list[str]:
    """Every block on the table, and the goal's towers from below: at most twice as long as a shortest plan."""
    facts, plan = frozenset(state.facts), list[str]()
    actions = _actions(state.blocks)

    def do(command: str) -> None:
        nonlocal facts
        try:
            facts = actions[command].after(facts)
        except (KeyError, ValueError) as error:
            raise NoSolutionError(f"the goal cannot be reached: {command}: {error}") from None
        plan.append(command)

    for _ in state.blocks:
        for held in [fact[1] for fact in facts if fact[0] == "holding"]:
            do(f"put-down {held}")
        for _, block, under in sorted(fact for fact in facts if fact[0] == "on" and ("clear", fact[1]) in facts):
            do(f"unstack {block} {under}")
            do(f"put-down {block}")
    aims = {fact[1]: fact[2] for fact in state.wanted if fact[0] == "on"}
    for block in sorted(aims, key=lambda block: _depth(aims, block)):
        do(f"pick-up {block}")
        do(f"stack {block} {aims[block]}")
    for _, block in sorted(fact for fact in state.wanted if fact[0] == "holding"):
        do(f"pick-up {block}")
    if not frozenset(state.wanted) <= facts:
        raise NoSolutionError("the goal cannot be reached")
    return plan


@lru_cache(maxsize=64)
def _actions(blocks: tuple[str, ...]) -> dict[str, Action]:
    return domain().ground(blocks)


def _depth(below: dict[str, str], block: str) -> int:
    """How many blocks are below; no more than there are, even where a goal goes round in a circle."""
    depth = 0
    while block in below and depth <= len(below):
        block, depth = below[block], depth + 1
    return depth


def _all_facts(blocks: tuple[str, ...], below: dict[str, str], held: str | None) -> frozenset[Fact]:
    """The facts of an arrangement: what lies on what (on ``""``: the table), and what is held."""
    facts: set[Fact] = {("on", block, under) if under else ("ontable", block) for block, under in below.items()}
    facts |= {("clear", block) for block in blocks if block not in below.values() and block != held}
    facts.add(("handempty",) if held is None else ("holding", held))
    in_air = [block for block in blocks if block not in below and block != held]
    round_and_round = [block for block in below if _depth({a: b for a, b in below.items() if b}, block) > len(blocks)]
    doubled = len([under for under in below.values() if under]) != len({under for under in below.values() if under})
    return frozenset() if in_air or round_and_round or doubled or held in below.values() else frozenset(facts)


def _towers(rng: Random, blocks: tuple[str, ...]) -> frozenset[Fact]:
    order = list(blocks)
    rng.shuffle(order)
    below = {block: order[at - 1] if at and rng.random() < 0.65 else "" for at, block in enumerate(order)}
    return _all_facts(blocks, below, None)


def _words(fact: Fact) -> str:
    said = {
        "on": "{1} is on {2}",
        "ontable": "{1} is on the table",
        "clear": "{1} is clear",
        "holding": "you hold {1}",
        "handempty": "your hand is empty",
    }
    return said[fact[0]].format(*fact)
