"""The blocks world and its PDDL: reading, the semantics, plans against a breadth-first search, a user's problems."""

import random
from collections import deque
from itertools import pairwise

import gymnasium
import pytest
from hypothesis import given
from hypothesis import strategies as st

import selfgym  # noqa: F401  (registers the environments)
from selfgym.envs.core import Outcome
from selfgym.envs.games import blocks
from selfgym.envs.games.blocks import BlocksWorld, load, shortest_plan, table
from selfgym.envs.games.game import NoSolutionError, drawn
from selfgym.envs.games.strips import PddlError, Problem, read_domain, read_problem, written
from selfgym.envs.tools import ActionError

GAME, DOMAIN = BlocksWorld(), blocks.domain()
SUSSMAN = """
(define (problem sussman) (:domain blocksworld) ; Sussman 1975
  (:objects A B C)
  (:init (handempty) (ontable a) (ontable b) (on c a) (clear b) (clear c))
  (:goal (and (on a b) (on b c))))
"""


class Towers:
    """The rules of the blocks world once more, without facts: who is on whom ("" is the table), and who is held."""

    def __init__(self, below, held=""):
        self.below, self.held = dict(below), held

    @classmethod
    def of(cls, state):
        below = {fact[1]: fact[2] for fact in state.facts if fact[0] == "on"}
        below |= {fact[1]: "" for fact in state.facts if fact[0] == "ontable"}
        return cls(below, next((fact[1] for fact in state.facts if fact[0] == "holding"), ""))

    def commands(self):
        free = [block for block in self.below if block not in self.below.values()]
        if self.held:
            return [f"put-down {self.held}", *(f"stack {self.held} {block}" for block in free)]
        return [f"unstack {one} {self.below[one]}" if self.below[one] else f"pick-up {one}" for one in free]

    def do(self, command):
        kind, block, *other = command.split()
        below = dict(self.below)
        if kind in ("pick-up", "unstack"):
            del below[block]
            return Towers(below, block)
        return Towers({**below, block: other[0] if other else ""})

    def has(self, wanted):
        return all(self.below.get(fact[1]) == fact[2] for fact in wanted)

    def key(self):
        return self.held, tuple(sorted(self.below.items()))


def fewest(state):
    first = Towers.of(state)
    seen, queue = {first.key()}, deque([(first, 0)])
    while queue:
        towers, steps = queue.popleft()
        if towers.has(state.wanted):
            return steps
        for command in towers.commands():
            then = towers.do(command)
            if then.key() not in seen:
                seen.add(then.key())
                queue.append((then, steps + 1))
    return None


def test_the_domain_has_the_four_operators():
    assert set(DOMAIN.actions) == {"pick-up", "put-down", "stack", "unstack"}
    stack = DOMAIN.actions["stack"].with_objects(("a", "b"))
    assert stack.needs == {("holding", "a"), ("clear", "b")}
    assert stack.adds == {("clear", "a"), ("handempty",), ("on", "a", "b")}
    assert stack.deletes == {("holding", "a"), ("clear", "b")}


def test_a_walk_at_random_follows_the_other_rules_too():
    rng = random.Random(1)
    for seed in range(20):
        state = drawn(GAME, seed, 2, "train")
        towers = Towers.of(state)
        for _ in range(40):
            assert sorted(GAME.legal(state)) == sorted(towers.commands())
            command = rng.choice(GAME.legal(state))
            move, towers = GAME.apply(state, command), towers.do(command)
            state = move.state
            assert Towers.of(state).key() == towers.key()
            assert (move.outcome is Outcome.SUCCESS) == towers.has(state.wanted)
            if move.outcome is Outcome.SUCCESS:
                break


@pytest.mark.parametrize(
    ("command", "why"),
    [
        ("pick-up a", r"\(clear a\) does not hold"),
        ("pick-up c", r"\(ontable c\) does not hold"),
        ("stack b c", r"\(holding b\) does not hold"),
        ("pick-up z", "Write one of"),
        ("stack b b", "Write one of"),
        ("fly a", "Write one of"),
    ],
)
def test_what_is_not_possible_is_named(command, why):
    with pytest.raises(ActionError, match=why):
        GAME.apply(load(SUSSMAN), command)


@pytest.mark.parametrize(("level", "seeds"), [(1, 60), (2, 15)])
def test_plans_are_shortest(level, seeds):
    for seed in range(seeds):
        state = drawn(GAME, seed, level, "train")
        plan, towers = GAME.solution(state), Towers.of(state)
        for command in plan:
            assert command in towers.commands()
            towers = towers.do(command)
        assert towers.has(state.wanted)
        assert len(plan) == fewest(state)


def test_plans_go_on_from_anywhere():
    rng = random.Random(2)
    for seed in range(30):
        state = drawn(GAME, seed, 1, "train")
        for _ in range(rng.randrange(1, 8)):
            move = GAME.apply(state, rng.choice(GAME.legal(state)))
            if move.outcome is Outcome.SUCCESS:
                break
            state = move.state
        assert len(GAME.solution(state)) == fewest(state)


