"""``selfgym/MiniDesktop-v0``: a small desktop with real pixels that needs nothing but NumPy and Pillow.

Windows, menus, dialogs and programs, drawn into a frame; the same actions and elements as real windows have. It is
deterministic, its state is plain data, and a snapshot is exact. The reward is 1.0 where the task is done when the agent
says `Done`; the episode ends there.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from hashlib import blake2b
from typing import Any

from gymnasium.error import ResetNeeded

from selfgym.envs.core import AgentEnv, Outcome, SnapshotError
from selfgym.envs.desktop.actions import DESKTOP_TOOLS, Done, read_action
from selfgym.envs.desktop.choosing import Part, chosen, drawn, space
from selfgym.envs.desktop.mini.desktop import Desktop
from selfgym.envs.desktop.mini.programs.catalogue import LAUNCHERS
from selfgym.envs.desktop.mini.saving import plain, world_from
from selfgym.envs.desktop.mini.tasks.catalogue import TEMPLATES
from selfgym.envs.desktop.mini.tasks.task import Task
from selfgym.envs.desktop.mini.world import World
from selfgym.envs.desktop.node import Node, bounded
from selfgym.envs.sealed import seal, unseal
from selfgym.envs.spaces import UnicodeText
from selfgym.envs.tools import MAX_ACTION_CHARACTERS, ActionError

VERSION = "2"
_KIND, _MOST = b"selfgym mini desktop 1\n", 1 << 24
_RUNNING, _SUCCESS, _FAILURE, _TRUNCATED = Outcome.RUNNING, Outcome.SUCCESS, Outcome.FAILURE, Outcome.TRUNCATED
# looked up once: each look-up costs as much as finding out what was clicked


class MiniDesktopEnv(AgentEnv[Any]):
    """Tasks at the small desktop.

    Args:
        task: the name of a template, or several with commas between; by default all.
        level: only templates of this level, 1 to 3.
        width, height: of the screen, in pixels.
        observe: ``("tree",)``, the elements in words: an observation is a string, and the first one begins with the
            task; ``("pixels",)``: an array of (height, width, 3) bytes; both: a dictionary of them. ``()``: nothing is
            described or drawn; an observation is a string, the task at first, then what was wrong or nothing. `nodes`
            and `pixels` can still be asked for.
        max_steps: after which the episode is truncated.
        max_elements: most elements that are put into words; ``info["tree_truncated"]`` says whether there were more.
    """

    version = VERSION
    metadata = {**AgentEnv.metadata, "render_modes": ["ansi", "rgb_array"]}  # noqa: RUF012
    tools = DESKTOP_TOOLS
    """What an action may call."""

    def __init__(
        self,
        task: str | None = None,
        level: int | None = None,
        width: int = 1280,
        height: int = 720,
        observe: Sequence[Part] = ("tree",),
        max_steps: int = 30,
        max_elements: int = 200,
        render_mode: str | None = None,
    ) -> None:
        if max_steps < 1 or max_elements < 1:
            raise ValueError(f"max_steps and max_elements should be at least 1, not {max_steps} and {max_elements}")
        if render_mode not in (None, *self.metadata["render_modes"]):
            raise ValueError(f"unknown render_mode {render_mode!r}: choose 'ansi', 'rgb_array' or None")
        self._templates = chosen(TEMPLATES, task, level)
        self.observation_space = space(observe, width, height)
        self.width, self.height, self.observe = width, height, tuple(observe)
        self.max_steps, self.max_elements, self.render_mode = max_steps, max_elements, render_mode
        self.action_space = UnicodeText(MAX_ACTION_CHARACTERS)
        self._task: Task | None = None
        self._id, self._seed, self._steps = "", 0, 0
        self._error: str | None = None
        self._outcome = _TRUNCATED
        self._desktop = Desktop(World(width, height), LAUNCHERS)

    @property
    def task(self) -> Task:
        """The task with its solution, for experts and experiments; using it is cheating."""
        if self._task is None:
            raise ResetNeeded("Call reset() first: there is no episode yet.")
        return self._task

    @property
    def world(self) -> World:
        """The true state."""
        return self._desktop.world

    def nodes(self) -> list[Node]:
        """The elements on the screen, from back to front."""
        return [widget.node() for widget in self._desktop.widgets]

    def pixels(self) -> Any:
        """The screen: (height, width, 3) bytes."""
        return self._desktop.canvas().picture()

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begin the task of ``seed``, or one drawn."""
        super().reset(seed=seed)
        if options:
            raise ValueError(f"unknown reset option {min(options)!r}: there are none")
        self._seed = int(self.np_random.integers(2**31)) if seed is None else seed
        name, self._task = drawn(TEMPLATES, self._templates, self._seed)
        self._id = f"{name}:{self._seed}"
        self._steps, self._error, self._outcome = 0, None, _RUNNING
        self._desktop = Desktop(self.task.world(self.width, self.height), LAUNCHERS)
        return self._observation(), self._info()

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Do one action."""
        if self._outcome is not _RUNNING:
            raise ResetNeeded("The episode has ended: call reset() before the next step().")
        self._steps += 1
        self._error = None
        try:
            done = read_action(action)
            if isinstance(done, Done):
                right = done.feasible and self.task.done(self.world, done.answer)
                self._outcome = _SUCCESS if right else _FAILURE
            else:
                self._desktop.act(done)
        except ActionError as error:
            self._error = str(error)
        if self._outcome is _RUNNING and self._steps >= self.max_steps:
            self._outcome = _TRUNCATED
        success, truncated = self._outcome is _SUCCESS, self._outcome is _TRUNCATED
        terminated = success or self._outcome is _FAILURE
        return self._observation(), 1.0 if success else 0.0, terminated, truncated, self._info()

    def _observation(self) -> Any:
        if not self.observe:
            return self._told()
        if self.observe == ("tree",):
            return self._words()
        if self.observe == ("pixels",):
            return self.pixels()
        return {"tree": self._words(), "pixels": self.pixels()}

    def _told(self) -> str:
        return f"Your task is: {self.task.instruction}" if self._steps == 0 else self._error or ""

    def _words(self) -> str:
        text, told = bounded(self._desktop.lines(), self.max_elements), self._told()
        return f"{told}\n{text}" if told else text

    def _info(self) -> dict[str, Any]:
        world = self._desktop.world
        active = world.active
        return {
            "outcome": self._outcome,
            "task": self.task.instruction,
            "task_id": self._id,
            "action_error": self._error,
            "window": active.program.title if active else "",
            "pointer": world.pointer,
            "tree_truncated": "tree" in self.observe and len(self._desktop.lines()) > self.max_elements,
        }

    def snapshot(self) -> bytes:
        """The episode as bytes: its seed, how it stands, and the world."""
        saved = {
            "options": [sorted(self._templates), self.width, self.height], "seed": self._seed, "steps": self._steps,
            "error": self._error, "outcome": self._outcome.value, "task": self.task.instruction,
            "world": plain(self.world),
        }  # fmt: skip
        return seal(_KIND, json.dumps(saved, separators=(",", ":")).encode("utf-8", "surrogatepass"))

    def restore(self, snapshot: bytes) -> tuple[Any, dict[str, Any]]:
        """Go back to a `snapshot` of this environment or of another with the same options."""
        try:
            saved = json.loads(unseal(_KIND, snapshot, _MOST))
            if saved["options"] != [sorted(self._templates), self.width, self.height]:
                raise ValueError("it was taken with other options")
            world, outcome = world_from(saved["world"]), Outcome(saved["outcome"])
            seed, steps, error = int(saved["seed"]), int(saved["steps"]), saved["error"]
            name, task = drawn(TEMPLATES, self._templates, seed)
            if task.instruction != saved["task"]:
                raise ValueError("its seed no longer draws its task")
        except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError) as wrong:
            raise SnapshotError(f"cannot restore: {wrong}") from None
        self._id, self._seed, self._task = f"{name}:{seed}", seed, task
        self._steps, self._error, self._outcome = steps, error, outcome
        self._desktop = Desktop(world, LAUNCHERS)
        return self._observation(), self._info()

    def state_key(self) -> str:
        """Equal exactly when task and world are; the step count does not matter."""
        key = json.dumps([self._id, plain(self.world)])
        return blake2b(key.encode(), digest_size=12).hexdigest()

    def render(self) -> Any:
        """The elements in words, or for ``"rgb_array"`` the picture."""
        if self._task is None or self.render_mode is None:
            return None
        return self._words() if self.render_mode == "ansi" else self.pixels()
