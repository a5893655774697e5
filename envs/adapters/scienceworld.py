"""`selfgym/ScienceWorld-v0`: the science tasks of ScienceWorld (Wang et al. 2022, arXiv 2203.07540), from its package.

The simulator runs in Java, which takes seconds to start, so a simulator that is no longer used waits for the next
environment of the process. It has no state that could be copied: going back is doing everything again. By itself it
does not do the same again: it draws and counts on from one task to the next, and goes through sets in an order of
chance. Here each episode begins from its seed, and Java is started so that its sets keep their order.
"""

from __future__ import annotations

import atexit
import os
import shutil
from contextlib import suppress
from functools import cache
from typing import Any, ClassVar
from weakref import WeakSet

from gymnasium.error import DependencyNotInstalled

from selfgym.envs.adapters.replayed import ReplayedEnv, Seen, load
from selfgym.envs.core import Outcome
from selfgym.envs.tools import ActionError

VERSION = "1"
SPLITS = ("train", "dev", "test")
_MOST_IDLE = 4
_JAVA = "-XX:+UnlockExperimentalVMOptions -XX:hashCode=2"  # no chance in the order of Java's sets
_NO_LIMIT = 10**9
_ALSO = ("help", "look", "objects", "task")  # understood, and not in the package's list of valid commands
_NOT_KNOWN = "No known action matches that input."
_idle: list[Any] = []
_started: WeakSet[Any] = WeakSet()
_inherited: list[Any] = []


class ScienceWorldEnv(ReplayedEnv):
    """Thirty kinds of science tasks in a house of ten rooms: boil water, grow a plant, find what conducts.

    The reward is what the package's score goes up or down, as a share of 1: a task done has earned 1. A score below 0,
    after a mistake that cannot be mended, is a failure. ``info["score"]`` has the package's 0 to 100.

    Args:
        task: one of the package's names, such as ``"boil"``; by default every one, one seed after the other.
        split: the package's ``"train"``, ``"dev"`` or ``"test"`` variations of each task; seeds go through them.
        simplifications: of the package, such as ``"easy"`` or ``"teleportAction,openDoors"``.
        max_steps: after which the episode is truncated. The package's own limit, of moves, is not used.
    """

    closed: ClassVar[bool] = False  # the package lists one name for each thing, and understands others

    def __init__(
        self,
        task: str | None = None,
        *,
        split: str = "train",
        simplifications: str = "",
        max_steps: int = 100,
        render_mode: str | None = None,
    ) -> None:
        package = load("scienceworld", "scienceworld")
        if shutil.which("java") is None:
            raise DependencyNotInstalled("ScienceWorld needs Java: apt-get install default-jre-headless")
        known = sorted(load("scienceworld.constants", "scienceworld").ID2TASK.values())
        if task is not None and task not in known:
            raise ValueError(f"there is no task {task!r}: choose one of {', '.join(known)}")
        if split not in SPLITS:
            raise ValueError(f"there is no split {split!r}: choose one of {', '.join(SPLITS)}")
        self.tasks, self.split, self.simplifications = [task] if task else known, split, simplifications
        self._inner: Any = None
        self._variations: dict[str, list[int]] = {}
        name = ":".join(part for part in (task or "all", split, simplifications) if part)
        super().__init__(
            f"scienceworld:{name}", f"{VERSION}.{package.__version__}", max_steps=max_steps, render_mode=render_mode
        )

    def begin(self, seed: int) -> tuple[str, Seen]:
        """Load the task and the variation of a seed."""
        self._inner = self._inner or _taken()
        number, task = seed // len(self.tasks), self.tasks[seed % len(self.tasks)]
        if task not in self._variations:
            self._inner.load(task, 0, self.simplifications)
            self._variations[task] = getattr(self._inner, f"get_variations_{self.split}")()
        variations = self._variations[task]
        self._inner._gateway.jvm.util.UniqueIdentifier.reset()
        self._seed, self._done = seed, 0
        self._draw_anew()
        self._inner.load(task, variations[number % len(variations)], self.simplifications)
        _, seen = self._inner.reset()
        goal = " ".join(seen["taskDesc"].partition(":")[2].split())
        return goal, self._seen(f"Task: {goal}\n\n{seen['look']}\n{seen['inv']}", seen)

    def act(self, command: str) -> Seen:
        """Say a command to the simulator."""
        self._draw_anew()  # as if no command had been refused since the last one: those draw too
        said, reward, completed, seen = self._inner.step(command)
        if said.strip() == _NOT_KNOWN:
            forms = ", ".join(self._inner.get_possible_actions())
            raise ActionError(f"{_NOT_KNOWN} Actions: {forms}; OBJ is a thing that you see.")
        self._done += 1
        outcome = Outcome.RUNNING
        if completed:
            outcome = Outcome.SUCCESS if seen["score"] >= 100 else Outcome.FAILURE
        return self._seen(said, seen, reward / 100, outcome)

    def solution(self) -> list[str]:
        """The package's gold path for this task from its beginning; asking for it is cheating."""
        task, variation = self._inner.taskName, self._inner.variationIdx
        other = _taken()
        try:
            other.load(task, variation, self.simplifications, generateGoldPath=True)
            return [str(command) for command in other.get_gold_action_sequence()]
        finally:
            _kept(other)

    def drop(self) -> None:
        """Stop the simulator."""
        inner, self._inner = self._inner, None
        if inner is not None:
            _stop(inner)

    def close(self) -> None:
        """Leave the simulator to the next environment."""
        inner, self._inner = self._inner, None
        if inner is not None:
            _kept(inner)
        super().close()

    def _draw_anew(self) -> None:
        """Begin anew what the simulator draws from, by the seed and the number of commands done."""
        scala = self._inner._gateway.jvm.scala.util
        getattr(getattr(scala, "Random$"), "MODULE$").setSeed(self._seed * 1_000_003 + self._done)

    def _seen(self, text: str, seen: dict[str, Any], reward: float = 0.0, outcome: Outcome = Outcome.RUNNING) -> Seen:
        text = text.strip()
        asked = text if text.startswith("Ambiguous request") else ""
        state = f"{seen['look']}\n{seen['inv']}\n{seen['score']}\n{asked}"
        commands = sorted({*seen["valid"], *_ALSO})
        return Seen(text, reward, outcome, commands, {"score": seen["score"]}, state)


