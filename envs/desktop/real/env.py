"""``selfgym/Desktop-v0``: real applications under a private X display, in a sandbox.

Each episode has a screen, home folder, message buses and user of its own. Actions go through X's test extension, the
elements come from the accessibility bus, and a task is done when files, databases, settings or the clipboard are as
they should be. The reward is 1.0 where that is so when the agent says `Done`; the episode ends there.
A screen or application that fails is the outcome ``env_error``, and the next `reset` has a new one.
"""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Sequence
from hashlib import blake2b
from typing import Any, Literal

import numpy as np
from gymnasium.error import DependencyNotInstalled, ResetNeeded
from PIL import Image

from selfgym.envs.core import AgentEnv, Outcome, SnapshotError
from selfgym.envs.desktop.actions import ACTIONS, DESKTOP_TOOLS, Action, Done, read_action
from selfgym.envs.desktop.choosing import Part, chosen, drawn, space
from selfgym.envs.desktop.node import Node, bounded, line_of
from selfgym.envs.desktop.real.applications import missing
from selfgym.envs.desktop.real.room import Room
from selfgym.envs.desktop.real.session import ScreenFailure
from selfgym.envs.desktop.real.spares import SPARES
from selfgym.envs.desktop.real.stage import Stage
from selfgym.envs.desktop.real.tasks.catalogue import TEMPLATES
from selfgym.envs.desktop.real.tasks.task import Task
from selfgym.envs.history import History
from selfgym.envs.sandbox.limits import SandboxError
from selfgym.envs.spaces import UnicodeText
from selfgym.envs.tools import MAX_ACTION_CHARACTERS, ActionError

VERSION = "1"
REMEDY = "selfgym download desktop"
_LOST = (ScreenFailure, SandboxError, OSError)  # the last: servers' sockets, and files seen from outside


