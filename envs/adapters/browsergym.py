"""`selfgym/BrowserGym-v0`: any environment of BrowserGym (ServiceNow; Chezelles et al. 2024, arXiv 2412.05467).

BrowserGym wants a Playwright of its own, so it is best installed in an environment of its own, with selfgym beside it.
Its tasks, its judges and its actions are used as they are; only the browser is ours: the one that
`selfgym.envs.web.finding` finds, given to each launch of BrowserGym's Playwright. Playwright's synchronous side belongs
to the thread that began it, so all environments of a process share one thread, which makes them usable from any.
"""

from __future__ import annotations

import functools
import json
import os
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from difflib import get_close_matches
from hashlib import blake2b
from typing import Any

import gymnasium
from gymnasium.error import ResetNeeded

from selfgym.envs.adapters.browsergym_actions import Actions, brief, load
from selfgym.envs.core import AgentEnv, Outcome, SnapshotError
from selfgym.envs.spaces import UnicodeText
from selfgym.envs.tools import MAX_ACTION_CHARACTERS, ActionError
from selfgym.envs.web.finding import find_executable
from selfgym.envs.web.miniwob.pages import HOST, serve
from selfgym.envs.web.sites.site import SiteError

VERSION = "1"
_MAGIC, _DIGEST = b"bgym1", 16
_MOST_SEED = 2**32


@dataclass(slots=True)
class _Episode:
    """What happened so far."""

    seed: int
    goal: str = ""
    page: str = ""
    """What was seen, without what was wrong with an action."""
    error: str | None = None
    outcome: Outcome = Outcome.RUNNING
    reason: str = ""
    picture: Any = None
    actions: list[str] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    """Of what was seen at the beginning and after each action."""

    @property
    def key(self) -> str:
        """A hash of what was seen."""
        seen = f"{self.goal}\n{self.page}\n{self.outcome}"
        return blake2b(seen.encode(errors="surrogatepass"), digest_size=12).hexdigest()


_workers: dict[int, ThreadPoolExecutor] = {}  # by process: a fork has no thread of its parent's


def _submit(call: Callable[..., Any], *arguments: Any) -> Future[Any]:
    here = os.getpid()
    if here not in _workers:
        _workers[here] = ThreadPoolExecutor(1, thread_name_prefix="selfgym-browsergym")
    return _workers[here].submit(call, *arguments)