def close_idle() -> None:
    """Stop the simulators that wait, for a process that goes on to other things."""
    while _idle:
        _stop(_idle.pop())


def _taken() -> Any:
    if _idle:
        return _idle.pop()
    _prepare()
    before = os.environ.get("JAVA_TOOL_OPTIONS")
    os.environ["JAVA_TOOL_OPTIONS"] = f"{before or ''} {_JAVA}"
    try:
        inner = load("scienceworld", "scienceworld").ScienceWorldEnv("", None, _NO_LIMIT)
    finally:
        del os.environ["JAVA_TOOL_OPTIONS"]
        if before is not None:
            os.environ["JAVA_TOOL_OPTIONS"] = before
    _started.add(inner)
    return inner


@cache
def _prepare() -> None:
    atexit.register(close_idle)
    os.register_at_fork(after_in_child=_disown)


def _kept(inner: Any) -> None:
    if len(_idle) < _MOST_IDLE:
        _idle.append(inner)
    else:
        _stop(inner)


def _disown() -> None:
    """In a fork: leave the parent's simulators alone. py4j would tell them of every object that is forgotten here."""
    for inner in _started:
        inner._gateway._gateway_client.is_connected = False
    _inherited.extend(_idle)  # what is forgotten would be stopped
    _idle.clear()
    _started.clear()


def _stop(inner: Any) -> None:
    """Stop a simulator, or clear up after one that has stopped: py4j would ask it for ever."""
    gateway, process = inner._gateway, inner._gateway.java_process
    with suppress(Exception):
        inner.close() if process.poll() is None else gateway.close()
        inner._obj_tree_tempdir.cleanup()
    gateway._gateway_client.is_connected = False
    process.kill()
    process.stdin.close()
    process.wait()
