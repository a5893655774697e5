"""`selfgym/Code-v0`: a repository in which something is wrong or missing, a programmer's tools, and hidden tests.

An action is a tool call (see `selfgym.envs.code.tools`); the observation is text. ``submit`` ends the episode and has
the work graded: the reward is 1.0 if every hidden test passes, else 0.0, with ``info["score"]`` the share that does.
Where sandbox or grading fail, the outcome is ``env_error``: that says nothing about the agent.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterable
from functools import partial
from hashlib import blake2b
from pathlib import Path
from typing import Any

from gymnasium.error import ResetNeeded

from selfgym.envs.code.grading import Grade, collect, grade
from selfgym.envs.code.installed import covers
from selfgym.envs.code.making import VERSION, Kind, Maker
from selfgym.envs.code.packages import PackageError
from selfgym.envs.code.problem import Problem
from selfgym.envs.code.testrun import PREIMPORT
from selfgym.envs.code.tools import CODE_TOOLS, describe, shortened, use
from selfgym.envs.code.workspace import laid_out
from selfgym.envs.core import AgentEnv, Outcome, SnapshotError
from selfgym.envs.sandbox.guest.tree import digest
from selfgym.envs.sandbox.limits import SCRATCH, WORK, Limits, SandboxError, SandboxFileError
from selfgym.envs.sandbox.opening import Backend, open_sandbox
from selfgym.envs.sandbox.sandbox import Sandbox
from selfgym.envs.sandbox.snapshot import Snapshot, checked
from selfgym.envs.sealed import seal, unseal
from selfgym.envs.spaces import UnicodeText
from selfgym.envs.tools import MAX_ACTION_CHARACTERS, ActionError, ToolCall

_SPLITS = ("train", "valid", "test")
_KINDS = ("repair", "function")
_KIND = b"code2"
_HEAD = struct.Struct(">I")
_MOST_SNAPSHOT = 2**30  # bytes
_LIMITS = Limits(timeout=60.0, memory=2**30, processes=128, output=2**18)


class CodeEnv(AgentEnv[str]):
    """Programming tasks.

    ``split`` (``train``, ``valid``, ``test``) and ``kind`` (``repair``: find and mend a bug; ``function``: write a
    function whose body is missing) choose what is drawn; a seed names one task. ``problems`` replaces drawing by a
    fixed list, such as that of `selfgym.envs.code.datasets.load_problems`, or by the path of such a file; a seed then
    names one by its number. ``backend`` and ``limits`` are those of `open_sandbox`.
    """

    version = f"1.{VERSION}"
    tools = CODE_TOOLS
    """What an action may call."""

    def __init__(
        self,
        split: str = "train",
        kind: Kind = "repair",
        problems: Iterable[Problem] | str | Path | None = None,
        max_steps: int = 40,
        backend: Backend = "local",
        limits: Limits | None = None,
        render_mode: str | None = None,
    ) -> None:
        if kind not in _KINDS:
            raise ValueError(f"no task is of kind {kind!r}: choose repair or function")
        if split not in _SPLITS:
            raise ValueError(f"there is no split {split!r}: choose train, valid or test")
        if max_steps < 1:
            raise ValueError(f"max_steps should be at least 1, not {max_steps}")
        if render_mode not in (None, *self.metadata["render_modes"]):
            raise ValueError(f"unknown render_mode {render_mode!r}: choose 'ansi' or None")
        self.split, self.kind, self.max_steps, self.render_mode = split, kind, max_steps, render_mode
        self.observation_space = UnicodeText(2**16)
        self.action_space = UnicodeText(MAX_ACTION_CHARACTERS)
        self._problems = None if problems is None else _listed(problems)
        self._open = partial(
            open_sandbox,
            backend,
            limits=limits or _LIMITS,
            preimport=PREIMPORT,
            readonly=_covered() if backend == "local" and problems is None else {},
        )
        self._maker = Maker(self._open)
        self._session: Sandbox | None = None
        self._problem: Problem | None = None
        self._source: dict[str, Any] = {}
        self._base = Snapshot((), {})
        self._state: dict[str, Any] = {}
        self.last_grade: Grade | None = None
        """What the last grading found, for experiments."""

    @property
    def problem(self) -> Problem:
        """The task of the running episode with its solution, for experts and experiments; using it is cheating."""
        if self._problem is None:
            raise ResetNeeded("Call reset() first: there is no episode yet.")
        return self._problem

    @property
    def session(self) -> Sandbox:
        """The sandbox that the agent works in."""
        if self._session is None:
            raise ResetNeeded("Call reset() first: there is no episode yet.")
        return self._session

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[str, dict[str, Any]]:
        """Begin the task of ``seed``, or the next one drawn. Raises `PackageError` or `SandboxUnavailable`."""
        super().reset(seed=seed)
        if options:
            raise ValueError(f"unknown reset option {min(options)!r}: there are none")
        number = int(self.np_random.integers(2**31)) if seed is None else seed
        source = {"seed": number, "split": self.split, "kind": self.kind}
        self._begin(source, self.problem if source == self._source else self._find(source))
        self._restore_files(self._base)
        self._state = {"steps": 0, "observation": describe(self.problem.statement), "error": None, "ended": ""}
        return self._state["observation"], self._info()

    def step(self, action: Any) -> tuple[str, float, bool, bool, dict[str, Any]]:
        """Do one tool call: a dictionary, its JSON, or a `ToolCall`."""
        if self._state.get("ended", "yet to begin"):
            raise ResetNeeded("The episode has ended: call reset() before the next step().")
        reward, terminated = 0.0, False
        self._state["error"] = None
        self._state["steps"] += 1
        more: dict[str, Any] = {}
        try:
            call = CODE_TOOLS.parse(action)
            if call.name == "submit":
                found = self._grade()
                reward, terminated = float(found.solved), True
                more = {"score": found.score, "passed": found.passed, "tests": found.total, "grade": found.reason}
                self._state["observation"] = shortened(found.reason) or f"All {found.total} hidden tests pass."
                self._end(Outcome.SUCCESS if found.solved else Outcome.FAILURE)
            else:
                self._state["observation"] = self._use(call)
        except ActionError as error:
            self._state["observation"] = self._state["error"] = shortened(str(error))
        except SandboxError as error:
            self._state["observation"] = shortened(f"The sandbox failed: {error}")
            self._end(Outcome.ENV_ERROR)
            self._hang_up()
        truncated = not terminated and (bool(self._state["ended"]) or self._state["steps"] >= self.max_steps)
        if truncated and not self._state["ended"]:
            self._end(Outcome.TRUNCATED)
        return self._state["observation"], reward, terminated, truncated, self._info() | more

    def _use(self, call: ToolCall) -> str:
        return use(call, self.session, self.problem.package)

    def _grade(self) -> Grade:
        self.last_grade = grade(collect(self.session, self.problem), self.problem, self._open)
        return self.last_grade

    def _end(self, outcome: Outcome) -> None:
        self._state["ended"] = str(outcome)

    def _info(self) -> dict[str, Any]:
        outcome = Outcome(self._state["ended"] or Outcome.RUNNING)
        return {
            "outcome": outcome,
            "task": self.problem.statement,
            "task_id": self.problem.id,
            "action_error": self._state["error"],
        }

    def snapshot(self) -> bytes:
        """The episode as bytes: which task, what was said last, and the files that differ from the beginning."""
        try:
            tree = self._files()
        except SandboxFileError as error:
            raise SnapshotError(f"cannot take a snapshot: {error}") from None
        blobs = {name: blob for name, blob in tree.blobs.items() if name not in self._base.blobs}
        head = json.dumps(
            {
                "source": self._source,
                "id": self.problem.id,
                "state": self._state,
                "nodes": tree.nodes,
                "blobs": {name: len(blob) for name, blob in blobs.items()},
            }
        ).encode()
        return seal(_KIND, _HEAD.pack(len(head)) + head + b"".join(blobs.values()))

    def restore(self, snapshot: bytes) -> tuple[str, dict[str, Any]]:
        """Go back to a `snapshot` of this environment or of another with the same options."""
        try:
            source, state, problem, tree = self._read(snapshot)
        except (struct.error, ValueError, KeyError, TypeError, AttributeError, PackageError) as error:
            raise SnapshotError(f"cannot restore: {error}") from None
        self._begin(source, problem)
        self._restore_files(tree)
        self._state = state
        return self._state["observation"], self._info()

    def _read(self, snapshot: bytes) -> tuple[dict[str, Any], dict[str, Any], Problem, Snapshot]:
        """Source, state, task and files of a snapshot. Changes nothing, and raises whatever wrong bytes lead to."""
        data = unseal(_KIND, snapshot, _MOST_SNAPSHOT)
        (length,) = _HEAD.unpack_from(data)
        head, position = json.loads(data[_HEAD.size : _HEAD.size + length]), _HEAD.size + length
        blobs = {}
        for name, size in head["blobs"].items():
            blobs[name] = data[position : position + size]
            position += size
            if digest(blobs[name]) != name:
                raise ValueError("a file's content is not what it was")
        source, state = dict(head["source"]), dict(head["state"])
        if type(source["seed"]) is not int or source["split"] not in _SPLITS or source["kind"] not in _KINDS:
            raise ValueError("it does not say which task it belongs to")
        problem = self.problem if source == self._source else self._find(source)
        if head["id"] != problem.id:
            raise ValueError(f"the snapshot belongs to {head['id']!r}, which the seed no longer draws")
        tree = Snapshot(checked(head["nodes"]), {**laid_out(problem.files).blobs, **blobs})
        if any(kind == "file" and detail not in tree.blobs for _, kind, _, _, detail in tree.nodes):
            raise ValueError("it lacks a file's content")
        if any(not f"{path}/".startswith((f"{WORK}/", f"{SCRATCH}/")) for path, *_ in tree.nodes):
            raise ValueError("it has files outside the workspace")
        if [type(state[name]) for name in ("steps", "observation", "ended")] != [int, str, str]:
            raise ValueError("it does not say how the episode stands")
        Outcome(state["ended"] or Outcome.RUNNING)
        return source, state | {"error": state["error"]}, problem, tree

    def state_key(self) -> str:
        """Equal exactly when task and files are; neither times nor the step count matter."""
        try:
            files = self._files().key
        except (
            SandboxFileError
        ) as error:  # more than fits into a snapshot: the agent's doing, and no end of its episode
            files = f"{error}\n{self._state['steps']}"
        key = f"{self.problem.id}\n{files}"
        return blake2b(key.encode(), digest_size=12).hexdigest()

    def render(self) -> str | None:
        """The last observation, for render mode ``"ansi"``."""
        return self._state.get("observation") if self.render_mode == "ansi" else None

    def close(self) -> None:
        """End all sandboxes."""
        self._hang_up()
        self._maker.close()

    def _begin(self, source: dict[str, Any], problem: Problem) -> None:
        """Make the task of ``source`` the present one."""
        if source != self._source:
            self._problem, self._base, self._source = problem, laid_out(problem.files), source

    def _files(self) -> Snapshot:
        """The agent's files; those of the beginning where the session has gone and with it the episode."""
        return self._base if self._session is None and self._state.get("ended") else self.session.snapshot()

    def _find(self, source: dict[str, Any]) -> Problem:
        number: int = source["seed"]
        if self._problems is not None:
            return self._problems[number % len(self._problems)]
        kind: Kind = source["kind"]
        return self._maker.draw(source["split"], kind, number).problem(kind)

    def _restore_files(self, tree: Snapshot) -> None:
        """Lay the files out, in a new session if there is none or the old one has gone."""
        try:
            if self._session is not None:
                self._session.restore(tree)
                return
        except SandboxError:
            self._hang_up()
        self._session = self._open()
        self._session.restore(tree)

    def _hang_up(self) -> None:
        if self._session is not None:
            self._session.close()
            self._session = None


def _covered() -> dict[str, str]:
    """What to put over installed copies of the packages that tasks are made of, and where that is in a session."""
    from selfgym.envs.sandbox.local import seen_inside

    return {cover: seen_inside(place) for cover, place in covers().items()}


def _listed(problems: Iterable[Problem] | str | Path) -> list[Problem]:
    if isinstance(problems, str | Path):
        from selfgym.envs.code.datasets import load_problems

        problems = load_problems(Path(problems))
    found = list(problems)
    if not found:
        raise ValueError("there are no problems in the list")
    return found
