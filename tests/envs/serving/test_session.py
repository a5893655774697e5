"""Sessions of a server: what goes wrong in an environment is told, and one that fails takes no other with it."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import numpy as np
import pytest

from selfgym.envs.core import AgentEnv, Outcome
from selfgym.envs.serving.session import FullError, ServingError, Session, Sessions
from selfgym.envs.serving.turn import plain, turn_from


class Fragile(AgentEnv[str]):
    """Falls over when it is told to, and remembers which threads used it."""

    made = 0

    def __init__(self) -> None:
        Fragile.made += 1
        self.threads = {threading.get_ident()}
        self.closed = False

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[str, dict[str, Any]]:
        self.threads.add(threading.get_ident())
        if seed == 13:
            raise OSError("the sandbox\ncannot be opened")
        return "ready", {"outcome": Outcome.RUNNING, "task": "stand", "action_error": None}

    def step(self, action: Any) -> tuple[str, float, bool, bool, dict[str, Any]]:
        self.threads.add(threading.get_ident())
        if action == "fall":
            raise OSError("the sandbox is gone")
        if action == "lost":
            return "gone", 0.0, False, True, {"outcome": Outcome.ENV_ERROR, "task": "stand", "action_error": None}
        return "ok", np.float32(0.5), False, False, {"outcome": "running", "task": "stand", "action_error": "no"}  # type: ignore[return-value]

    def snapshot(self) -> bytes:
        return b""

    def restore(self, snapshot: bytes) -> tuple[str, dict[str, Any]]:
        raise NotImplementedError

    def close(self) -> None:
        self.threads.add(threading.get_ident())
        self.closed = True


def test_a_failing_environment_is_an_outcome_and_never_a_reward() -> None:
    async def play() -> None:
        session = Session(Fragile)
        with pytest.raises(ServingError, match=r"^the episode cannot begin: the sandbox cannot be opened$"):
            await session.reset(13)
        first = await session.reset(1)
        assert (first.text, first.reward, first.done) == ("Task: stand\n\nready", None, False)
        turn = await session.step("stand")
        assert (turn.text, turn.reward, turn.done) == ("ok\nno", 0.5, False)
        for action in ("fall", "lost"):
            await session.reset(1)
            turn = await session.step(action)
            assert (turn.reward, turn.terminated, turn.truncated) == (None, False, True)
            assert turn.info["outcome"] == "env_error"
            with pytest.raises(ServingError, match=r"the episode has ended \(env_error\)"):
                await session.step("stand")
        await session.close()
        with pytest.raises(ServingError, match="the session is closed"):
            await session.reset(1)

    asyncio.run(play())


@pytest.mark.parametrize("seed", [-1, True, 1.0, "1", 2**63, [], float("nan")])
def test_a_seed_that_is_none_is_refused(seed: Any) -> None:
    async def ask() -> None:
        session = Session(Fragile)
        with pytest.raises(ServingError, match="a seed is a whole number"):
            await session.reset(seed)
        await session.close()

    asyncio.run(ask())


def test_an_environment_is_used_by_one_thread_and_closed() -> None:
    made: list[Fragile] = []

    def make() -> Fragile:
        made.append(Fragile())
        return made[-1]

    async def play() -> None:
        sessions = Sessions(make, most=2)
        both = [await sessions.open(name) for name in ("a", "b")]
        await asyncio.gather(*(session.reset(1) for session in both))
        await asyncio.gather(*(session.step("stand") for session in both for _ in range(5)))
        assert await sessions.open("a") is both[0]
        with pytest.raises(FullError, match="there are 2 sessions already"):
            await sessions.open("c")
        await sessions.close("a")
        await sessions.open("c")
        await sessions.close_all()
        assert len(sessions) == 0

    asyncio.run(play())
    assert len(made) == 3
    assert [len(env.threads) for env in made] == [1, 1, 1]
    assert len({min(env.threads) for env in made[:2]}) == 2
    assert all(env.closed for env in made)


def test_an_environment_that_cannot_be_made_takes_no_place() -> None:
    def make() -> Fragile:
        raise ValueError("no such size")

    async def ask() -> None:
        sessions = Sessions(make, most=1)
        for _ in range(3):
            with pytest.raises(ServingError, match=r"^the environment cannot be made: no such size$"):
                await sessions.open("a")
        assert len(sessions) == 0

    asyncio.run(ask())


def test_what_is_told_is_plain_data() -> None:
    info = {"outcome": Outcome.SUCCESS, "task": "\ud800", "action_error": None, "n": np.int64(3), "f": open, 2: {1}}
    turn = turn_from("a\ud800", info, reward=True)
    assert (turn.text, turn.reward) == ("a?", 1.0)
    assert turn.info == {
        "outcome": "success",
        "task": "?",
        "action_error": None,
        "n": 3,
        "f": "<builtin_function_or_method>",
        "2": [1],
    }
    assert plain([float("inf"), np.array([1.5, float("nan")]), b"x"]) == [None, [1.5, None], "<bytes>"]


def test_a_picture_becomes_a_file() -> None:
    pytest.importorskip("PIL", reason="pip install pillow")
    info = {"outcome": "running", "task": "look", "action_error": None}
    picture = np.zeros((4, 6, 3), np.uint8)
    turn = turn_from({"tree": "one button", "pixels": picture}, info, 0.0)
    assert turn.text == "one button"
    assert turn.pictures["pixels"].startswith(b"\x89PNG")
    assert list(turn_from(picture, info).pictures) == ["picture"]
