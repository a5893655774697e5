"""What all games share: seeds, splits, levels, snapshots, tool calls, the solver."""

import json

import gymnasium
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import selfgym  # noqa: F401  (registers the environments)
from selfgym.agents.agent import find_agent
from selfgym.agents.rollout import Job, rollout
from selfgym.agents.solver import SolverAgent
from selfgym.envs.core import Outcome, SnapshotError
from selfgym.envs.games.game import split_of
from selfgym.envs.sealed import seal, unseal
from selfgym.memory.episode import Source

ALONE = ("TextCraft", "Sokoban", "Countdown", "Game24", "BlocksWorld")
TWO = ("TicTacToe", "KuhnPoker", "Negotiation")
ALL = [f"selfgym/{name}-v0" for name in (*ALONE, *TWO)]


def made(name, **options):
    return gymnasium.make(name, **options).unwrapped


def levels_of(name):
    return range(1, len(made(name).game.steps) + 1)


@pytest.mark.parametrize("name", ALL)
def test_splits_share_no_task_at_any_level(name):
    keys = {"train": set(), "test": set()}
    for split, seen in keys.items():
        for level in levels_of(name):
            env = made(name, split=split, level=level)
            for seed in range(40):
                env.reset(seed=seed)
                key = env.game.key(env.state)
                assert split_of(key) == split
                seen.add(key)
    assert not keys["train"] & keys["test"]
    assert len(keys["train"]) > 30
    assert len(keys["test"]) >= (3 if name == "selfgym/TicTacToe-v0" else 30)


@pytest.mark.parametrize("name", [f"selfgym/{one}-v0" for one in ALONE])
def test_the_solver_solves_hundreds_of_tasks_as_a_teacher(name):
    agent = find_agent("solver")
    jobs = [
        Job(
            f"{level} {split} {seed}",
            lambda level=level, split=split: made(name, level=level, split=split),
            agent,
            seed,
        )
        for level in levels_of(name)
        for split in ("train", "test")
        for seed in range(40)
    ]
    episodes = [episode for _, episode in rollout(jobs)]
    assert len(episodes) >= 240
    for episode in episodes:
        assert episode.outcome is Outcome.SUCCESS, (episode.id, episode.error)
        assert sum(step.reward for step in episode.steps) == 1.0
        assert all(step.valid and step.source is Source.TEACHER for step in episode.steps)


def test_the_solver_goes_on_from_where_somebody_else_went():
    env, solver = made("selfgym/Sokoban-v0"), SolverAgent()
    observation, info = env.reset(seed=3)
    solver.begin(env)
    for turn in range(40):
        if info["outcome"] is not Outcome.RUNNING:
            break
        commands = info["admissible_commands"]
        action = solver.act(observation, info).action if turn != 1 else ("up" if "up" in commands else commands[-1])
        observation, *_, info = env.step(action)
    assert info["outcome"] is Outcome.SUCCESS


def test_the_solver_says_where_it_is_lost():
    solver = SolverAgent()
    solver.begin(gymnasium.make("selfgym/Household-v0"))
    with pytest.raises(TypeError, match="needs a game"):
        solver.act("", {})


@pytest.mark.parametrize("name", ALL)
def test_a_tool_call_does_what_its_command_does(name):
    env, other = made(name), made(name)
    _, info = env.reset(seed=5)
    other.reset(seed=5)
    command = info["admissible_commands"][0]
    assert env.step(call_of(command))[:4] == other.step(command)[:4]
    assert env.snapshot() == other.snapshot()


def call_of(command):
    """The tool call for a command, written out here once more."""
    words = command.split()
    if words[0] == "get":
        return {"name": "get", "arguments": {"count": int(words[1]), "item": " ".join(words[2:])}}
    if words[0] in ("up", "down", "left", "right"):
        return {"name": "move", "arguments": {"direction": words[0]}}
    if len(words) == 3 and words[1] in "+-*/":
        return {"name": "combine", "arguments": dict(zip(("left", "sign", "right"), words, strict=True))}
    if words[0] in ("pick-up", "unstack"):
        return {"name": words[0], "arguments": dict(zip(("block", "other"), words[1:], strict=False))}
    if words[0] == "propose":
        return {"name": "propose", "arguments": dict(zip(("books", "hats", "balls"), map(int, words[1:]), strict=True))}
    return {"name": "mark", "arguments": {"cell": int(command)}} if command.isdigit() else {"name": command}


