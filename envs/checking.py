"""Whether an environment keeps the rules at the top of `selfgym.envs.core`: yours, and every one of selfgym's own.

    from selfgym.envs.checking import check_agent_env

    check_agent_env(lambda: gymnasium.make("selfgym:mine/Mine-v0").unwrapped)

Each rule is a function of ``make``, which gives a new environment in each call, and raises `AssertionError` with what
was wrong. Episodes are random: admissible commands where ``info`` names them, else samples of the action space. What
this does not see: processes (another hash seed, vector environments) and handles that `close` leaves open.
"""

from __future__ import annotations

import json
import math
import random
import warnings
from collections.abc import Callable, Sequence
from typing import Any

from gymnasium.error import ResetNeeded
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import AutoresetMode

from selfgym.envs.core import AgentEnv, Outcome, SnapshotError
from selfgym.envs.hostile_actions import HOSTILE
from selfgym.envs.random_play import observation_of, play, play_less_than_all

Env = AgentEnv[Any]
Make = Callable[[], Env]
_STEPS = 400
"""An episode of random actions should end within so many."""


def check_agent_env(make: Make) -> None:
    """Hold an environment to every rule, and close what was made. Raises `AssertionError` at the first broken one."""
    made: list[Env] = []

    def make_one() -> Env:
        made.append(make())
        return made[-1]

    try:
        for rule in RULES:
            rule(make_one)
    finally:
        for env in made:
            env.close()