class DesktopEnv(AgentEnv[Any]):
    """Tasks with real applications.

    Args:
        task: the name of a template, or several with commas between; by default all.
        level: only templates of this level, 1 to 3.
        width, height: of the screen, in pixels.
        observe: ``("tree",)``, the elements in words: an observation is a string, and the first one begins with the
            task; ``("pixels",)``: an array of (height, width, 3) bytes; both: a dictionary of them.
        max_steps: after which the episode is truncated.
        max_elements: most elements that are read.
        patience: seconds that reading the elements may take; ``info["tree_truncated"]`` names what was left out.
        spares: screens that are started ahead.
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
        max_elements: int = 800,
        patience: float = 2.0,
        spares: int = 1,
        render_mode: str | None = None,
    ) -> None:
        if max_steps < 1 or max_elements < 1 or spares < 0 or not patience > 0:
            raise ValueError("max_steps, max_elements and patience should be above 0, and spares not below")
        if not observe:
            raise ValueError("observe is some of 'tree' and 'pixels', not nothing")
        if render_mode not in (None, *self.metadata["render_modes"]):
            raise ValueError(f"unknown render_mode {render_mode!r}: choose 'ansi', 'rgb_array' or None")
        self._templates = chosen(TEMPLATES, task, level)
        self.observation_space = space(observe, width, height)
        needed = {name for template in self._templates for name in TEMPLATES[template].applications}
        if lacking := missing(sorted(needed)):
            raise DependencyNotInstalled(f"{', '.join(lacking)}: not installed. Run `{REMEDY}`, or install them.")
        self.width, self.height, self.observe = width, height, tuple(observe)
        self.max_steps, self.max_elements, self.render_mode = max_steps, max_elements, render_mode
        self.patience, self.spares = patience, spares
        self.action_space = UnicodeText(MAX_ACTION_CHARACTERS)
        self._task: Task | None = None
        self._name, self._history = "", History(0, "", VERSION)
        self._stage: Stage | None = None
        self._room: Room | None = None
        self._error: str | None = None
        self._outcome, self._reason = Outcome.TRUNCATED, ""
        self._nodes: list[Node] = []
        self._left_out: tuple[str, ...] = ()
        self._window, self._pointer = "", (0, 0)

    @property
    def task(self) -> Task:
        """The task with its solution, for experts and experiments; using it is cheating."""
        if self._task is None:
            raise ResetNeeded("Call reset() first: there is no episode yet.")
        return self._task

    @property
    def stage(self) -> Stage:
        """The applications and their screen, for experiments; using it is cheating."""
        if self._stage is None:
            raise ResetNeeded("There is no screen: call reset().")
        return self._stage

    @property
    def room(self) -> Room:
        """The true state, for experiments; using it is cheating."""
        if self._room is None:
            raise ResetNeeded("There is no screen: call reset().")
        return self._room

    def nodes(self) -> list[Node]:
        """The elements on the screen, now."""
        return self.stage.session.tree(self.max_elements, self.patience).nodes

    def pixels(self) -> Any:
        """The screen, now: (height, width, 3) bytes."""
        return self.stage.session.pixels()

    def screenshot(self, form: Literal["png", "jpeg"] = "png") -> bytes:
        """The screen, now, encoded."""
        file = io.BytesIO()
        options = {"compress_level": 1} if form == "png" else {"quality": 80}
        Image.fromarray(self.pixels()).save(file, form, **options)
        return file.getvalue()

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begin the task of ``seed``, or one drawn. Raises `ScreenFailure` where no screen comes up."""
        super().reset(seed=seed)
        if options:
            raise ValueError(f"unknown reset option {min(options)!r}: there are none")
        self._begin(int(self.np_random.integers(2**31)) if seed is None else seed)
        return self._observation(), self._info()

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Do one action, wait until the screen rests and look again."""
        if self._outcome is not Outcome.RUNNING:
            raise ResetNeeded("The episode has ended: call reset() before the next step().")
        self._history.steps += 1
        self._error = None
        try:
            self._do(read_action(action))
        except ActionError as error:
            self._error = str(error)
        except _LOST as failure:
            self._lose(str(failure))
        if self._outcome is Outcome.RUNNING and self._history.steps >= self.max_steps:
            self._outcome = Outcome.TRUNCATED
        terminated = self._outcome in (Outcome.SUCCESS, Outcome.FAILURE)
        truncated = self._outcome in (Outcome.TRUNCATED, Outcome.ENV_ERROR)
        return self._observation(), float(self._outcome is Outcome.SUCCESS), terminated, truncated, self._info()

    def snapshot(self) -> bytes:
        """The episode as bytes: its task, what was done, and a hash of what was seen after each action."""
        self.task  # noqa: B018 (raises where there is none)
        return self._history.pack({"error": self._error, "ended": self._outcome.value, "templates": self._templates})

    def restore(self, snapshot: bytes) -> tuple[Any, dict[str, Any]]:
        """Go back to a `snapshot` by doing everything again on a new screen, and compare the elements at each step.

        Where elements are not observed, only the window's title and the pointer are compared. Raises `SnapshotError`
        where the bytes are no snapshot of such an environment, and where the screen differs; then there is no episode.
        """
        history, more = History.unpack(snapshot, VERSION, _action)
        try:
            error, ended, templates = more["error"], Outcome(more["ended"]), list(more["templates"])
        except (KeyError, ValueError, TypeError):
            raise SnapshotError("cannot restore: it does not say how the episode stands") from None
        if templates != self._templates or drawn(TEMPLATES, self._templates, history.seed)[0] != history.task:
            raise SnapshotError("cannot restore: it was taken with other tasks")
        try:
            self._begin(history.seed)
            self._again(history)
        except (SnapshotError, *_LOST) as failure:
            self._lose(str(failure))
            raise SnapshotError(f"cannot restore: {failure}") from failure
        self._history, self._error, self._outcome = history, error, ended
        return self._observation(), self._info()

    def state_key(self) -> str:
        """Equal where task, window, pointer and observed elements are; what programs do not show may differ."""
        self.task  # noqa: B018
        return blake2b(f"{self._name}:{self._history.seed}:{self._key()}".encode(), digest_size=12).hexdigest()

    def render(self) -> Any:
        """The elements in words, or for ``"rgb_array"`` the picture."""
        if self._task is None or self.render_mode is None or self._stage is None:
            return None
        return self._words() if self.render_mode == "ansi" else self.pixels()

    def close(self) -> None:
        """End the screen, and with the last environment of this process the spare ones."""
        self._hang_up()
        SPARES.leave(self)

    # What they are made of

    def _begin(self, seed: int) -> None:
        if self._stage is not None:
            SPARES.end(self._stage.session)
            self._stage = self._room = None
        SPARES.enter(self)
        name, task = drawn(TEMPLATES, self._templates, seed)
        try:
            stage = self._staged(task)
        except _LOST:  # once more: a spare screen may have gone since it was started
            stage = self._staged(task)
        self._name, self._task, self._stage = name, task, stage
        self._room = Room(stage.session, task.files)
        self._history = History(seed, name, VERSION)
        self._error, self._outcome, self._reason = None, Outcome.RUNNING, ""
        self._look()
        SPARES.prepare((self.width, self.height), self.spares)

    def _staged(self, task: Task) -> Stage:
        session = SPARES.take((self.width, self.height))
        try:
            return Stage(session, task.opens, task.files)
        except BaseException:
            session.close()
            raise

    def _do(self, action: Action) -> None:
        if isinstance(action, Done):
            self.stage.watch()
            right = action.feasible and self.task.done(self.room, action.answer)
            if action.feasible and not right:  # a program may still be at it, as when a dialog saves after it is left
                self.stage.linger()
                right = self.task.done(self.room, action.answer)
            self._outcome = Outcome.SUCCESS if right else Outcome.FAILURE
        else:
            self.stage.do(action)
            self._look()
        self._history.record([type(action).__name__, dataclasses.asdict(action)], self._key())

    def _again(self, history: History) -> None:
        for number, (plain, key) in enumerate(zip(history.calls, history.keys, strict=True), 1):
            try:
                self._do(_action(plain))
            except ActionError as error:
                raise SnapshotError(f"action {number} could not be repeated: {error}") from None
            if self._key() != key:
                raise SnapshotError(f"the screen differs from that of then after action {number}")

    def _look(self) -> None:
        """See what observations show and what is compared when the episode is done again."""
        session = self.stage.session
        active = session.display.active()
        self._window, self._pointer = active.title if active else "", session.display.pointer()
        if "tree" in self.observe:
            tree = session.tree(self.max_elements, self.patience)
            self._nodes, self._left_out = tree.nodes, tree.truncated

    def _key(self) -> str:
        nodes = [node for node in self._nodes if node.role != "tool tip"]
        seen = f"{self._window}\n{self._pointer}\n{nodes}"
        return blake2b(seen.encode("utf-8", "replace"), digest_size=12).hexdigest()

    def _lose(self, reason: str) -> None:
        self._outcome, self._reason = Outcome.ENV_ERROR, reason
        self._hang_up()

    def _hang_up(self) -> None:
        if self._stage is not None:
            stage, self._stage, self._room = self._stage, None, None
            stage.session.close()

    def _observation(self) -> Any:
        if self.observe == ("tree",):
            return self._words()
        lost = self._stage is None
        pixels = np.zeros((self.height, self.width, 3), np.uint8) if lost else self.pixels()
        return pixels if self.observe == ("pixels",) else {"tree": self._words(), "pixels": pixels}

    def _words(self) -> str:
        if self._outcome is Outcome.ENV_ERROR:
            return f"The screen failed: {self._reason}"
        text = bounded([line_of(node) for node in self._nodes], self.max_elements)
        first = f"Your task is: {self.task.instruction}" if self._history.steps == 0 else self._error
        return text if first is None else f"{first}\n{text}"

    def _info(self) -> dict[str, Any]:
        info: dict[str, Any] = {
            "outcome": self._outcome,
            "task": self.task.instruction,
            "task_id": f"{self._name}:{self._history.seed}",
            "action_error": self._error,
            "window": self._window,
            "pointer": self._pointer,
            "tree_truncated": list(self._left_out),
        }
        if self._stage is not None:
            info["settled"] = self._stage.settled
        if self._reason:
            info["reason"] = self._reason
        return info


def _action(plain: Any) -> Action:
    """An action as `History` keeps it. Raises `ValueError` where it is none."""
    try:
        name, fields = plain
        return ACTIONS[name](**fields)
    except (KeyError, TypeError, ValueError):
        raise ValueError("it holds what is no action") from None