class BrowserGymEnv(AgentEnv[str]):
    """An environment of BrowserGym with text to look at.

    Actions are BrowserGym's own strings, ``click("12")``, or tool calls with the same names; `tools` has them.

    Args:
        task: the id of the environment: ``"browsergym/miniwob.click-test"``; the first part may be left out.
        actions: BrowserGym's sets of actions.
        max_steps: after which the episode is truncated.
        max_tokens: how long the text may be; four characters count as a token.
        render_mode: ``"ansi"`` for the text, ``"rgb_array"`` for the picture.
        settings: the rest, as of ``browsergym.core.env.BrowserEnv``, such as ``task_kwargs={"start_url": ...}``.
    """

    metadata = {**AgentEnv.metadata, "render_modes": ["ansi", "rgb_array"]}  # noqa: RUF012

    def __init__(
        self,
        task: str,
        *,
        actions: Sequence[str] = ("chat", "infeas", "bid", "coord", "nav", "tab"),
        max_steps: int = 30,
        max_tokens: int = 4000,
        render_mode: str | None = None,
        **settings: Any,
    ) -> None:
        if max_steps < 1:
            raise ValueError(f"max_steps should be at least 1, not {max_steps}")
        if render_mode not in (None, *self.metadata["render_modes"]):
            raise ValueError(f"unknown render_mode {render_mode!r}: choose 'ansi', 'rgb_array' or None")
        if "action_mapping" in settings:
            raise ValueError("action_mapping would let actions run as Python: name sets of actions with actions=")
        self.id = f"browsergym/{task.removeprefix('browsergym/')}"
        core = _found(self.id)
        self.version = f"{VERSION}.{core.__version__}"
        self.max_steps, self.render_mode = max_steps, render_mode
        self._actions = Actions(actions)
        self.tools = self._actions.tools
        self._settings, self._served = settings, ""
        if self.id.startswith("browsergym/miniwob.") and "MINIWOB_URL" not in os.environ:
            self._served = "http://{}:{}".format(*serve())
            at = {"base_url": f"{self._served}/miniwob/", **settings.get("task_kwargs", {})}
            self._settings = {**settings, "task_kwargs": at}
        self._most = 4 * max_tokens
        self.observation_space = UnicodeText(self._most)
        self.action_space = UnicodeText(MAX_ACTION_CHARACTERS)
        self._inner: Any = None
        self._episode: _Episode | None = None

    # The Gymnasium interface

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[str, dict[str, Any]]:
        """Begin the episode of ``seed``. Raises `BrowserUnavailable` or `SiteError`."""
        result: tuple[str, dict[str, Any]] = self.start("reset", seed=seed, options=options).result()
        return result

    def step(self, action: Any) -> tuple[str, float, bool, bool, dict[str, Any]]:
        """Do one action and look again."""
        result: tuple[str, float, bool, bool, dict[str, Any]] = self.start("step", action).result()
        return result

    def start(self, method: str, *arguments: Any, **keywords: Any) -> Future[Any]:
        """Begin ``reset``, ``step`` or ``restore`` and return at once."""
        if method == "reset":
            seed, options = keywords.get("seed"), keywords.get("options")
            super().reset(seed=seed)
            if options:
                raise ValueError(f"unknown reset option {min(options)!r}: there are none")
            return _submit(self._reset, int(self.np_random.integers(2**31)) if seed is None else seed)
        if method == "step":
            if self._begun().outcome is not Outcome.RUNNING:
                raise ResetNeeded("The episode has ended: call reset() before the next step().")
            return _submit(self._step, *arguments)
        if method == "restore":
            return _submit(self._restore, *arguments)
        done: Future[Any] = Future()
        done.set_result(getattr(self, method)(*arguments, **keywords))
        return done

    def snapshot(self) -> bytes:
        """The episode as bytes: its seed, what was done, and a hash of every observation."""
        one = self._begun()
        data = {"id": self.id, "version": self.version, "seed": one.seed, "actions": one.actions, "keys": one.keys}
        body = json.dumps(data).encode()
        return _MAGIC + blake2b(body, digest_size=_DIGEST).digest() + body

    def restore(self, snapshot: bytes) -> tuple[str, dict[str, Any]]:
        """Do again what a `snapshot` says, and compare what is seen. Raises `SnapshotError` where that differs."""
        result: tuple[str, dict[str, Any]] = self.start("restore", snapshot).result()
        return result

    def state_key(self) -> str:
        """Equal exactly when seed and what is seen are."""
        one = self._begun()
        return blake2b(f"{one.seed}\n{one.key}".encode(), digest_size=12).hexdigest()

    def render(self) -> Any:
        """The last text, or for ``"rgb_array"`` the picture."""
        if self._episode is None or self.render_mode is None:
            return None
        return self._told(self._episode) if self.render_mode == "ansi" else self._episode.picture

    def close(self) -> None:
        """Close the browser."""
        _submit(self._hang_up).result()

    # What they are made of; this runs in the thread of the browser

    def _begun(self) -> _Episode:
        if self._episode is None:
            raise ResetNeeded("Call reset() first: there is no episode yet.")
        return self._episode

    def _reset(self, seed: int) -> tuple[str, dict[str, Any]]:
        _use_found_browser()
        try:
            self._episode = self._begin(seed)
        except Exception as first:  # it may be a browser that went since the last episode: once more
            self._hang_up()
            try:
                self._episode = self._begin(seed)
            except Exception as error:
                self._hang_up()
                raise SiteError(f"{self.id} cannot begin: {type(error).__name__}: {brief(str(error))}") from first
        return self._told(self._episode), self._info(self._episode)

    def _begin(self, seed: int) -> _Episode:
        if self._inner is None:
            self._inner = gymnasium.make(self.id, disable_env_checker=True, **self._settings).unwrapped
            self._inner.action_mapping = self._actions.as_python
        observed, _ = self._inner.reset(seed=seed % _MOST_SEED)
        one = _Episode(seed)
        self._see(one, observed)
        one.keys.append(one.key)
        return one

    def _step(self, action: Any) -> tuple[str, float, bool, bool, dict[str, Any]]:
        one = self._begun()
        reward, terminated, truncated = 0.0, False, False
        one.error = None
        one.actions.append(self._actions.recorded(action))
        try:
            code = self._actions.read(action).replace(f"http://{HOST}", self._served or f"http://{HOST}")
            observed, reward, terminated, truncated, _ = self._inner.step(code)
            self._see(one, observed)
        except ActionError as error:
            one.error = str(error)
        except Exception as error:  # of Playwright, or of what the task's judge asks: never the agent's fault
            one.outcome, one.reason = Outcome.ENV_ERROR, f"{type(error).__name__}: {brief(str(error))}"
            reward, terminated = 0.0, False
            self._hang_up()
        if terminated:
            one.outcome = Outcome.SUCCESS if reward > 0 else Outcome.FAILURE
        elif one.outcome is Outcome.RUNNING and (truncated or len(one.actions) >= self.max_steps):
            one.outcome = Outcome.TRUNCATED
        one.keys.append(one.key)
        ended = one.outcome in (Outcome.TRUNCATED, Outcome.ENV_ERROR)
        return self._told(one), float(reward), bool(terminated), ended, self._info(one)

    def _see(self, one: _Episode, observed: dict[str, Any]) -> None:
        known = load("browsergym.utils.obs")
        lines = [f"Message: {one['message']}" for one in _told_later(observed)]
        pages = list(zip(observed["open_pages_titles"], observed["open_pages_urls"], strict=True))
        active = int(observed["active_page_index"][0])
        if len(pages) > 1:
            shown = (f"[{number}] {title}{' (here)' * (number == active)}" for number, (title, _) in enumerate(pages))
            lines.append(f"Tabs: {'; '.join(shown)}")
        lines.append(f"Page: {pages[active][0]} ({pages[active][1]})")
        unseen = [*known.IGNORED_AXTREE_ROLES, "InlineTextBox"]  # lines of a text that is there already
        tree, properties = observed["axtree_object"], observed["extra_element_properties"]
        lines.append(known.flatten_axtree_to_str(tree, properties, ignored_roles=unseen))
        page = "\n".join(lines)
        one.page = page.replace(self._served, f"http://{HOST}") if self._served else page  # the port is chance
        one.goal, one.picture = observed["goal"], observed["screenshot"]
        one.error = brief(observed["last_action_error"]) or None

    def _told(self, one: _Episode) -> str:
        error = [f"Error: {one.error}"] if one.error else []
        if one.outcome is Outcome.ENV_ERROR:
            return f"Task: {one.goal}\nError: the browser failed: {one.reason}"[: self._most]
        return "\n".join([f"Task: {one.goal}", *error, one.page])[: self._most]

    def _info(self, one: _Episode) -> dict[str, Any]:
        info = {"outcome": one.outcome, "task": one.goal, "task_id": f"{self.id}/{one.seed}", "action_error": one.error}
        return {**info, "reason": one.reason} if one.reason else info

    def _restore(self, snapshot: bytes) -> tuple[str, dict[str, Any]]:
        seed, actions, keys = self._unpacked(snapshot)
        if not self._goes_on(seed, actions, keys):
            try:
                self._reset(seed)
            except SiteError as error:
                raise SnapshotError(f"cannot restore: {error}") from error
        one = self._begun()
        for action in actions[len(one.actions) :]:
            if one.keys == keys[: len(one.keys)] and one.outcome is Outcome.RUNNING:
                self._step(action)
        if one.keys != keys:
            raise SnapshotError(f"what is seen differs from that of then after {len(one.keys) - 1} actions")
        return self._told(one), self._info(one)

    def _goes_on(self, seed: int, actions: list[str], keys: list[str]) -> bool:
        """Whether a snapshot continues the episode that is in the browser now."""
        one = self._episode
        if one is None or self._inner is None or one.outcome is not Outcome.RUNNING or one.seed != seed:
            return False
        return one.actions == actions[: len(one.actions)] and one.keys == keys[: len(one.keys)]

    def _unpacked(self, snapshot: bytes) -> tuple[int, list[str], list[str]]:
        body = snapshot[len(_MAGIC) + _DIGEST :]
        digest = snapshot[len(_MAGIC) : len(_MAGIC) + _DIGEST]
        if not snapshot.startswith(_MAGIC) or blake2b(body, digest_size=_DIGEST).digest() != digest:
            raise SnapshotError(
                "cannot restore: these bytes are no snapshot of a BrowserGym environment, or are damaged"
            )
        data = json.loads(body)
        for name, own in (("id", self.id), ("version", self.version)):
            if data[name] != own:
                raise SnapshotError(f"cannot restore: the snapshot is of {name} {data[name]}, this is {own}")
        return data["seed"], data["actions"], data["keys"]

    def _hang_up(self) -> None:
        """Let go of the browsers, in whatever state they are."""
        inner, self._inner = self._inner, None
        for part in (inner and inner.task, inner and inner.chat, inner and inner.browser):
            with suppress(Exception):
                part.teardown() if hasattr(part, "teardown") else part.close()


