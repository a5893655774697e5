"""`selfgym/Apps-v0`: an assistant's day in a small world of apps. The agent writes Python that calls their API.

An action is Python code, as it is or as the tool call ``run``; the observation is what it printed. The code runs in a
sandbox on a copy of the world. Only the calls it made are believed, and done again here (see `host`), so that nothing
but calls has an effect. A step whose code fails has none at all. ``finish`` ends the episode: the reward is 1.0 if the
task was done and nothing else changed, else 0.0. Where the sandbox fails, the outcome is ``env_error``.

After AppWorld (arXiv 2407.18901): apps behind an API, evaluation on the state of the database, scenarios with variants.
"""

from __future__ import annotations

import compileall
import json
from functools import cache, partial
from hashlib import blake2b
from pathlib import Path
from typing import Any

from gymnasium.error import ResetNeeded
from pydantic import BaseModel, ConfigDict, Field

from selfgym.envs.apps.api.endpoint import APPS
from selfgym.envs.apps.api.schema import as_json
from selfgym.envs.apps.api.session import MOST_KEPT, cut
from selfgym.envs.apps.evaluate import evaluate
from selfgym.envs.apps.hiding import hidden
from selfgym.envs.apps.host import Answer, Host, Report, ReportError, read_report
from selfgym.envs.apps.scenarios.catalogue import Assignment, assigned, chosen
from selfgym.envs.code.workspace import laid_out
from selfgym.envs.core import AgentEnv, Outcome, SnapshotError
from selfgym.envs.sandbox.limits import Limits, SandboxError
from selfgym.envs.sandbox.opening import Backend, open_sandbox
from selfgym.envs.sandbox.sandbox import Sandbox
from selfgym.envs.sealed import seal, unseal
from selfgym.envs.spaces import UnicodeText
from selfgym.envs.tools import MAX_ACTION_CHARACTERS, ActionError, Tool, ToolSet

VERSION = "1"
"""Of the worlds, apps and scenarios: changes whenever the same seed and actions could give another episode."""

_PLACE = "/srv/selfgym"
_PROGRAM = f"import sys\nsys.path.insert(0, {_PLACE!r})\nfrom api.session import main\nmain()"
_PREIMPORT = (
    *("ast", "bisect", "code", "collections", "dataclasses", "datetime", "difflib", "functools", "hashlib", "inspect"),
    *("io", "itertools", "json", "math", "re", "sqlite3", "typing", "contextlib"),
)
_LIMITS = Limits(timeout=10.0, memory=2**28, processes=8, output=2**20, disk=2**16, files=1)
_EMPTY = laid_out({})
_KIND = b"apps1"
_MOST_OUTPUT = 20_000
_MOST_SNAPSHOT = 2**26
_HOW = (
    f"Apps: {', '.join(APPS)}.\n"
    'Call them as in apis.mail.search(query="x"). docs() tells more, docs("mail") lists the endpoints of an app, '
    'docs("mail.send") explains one. print() shows you results. What you define stays. End with finish(), or '
    "finish(answer) if an answer is asked for."
)


class _Run(BaseModel):
    code: str = Field(description="Python code")


class _Finish(BaseModel):
    answer: Answer = Field(default=None, description="the answer, where one is asked for")


APP_TOOLS = ToolSet([Tool("run", "Run Python code.", _Run), Tool("finish", "End the task.", _Finish)])
"""The actions as tool calls, for agents that want them so; any other text is code."""