def test_names_do_not_make_another_task():
    state = drawn(GAME, 3, 3, "train")
    names = dict(zip(state.blocks, reversed(state.blocks), strict=True))
    facts, wanted = (
        tuple(sorted(tuple(names.get(word, word) for word in fact) for fact in some))
        for some in (state.facts, state.wanted)
    )
    assert GAME.key(blocks.Table(state.blocks, facts, wanted)) == GAME.key(state)
    assert GAME.key(drawn(GAME, 4, 3, "train")) != GAME.key(state)


@pytest.mark.parametrize("how", ["text", "path"])
def test_sussmans_anomaly_is_solved_in_six(how, tmp_path):
    file = tmp_path / "sussman.pddl"
    file.write_text(SUSSMAN)
    env = gymnasium.make("selfgym/BlocksWorld-v0", problem=SUSSMAN if how == "text" else file).unwrapped
    env.reset(seed=1)
    plan = env.solution()
    assert len(plan) == 6
    for command in plan:
        _, reward, terminated, _, info = env.step(command)
    assert (reward, terminated, info["outcome"]) == (1.0, True, Outcome.SUCCESS)
    assert env.reset()[0] == env.reset(seed=5)[0]


def test_a_large_problem_gets_a_good_plan():
    names = tuple(f"b{at}" for at in range(20))
    order = random.Random(0).sample(names, 20)
    goal = random.Random(1).sample(names, 20)
    init = {("handempty",), ("ontable", order[0]), ("clear", order[-1])}
    init |= {("on", one, under) for under, one in pairwise(order)}
    aims = {("on", one, under) for under, one in pairwise(goal)}
    state = table(Problem("large", names, frozenset(init), frozenset(aims)))
    plan, towers = GAME.solution(state), Towers.of(state)
    for command in plan:
        assert command in towers.commands()
        towers = towers.do(command)
    assert towers.has(state.wanted)
    assert len(plan) <= 4 * 20


def test_a_goal_of_something_held_or_clear():
    held = SUSSMAN.replace("(and (on a b) (on b c))", "(holding a)")
    assert GAME.solution(load(held)) == ["unstack c a", "put-down c", "pick-up a"]
    clear = SUSSMAN.replace("(and (on a b) (on b c))", "(clear a)")
    assert GAME.solution(load(clear)) == ["unstack c a"]


def test_a_goal_that_nothing_reaches():
    circle = SUSSMAN.replace("(on b c)", "(on b a)")
    assert shortest_plan(load(circle)) is None
    with pytest.raises(NoSolutionError):
        GAME.solution(load(circle))


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("(on c a)", "(on c d)", "names d"),
        ("(on c a)", "(under c a)", "no fact of this domain"),
        ("(on c a)", "(on c)", "no fact of this domain"),
        ("(on c a)", "", "no arrangement"),
        ("(clear b)", "", "no arrangement"),
        ("(clear b)", "(clear a) (clear b)", "no arrangement"),
        ("(ontable b)", "(on b a)", "no arrangement"),
        ("(ontable a)", "(on a c)", "no arrangement"),
        ("(ontable b)", "(holding b)", "no arrangement"),
        ("(handempty)", "", "no arrangement"),
        (":domain blocksworld", ":domain gripper", "domain gripper"),
        ("(:objects A B C)", "(:objects a b c - block)", "without types"),
        ("(:objects A B C)", "(:objects a b c c)", "different names"),
        ("(:objects A B C)", "", "one section :objects, not 0"),
        ("(:objects A B C)", "(:requirements :adl) (:objects a b c)", "only the requirement :strips"),
        ("(:objects A B C)", "(:objects a b c) (:metric minimize)", "no :metric"),
        ("(and (on a b) (on b c))", "(or (on a b))", "names should be"),
        ("(and (on a b) (on b c))", "(on c a)", "holds already"),
        ("(on b c))))", "(on b c)))", "brackets"),
        ("(on b c))))", "(on b c)))))", "brackets"),
    ],
)
def test_problems_that_cannot_be_played_say_why(old, new, why):
    assert old in SUSSMAN
    with pytest.raises(PddlError, match=why):
        load(SUSSMAN.replace(old, new))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (":strips", ":strips :typing"),
        ("(:action stack", "(:axiom stack"),
        (":precondition (holding ?x)", ""),
        ("(not (ontable ?x))", "(not (ontable ?z))"),
        ("(:predicates", "(:predicates on"),
    ],
)
def test_domains_beyond_the_subset_are_refused(old, new):
    assert old in blocks.DOMAIN
    with pytest.raises(PddlError):
        read_domain(blocks.DOMAIN.replace(old, new, 1))


@given(st.text("()abc :;\n-?", max_size=60) | st.text(max_size=30))
def test_no_text_raises_anything_else(text):
    with pytest.raises(PddlError):
        read_problem(text, DOMAIN)
    with pytest.raises(PddlError):
        read_problem(SUSSMAN.replace("(:objects A B C)", text), DOMAIN)


def test_many_brackets_are_refused():
    with pytest.raises(PddlError, match="nested"):
        read_domain("(" * 100_000)


def test_what_is_written_is_read_back():
    for seed in range(20):
        state = drawn(GAME, seed, 3, "test")
        problem = Problem("one", state.blocks, frozenset(state.facts), frozenset(state.wanted))
        assert read_problem(written(problem, DOMAIN), DOMAIN) == problem
        assert table(problem) == state