@pytest.mark.parametrize("name", ALL)
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), seed=st.integers(0, 10**6))
def test_states_are_plain_and_moves_are_pure(name, data, seed):
    env = made(name, level=data.draw(st.sampled_from(levels_of(name))))
    _, info = env.reset(seed=seed)
    for _ in range(12):
        if info["outcome"] is not Outcome.RUNNING:
            break
        state, game = env.state, env.game
        before, key = repr(state), env.state_key()
        legal = game.legal(state)
        assert legal == info["admissible_commands"]
        assert len(set(legal)) == len(legal) > 0
        for command in legal:
            assert game.apply(state, command) == game.apply(state, command)
        assert isinstance(game.describe(state), str)
        assert repr(state) == before
        assert env.restore(env.snapshot())[1] == info
        assert env.state == state
        assert hash(env.state) == hash(state)
        assert env.state_key() == key
        *_, info = env.step(data.draw(st.sampled_from(legal)))


WORDS = (
    *("get", "craft", "using", "answer", "propose", "accept", "say:", "stack", "unstack", "pick-up", "put-down", "bet"),
    *("check", "a", "b", "1", "2", "99", "+", "-", "*", "/", "(", ")", "0", "-1", "1/0", "up", ",", ":", "٣", "1e9"),
    *("**", "__import__('os')"),
)


@pytest.mark.parametrize("name", ALL)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_what_is_no_command_is_refused_in_words(name, data):
    env = made(name)
    env.reset(seed=1)
    words = st.sampled_from(WORDS)
    text = data.draw(st.lists(words, max_size=8).map(" ".join) | st.text(max_size=30))
    before = env.state
    observation, *_, info = env.step(text)
    assert observation in env.observation_space
    if info["action_error"] is not None:
        assert 0 < len(info["action_error"]) < 2000
        assert env.state == before


@pytest.mark.parametrize("name", ALL)
def test_a_snapshot_of_another_game_is_refused(name):
    env, other = made(name), made("selfgym/Sokoban-v0" if name != "selfgym/Sokoban-v0" else "selfgym/TextCraft-v0")
    other.reset(seed=1)
    with pytest.raises(SnapshotError):
        env.restore(other.snapshot())


def leaves(data, path=()):
    if isinstance(data, dict | list):
        for key, value in data.items() if isinstance(data, dict) else enumerate(data):
            yield from leaves(value, (*path, key))
    else:
        yield path


@pytest.mark.parametrize("name", ALL)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_forged_snapshot_is_refused_or_shown(name, data):
    env = made(name)
    env.reset(seed=1)
    kind = env._kind
    saved = json.loads(unseal(kind, env.snapshot(), 1 << 20))
    *path, last = data.draw(st.sampled_from(list(leaves(saved))))
    inner = saved
    for key in path:
        inner = inner[key]
    inner[last] = data.draw(st.sampled_from([None, -1, 0, 99, "", "#", "1/0", "x" * 50, [], {}, True, 1.5, "running"]))
    before = env.snapshot()
    try:
        observation, info = env.restore(seal(kind, json.dumps(saved).encode()))
    except SnapshotError:
        assert env.snapshot() == before
    else:
        assert observation in env.observation_space
        assert isinstance(info["outcome"], Outcome)


def test_wrong_options_are_named():
    for options, said in (
        ({"level": 9}, "level 9"),
        ({"split": "valid"}, "split 'valid'"),
        ({"max_steps": 0}, "at least 1"),
    ):
        with pytest.raises(ValueError, match=said):
            made("selfgym/Sokoban-v0", **options)
    with pytest.raises(ValueError, match="no opponent 'weak'"):
        made("selfgym/KuhnPoker-v0", opponent="weak")
    with pytest.raises(ValueError, match="unknown reset option 'size'"):
        made("selfgym/Sokoban-v0").reset(options={"size": 3})


def test_an_episode_is_cut_after_its_steps():
    env = made("selfgym/TextCraft-v0", max_steps=2)
    env.reset(seed=1)
    assert env.step("inventory")[3] is False
    *_, truncated, info = env.step("nonsense")
    assert truncated
    assert info["outcome"] is Outcome.TRUNCATED
    assert info["admissible_commands"] == []
    assert info["action_error"]