class _State(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    steps: int = Field(default=0, ge=0)
    observation: str
    error: str | None = None
    ended: Outcome = Outcome.RUNNING
    tests: list[tuple[str, bool]] = []


class _Saved(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    split: str
    level: int | None
    scenario: str | None
    seed: int = Field(ge=0)
    task: str
    state: _State
    host: dict[str, Any]


class AppsEnv(AgentEnv[str]):
    """Tasks in the world of apps.

    ``split`` (``train``, ``dev``, ``test-normal``, ``test-challenge``), ``level`` (1 to 3) and ``scenario`` (a name, or
    several with commas between) choose the scenarios. A seed names one task: 3k, 3k + 1 and 3k + 2 are variants of one
    scenario in one world, which share a procedure. ``max_output`` is how many characters of output are shown.
    ``explain=False`` begins with the task alone, without a word on what there is: for models that learn it by heart.
    ``backend`` is that of `open_sandbox`.
    """

    version = VERSION
    skill_form = "functions"

    def __init__(
        self,
        split: str = "train",
        level: int | None = None,
        scenario: str | None = None,
        max_steps: int = 20,
        max_output: int = 2000,
        explain: bool = True,
        backend: Backend = "local",
        render_mode: str | None = None,
    ) -> None:
        if max_steps < 1:
            raise ValueError(f"max_steps should be at least 1, not {max_steps}")
        if not 100 <= max_output <= _MOST_OUTPUT:
            raise ValueError(f"max_output should be at least 100 and at most {_MOST_OUTPUT}, not {max_output}")
        if render_mode not in (None, *self.metadata["render_modes"]):
            raise ValueError(f"unknown render_mode {render_mode!r}: choose 'ansi' or None")
        self._options = (split, level, scenario)
        self._scenarios = chosen(split, level, scenario)
        self.max_steps, self.max_output, self.render_mode = max_steps, max_output, render_mode
        self.explain = explain
        self.observation_space = UnicodeText(2**16)
        self.action_space = UnicodeText(MAX_ACTION_CHARACTERS)
        shown = {_api_folder(): f"{_PLACE}/api"} | (hidden() if backend == "local" else {})
        self._open = partial(open_sandbox, backend, limits=_LIMITS, preimport=_PREIMPORT, readonly=shown)
        self._session: Sandbox | None = None
        self._seed = 0
        self._assignment: Assignment | None = None
        self._host: Host | None = None
        self._state = _State(observation="", ended=Outcome.TRUNCATED)

    @property
    def assignment(self) -> Assignment:
        """The task with its scenario, world and solution, for experts and experiments; using it is cheating."""
        if self._assignment is None:
            raise ResetNeeded("Call reset() first: there is no episode yet.")
        return self._assignment

    @property
    def host(self) -> Host:
        """The true database of the episode, for experiments."""
        if self._host is None:
            raise ResetNeeded("Call reset() first: there is no episode yet.")
        return self._host

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[str, dict[str, Any]]:
        """Begin the task of ``seed``, or one drawn. Raises `SandboxUnavailable`.

        ``options["definitions"]``: source by name of functions that are there from the beginning, such as skills of
        earlier episodes. They run in the sandbox only.
        """
        super().reset(seed=seed)
        kept = _definitions(options or {})
        self._seed = int(self.np_random.integers(2**31)) if seed is None else seed
        assignment = assigned(self._scenarios, self._seed)
        self._begin(assignment, Host(assignment.world, kept))
        self._state = _State(observation=_introduction(assignment, kept, self.explain))
        return self._state.observation, self._info()

    def step(self, action: Any) -> tuple[str, float, bool, bool, dict[str, Any]]:
        """Run Python code, or do a tool call."""
        if self._state.ended is not Outcome.RUNNING:
            raise ResetNeeded("The episode has ended: call reset() before the next step().")
        self._state.steps += 1
        self._state.error = None
        try:
            code, answer = _parsed(action)
            if code is None:
                self._finish("", answer)
            else:
                self._run(code)
        except ActionError as error:
            self._state.observation = self._state.error = cut(str(error), self.max_output)
        except SandboxError as error:
            self._state.observation = cut(f"The sandbox failed: {error}", self.max_output)
            self._state.ended = Outcome.ENV_ERROR
            self._hang_up()
        if self._state.ended is Outcome.RUNNING and self._state.steps >= self.max_steps:
            self._state.ended = Outcome.TRUNCATED
        terminated = self._state.ended in (Outcome.SUCCESS, Outcome.FAILURE)
        truncated = not terminated and self._state.ended is not Outcome.RUNNING
        reward = float(self._state.ended is Outcome.SUCCESS)
        return self._state.observation, reward, terminated, truncated, self._info()

    def _run(self, code: str) -> None:
        report = self._report(code)
        output = cut(_clean(report.output).rstrip("\n"), 2 * self.max_output)  # it is cut already, if honest
        if report.error is not None:
            error = cut(_clean(report.error), self.max_output)
            told = f"{error}\nNothing that this code did was kept."
            self._state.error = told
            self._state.observation = f"{output}\n{told}" if output else told
            return
        if not self.host.apply(report):
            output += "\n[What the code saw is not what the apps hold: its copy of the data was tampered with.]"
        if report.finished:
            self._finish(output, report.answer)
        else:
            self._state.observation = output or "Done. Nothing was printed."

    def _report(self, code: str) -> Report:
        """Run the code in the sandbox. Raises `ActionError` where it comes to no proper end."""
        job, data = self.host.job(code, self.max_output)
        if self._session is None:
            self._session = self._open()
        self._session.restore(_EMPTY)  # a step leaves no file to the next
        result = self._session.exec(_PROGRAM, stdin=as_json(job).encode() + b"\n" + data)
        if result.limit == "timeout":
            raise ActionError(f"The code ran for more than {_LIMITS.timeout:.0f} seconds and was stopped.")
        try:
            return read_report(result.stdout)
        except ReportError as error:
            why = f"limit: {result.limit}" if result.limit else f"{error}, exit code {result.exit_code}"
            raise ActionError(f"The code broke off and nothing that it did was kept ({why}).") from None

    def _finish(self, output: str, answer: Answer) -> None:
        task = self.assignment.task
        self._state.tests = evaluate(task.expected, task.answer, self.host.all_changes(), answer)
        failed = [name for name, passed in self._state.tests if not passed]
        self._state.ended = Outcome.FAILURE if failed else Outcome.SUCCESS
        told = f"Failed: {'; '.join(failed)}." if failed else f"All {len(self._state.tests)} tests pass."
        self._state.observation = f"{output}\n{told}" if output else told

    def _info(self) -> dict[str, Any]:
        tests = self._state.tests
        ended = {"score": sum(passed for _, passed in tests) / len(tests), "tests": list(tests)} if tests else {}
        return {
            "outcome": self._state.ended,
            "task": self.assignment.task.text,
            "task_id": self.assignment.id,
            "scenario": self.assignment.scenario.name,
            "variant": self.assignment.variant,
            "action_error": self._state.error,
            **ended,
        }

    def snapshot(self) -> bytes:
        """The episode as bytes: which task, how it stands, what changed in the database, and the definitions."""
        split, level, scenario = self._options
        saved = _Saved.model_construct(
            split=split,
            level=level,
            scenario=scenario,
            seed=self._seed,
            task=self.assignment.task.text,
            state=self._state,
            host=self.host.state(),
        )
        return seal(_KIND, as_json(saved.model_dump(mode="json")).encode())

    def restore(self, snapshot: bytes) -> tuple[str, dict[str, Any]]:
        """Go back to a `snapshot` of this environment or of another with the same options."""
        try:
            saved, assignment, host = self._read(snapshot)
        except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError) as error:
            raise SnapshotError(f"cannot restore: {error}") from None
        self._begin(assignment, host)
        self._seed, self._state = saved.seed, saved.state
        return self._state.observation, self._info()

    def _read(self, snapshot: bytes) -> tuple[_Saved, Assignment, Host]:
        """What a snapshot holds. Changes nothing, and raises whatever wrong bytes lead to."""
        saved = _Saved.model_validate_json(unseal(_KIND, snapshot, _MOST_SNAPSHOT))
        if (saved.split, saved.level, saved.scenario) != self._options:
            raise ValueError("it was taken with other options")
        assignment = assigned(self._scenarios, saved.seed)
        if assignment.task.text != saved.task:
            raise ValueError("its seed no longer draws its task")
        return saved, assignment, Host.from_state(assignment.world, saved.host)

    def state_key(self) -> str:
        """Equal exactly when task, database and definitions are; the step count does not matter."""
        key = as_json([self.assignment.id, self.host.state()])
        return blake2b(key.encode(), digest_size=12).hexdigest()

    def render(self) -> str | None:
        """The last observation, for render mode ``"ansi"``."""
        return self._state.observation if self.render_mode == "ansi" else None

    def close(self) -> None:
        """End the sandbox."""
        self._hang_up()
        if self._host is not None:
            self._host.close()
            self._host = None

    def _begin(self, assignment: Assignment, host: Host) -> None:
        if self._session is None:
            self._session = self._open()
        if self._host is not None:
            self._host.close()
        self._assignment, self._host = assignment, host

    def _hang_up(self) -> None:
        if self._session is not None:
            self._session.close()
            self._session = None


@cache
def _api_folder() -> str:
    """The folder that is seen inside, compiled, since what runs there may write nothing."""
    folder = Path(__file__).with_name("api")
    compileall.compile_dir(folder, quiet=2)
    return str(folder)


def _definitions(options: dict[str, Any]) -> list[tuple[str, str]]:
    if unknown := options.keys() - {"definitions"}:
        raise ValueError(f"unknown reset option {min(unknown)!r}: there is only 'definitions'")
    given = options.get("definitions", {})
    if not isinstance(given, dict) or not all(isinstance(text, str) for pair in given.items() for text in pair):
        raise ValueError("the reset option 'definitions' is a dictionary of names and sources")
    if sum(map(len, given.values())) > MOST_KEPT:
        raise ValueError(f"the definitions have more than {MOST_KEPT} characters together")
    return list(given.items())


def _introduction(assignment: Assignment, kept: list[tuple[str, str]], explain: bool) -> str:
    text = assignment.task.text
    if explain:
        text += f"\n\nYou assist {assignment.world.me['name']} and write Python. {_HOW}"
    heads = [line.rstrip(":") for _, source in kept for line in source.splitlines() if line.startswith("def ")]
    return f"{text}\nDefined already: {'; '.join(heads)}" if heads else text


def _parsed(action: Any) -> tuple[str | None, Answer]:
    """The code to run, or ``None`` and the answer to finish with. Raises `ActionError`."""
    if isinstance(action, str) and len(action) <= MAX_ACTION_CHARACTERS and not _is_call(action):
        return str(action), None
    call = APP_TOOLS.parse(action)
    if call.name == "finish":
        return None, call.arguments["answer"]
    if len(call.arguments["code"]) > MAX_ACTION_CHARACTERS:
        raise ActionError(f"The code is longer than {MAX_ACTION_CHARACTERS} characters.")
    return call.arguments["code"], None


def _is_call(action: str) -> bool:
    """Whether a text is meant as a tool call: JSON of an object that names something."""
    if not action.lstrip().startswith("{"):
        return False
    try:
        call = json.loads(action)
    except (ValueError, RecursionError):
        return False
    return isinstance(call, dict) and ("name" in call or "function" in call)


def _clean(text: str) -> str:
    """``text`` without halves of characters, which no file could hold."""
    return text.encode("utf-8", "replace").decode()