def _found(id: str) -> Any:
    """BrowserGym's core, with the tasks that ``id`` belongs to. Raises `ValueError` or `BrowserGymMissing`."""
    core = load("browsergym.core")
    if id not in gymnasium.registry:
        family, dot, _ = id.removeprefix("browsergym/").partition(".")
        if dot:
            load(f"browsergym.{family}")
    if id not in gymnasium.registry:
        known = [name for name in gymnasium.registry if name.startswith("browsergym/")]
        near = get_close_matches(id, known, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise ValueError(f"BrowserGym has no environment {id!r}.{hint}")
    return core


def _use_found_browser() -> None:
    """Have BrowserGym's Playwright launch the browser that selfgym finds.

    BrowserGym launches two, one of them without any options from outside, so ``launch`` itself is given the path.
    """
    chromium = load("browsergym.core")._get_global_playwright().chromium
    if not isinstance(chromium.launch, functools.partial):
        chromium.launch = functools.partial(chromium.launch, executable_path=str(find_executable()))


def _told_later(observed: dict[str, Any]) -> list[dict[str, Any]]:
    """What the task has said to the agent since it began: the greeting and the goal come first."""
    later = observed["chat_messages"][1 + len(observed["goal_object"]) :]
    return [one for one in later if one["role"] == "user"]