def satisfies_gymnasium(make: Make) -> None:
    """Gymnasium's own checker has no complaint; its warnings count."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            env = make()
            check_env(env, skip_render_check=env.spec is None)  # it makes others for that, by their spec
        except Exception as error:
            raise AssertionError(f"Gymnasium's checker says: {error}") from error


def returns_what_is_promised(make: Make) -> None:
    """Spaces, types, ``outcome``, ``task`` and ``action_error``; episodes end, and a step after the end raises."""
    env = make()
    assert isinstance(env, AgentEnv), f"{type(env).__name__} is no AgentEnv"
    assert env.metadata["autoreset_mode"] is AutoresetMode.NEXT_STEP, "metadata['autoreset_mode'] should be NEXT_STEP"
    assert isinstance(env.version, str), "version is not text"
    assert env.version, "version is empty"
    for seed in range(4):
        first, *rest = play(env, _STEPS, random.Random(seed), env.reset(seed=seed))
        assert first[0] in env.observation_space, f"reset: {first[0]!r:.300} is not in the observation space"
        _check_info(env, first[1], terminated=False, truncated=False)
        for action, observation, reward, terminated, truncated, info in rest:
            assert action in env.action_space, f"the admissible command {action!r:.300} is not in the action space"
            assert observation in env.observation_space, f"{observation!r:.300} is not in the observation space"
            assert isinstance(reward, float), f"the reward {reward!r} is a {type(reward).__name__}, not a float"
            assert math.isfinite(reward), f"the reward is {reward}"
            assert type(terminated) is type(truncated) is bool, "terminated and truncated should be bool"
            _check_info(env, info, terminated=terminated, truncated=truncated)
        assert rest[-1][3] or rest[-1][4], f"no end in {_STEPS} steps: make it with a lower limit for this check"
        _needs_reset(env, "after the end of an episode")


def _check_info(env: Env, info: dict[str, Any], *, terminated: bool, truncated: bool) -> None:
    outcome, error = info.get("outcome"), info.get("action_error", ...)
    assert isinstance(outcome, Outcome), f"info['outcome'] should be an Outcome, not {outcome!r}"
    assert isinstance(info.get("task"), str), "info['task'] should be text"
    assert info["task"], "info['task'] is empty"
    told = f"the outcome {outcome.value!r} does not go with terminated={terminated}, truncated={truncated}"
    assert (outcome is Outcome.RUNNING) == (not terminated and not truncated), told
    assert (outcome is Outcome.TRUNCATED) == truncated, told
    assert error is None or isinstance(error, str), f"info['action_error'] should be None or text, not {error!r}"
    for command in info.get("admissible_commands", ()):
        assert command in env.action_space, f"the admissible command {command!r:.300} is not in the action space"


def admits_only_what_is_possible(make: Make) -> None:
    """An admissible command is never an ``action_error``."""
    env = make()
    for seed in range(3):
        for action, *_, info in play(env, 40, random.Random(seed), env.reset(seed=seed))[1:]:
            if "admissible_commands" in info:
                told = f"seed {seed}: {action!r:.300} was admissible and is an error: {info['action_error']!r:.300}"
                assert info["action_error"] is None, told


def needs_a_reset_first(make: Make) -> None:
    """`step` before the first `reset` raises."""
    _needs_reset(make(), "before the first reset")


def _needs_reset(env: Env, when: str) -> None:
    try:
        env.step(env.action_space.sample())
    except ResetNeeded:
        return
    raise AssertionError(f"step() {when} should raise gymnasium.error.ResetNeeded")


def follows_the_seed(make: Make) -> None:
    """The same seed gives the same episode in two environments; resets without a seed follow from the last seed."""
    first, second = make(), make()
    for seed in range(3):
        one, other = (play(env, 20, random.Random(seed), env.reset(seed=seed)) for env in (first, second))
        _same(other, one, f"seed {seed} in a second environment")
    first.reset(seed=5)
    play(second, 5, random.Random(1), second.reset(seed=5))
    one, other = ([(env.reset()[0],) for _ in range(4)] for env in (first, second))
    _same(other, one, "the tasks that follow a seed")


def draws_several_tasks(make: Make) -> None:
    """Twenty seeds do not all give the same state."""
    env = make()
    begun = {env.reset(seed=seed) and env.snapshot() for seed in range(20)}
    assert len(begun) > 1, "20 seeds gave one and the same state: is the seed used?"


def forgets_an_aborted_episode(make: Make) -> None:
    """Nothing of an episode that was left reaches the next."""
    env, fresh = make(), make()
    for steps in (0, 1, 7):
        play(env, steps, random.Random(steps), env.reset(seed=1))
        expected = play(fresh, 30, random.Random(9), fresh.reset(seed=2))
        _same(play(env, 30, random.Random(9), env.reset(seed=2)), expected, f"after {steps} steps of another episode")


def restores_exactly(make: Make) -> None:
    """A restored run equals the untouched one, here and in other environments."""
    env, other = make(), make()
    for seed in range(3):
        state = play_less_than_all(env, 3 * seed, seed)
        kept, key = env.snapshot(), env.state_key()
        assert isinstance(kept, bytes), f"snapshot() gave a {type(kept).__name__}, not bytes"
        assert env.snapshot() == kept, "two snapshots of one state differ"
        untouched = play(env, 20, random.Random(99), state)
        after = env.snapshot()
        for one in (env, other, make()):
            restored = one.restore(kept)
            _same([restored], [state], f"seed {seed}: what restore() returned")
            assert (one.snapshot(), one.state_key()) == (kept, key), f"seed {seed}: a restored state differs"
            _same(play(one, 20, random.Random(99), restored), untouched, f"seed {seed}: the restored run")
            assert one.snapshot() == after, f"seed {seed}: a restored run ends in another state"


def restores_a_finished_episode(make: Make) -> None:
    """An episode that has ended is restored as ended."""
    env, other = make(), make()
    seen = play(env, _STEPS, random.Random(1), env.reset(seed=1))
    restored = other.restore(env.snapshot())
    _same([restored], [(observation_of(seen[-1]), seen[-1][-1])], "the end of an episode, restored")
    _needs_reset(other, "after restoring a finished episode")


def refuses_what_is_no_snapshot(make: Make) -> None:
    """Bytes that are no snapshot raise `SnapshotError` and change nothing."""
    env = make()
    play(env, 3, random.Random(1), env.reset(seed=1))
    good = env.snapshot()
    pickled = b"\x80\x04}\x94\x8c\x01a\x94K\x01s."
    for bad in (
        *(b"", b"garbage", pickled, b"\0" * 99),
        *(good[:-1], good + b"x", good[: len(good) // 2], good[1:]),
    ):
        try:
            env.restore(bad)
        except SnapshotError:
            assert env.snapshot() == good, f"restore() refused {bad!r:.60} and changed the state all the same"
        else:
            raise AssertionError(f"restore() took {bad!r:.60}, {len(bad)} bytes, and should raise SnapshotError")


def answers_any_action_in_words(make: Make) -> None:
    """No action raises; one that is not possible is explained, and changes the state by nothing but the step count."""
    env = make()
    for kind, action in HOSTILE.items():
        _, info = env.reset(seed=1)
        try:
            check_refusal(env, action, info)
        except Exception as error:
            raise AssertionError(f"an action that is {kind!r}: {type(error).__name__}: {error}") from error


def check_refusal(env: Env, action: Any, info: dict[str, Any]) -> None:
    """Give an action that is hardly possible after ``info`` and look at the answer. Raises `AssertionError`."""
    before = env.state_key()
    observation, reward, terminated, truncated, after = env.step(action)
    assert observation in env.observation_space, f"{observation!r:.300} is not in the observation space"
    assert isinstance(reward, float), f"the reward {reward!r} is not a float"
    assert terminated is truncated is False, "it ended the episode"
    assert after["outcome"] is Outcome.RUNNING, f"the outcome is {after['outcome']!r}"
    assert after["task"] == info["task"], "it changed the task"
    if type(action) is str and action.strip() in info.get("admissible_commands", ()):
        return
    error = after["action_error"]
    assert isinstance(error, str), f"info['action_error'] should say what was wrong, not {error!r}"
    assert error.strip(), "info['action_error'] is empty"
    assert len(error) < 5_000, f"info['action_error'] has {len(error)} characters"
    assert env.state_key() == before, "it changed the state: override state_key() if only the step count did"
    json.dumps(error).encode()


def _same(found: Sequence[tuple[Any, ...]], expected: Sequence[tuple[Any, ...]], what: str) -> None:
    for number, (one, other) in enumerate(zip(found, expected, strict=False)):
        assert one == other, f"{what} differs at step {number}: {one!r:.500} instead of {other!r:.500}"
    assert len(found) == len(expected), f"{what} has {len(found) - 1} steps instead of {len(expected) - 1}"


RULES: tuple[Callable[[Make], None], ...] = (
    satisfies_gymnasium,
    returns_what_is_promised,
    admits_only_what_is_possible,
    needs_a_reset_first,
    follows_the_seed,
    draws_several_tasks,
    forgets_an_aborted_episode,
    restores_exactly,
    restores_a_finished_episode,
    refuses_what_is_no_snapshot,
    answers_any_action_in_words,
)
"""In the order in which they are checked: what comes first is easier to mend."""
