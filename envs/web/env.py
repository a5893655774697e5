"""Web environments: a real browser behind the Gymnasium interface.

An action is a string such as ``click(3)`` or a tool call (see `selfgym.envs.web.actions`); the observation is text, or
a dictionary where more is asked for (see `selfgym.envs.web.seeing`). The state of an episode is restored by doing it
again: where the page's clock is virtual the same actions give the same pages, and every observation on the way is
checked.
A browser, page or site that fails is the outcome ``env_error``; the next `reset` starts what is missing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Hashable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Literal

from gymnasium.error import ResetNeeded

from selfgym.envs.core import AgentEnv, Outcome, SnapshotError
from selfgym.envs.history import History
from selfgym.envs.spaces import UnicodeText
from selfgym.envs.tools import MAX_ACTION_CHARACTERS, ActionError, ToolCall
from selfgym.envs.web.acting import Acting
from selfgym.envs.web.actions import WEB_TOOLS, read_action
from selfgym.envs.web.background import run, submit
from selfgym.envs.web.browser import shared_browser
from selfgym.envs.web.checkpoint import Checkpoint
from selfgym.envs.web.finding import BrowserUnavailable
from selfgym.envs.web.gate import Gate
from selfgym.envs.web.idle import keep, take
from selfgym.envs.web.seeing import Part, Seen, in_words, observation, possible_actions, see, space
from selfgym.envs.web.session import Look, Session, View
from selfgym.envs.web.sites.site import SiteError, Verdict
from selfgym.envs.web.tab import How, PageFailure
from selfgym.envs.web.task import TaskSource, WebTask
from selfgym.envs.web.wire import WireError

VERSION = "1"
"""Of the observer and the actions."""
_ENDING = ("send_msg_to_user", "report_infeasible")


@dataclass(slots=True)
class _State:
    """A running episode, without the browser's part of it."""

    task: WebTask
    history: History
    session: Session
    acting: Acting
    seen: Seen | None = None
    error: str | None = None
    outcome: Outcome = Outcome.RUNNING
    settled: How = "quiet"
    reason: str = ""
    text: str = ""
    loaded: bool = False
    """Whether the page has just been loaded and nothing was done to it since."""
    checkpoint: Checkpoint | None = None
    """The present page with its data, once somebody has asked for it."""


class BrowserEnv(AgentEnv[Any]):
    """What all web environments share: everything but where the tasks come from.

    Args:
        source: draws the tasks.
        view: size of the picture and how much of a page is read.
        observe: parts of the observation; ``("text",)`` alone makes it a string, more make it a dictionary.
        max_steps: after which the episode is truncated.
        clock: ``"virtual"``: the page's time stands still while the agent thinks, where the browser can do that;
            ``"real"``: it runs on.
        settle: milliseconds of the page's time that each action is given to come to rest.
        deadline: real seconds that a page may take to load.
        synthetic: clicks are the element's own ``click()`` rather than real pointer events.
        admissible_commands: whether ``info`` lists possible actions (clicks, choices, and texts quoted in the task).
        header: whether the text begins with title and address of the page.
        browser: the path of a Chromium; by default the best that is found.
        begin_frame: whether frames are drawn on demand where the browser can do that.
    """

    metadata = {**AgentEnv.metadata, "render_modes": ["ansi", "rgb_array"]}  # noqa: RUF012
    tools = WEB_TOOLS
    """What an action may call."""

    def __init__(
        self,
        source: TaskSource,
        *,
        view: View,
        observe: Sequence[Part] = ("text",),
        max_steps: int = 30,
        clock: Literal["virtual", "real"] = "virtual",
        settle: int = 500,
        deadline: float = 10.0,
        synthetic: bool = False,
        admissible_commands: bool = False,
        header: bool = True,
        browser: str | None = None,
        begin_frame: bool = True,
        render_mode: str | None = None,
    ) -> None:
        if max_steps < 1:
            raise ValueError(f"max_steps should be at least 1, not {max_steps}")
        if clock not in ("virtual", "real"):
            raise ValueError(f"there is no clock {clock!r}: choose virtual or real")
        if render_mode not in (None, *self.metadata["render_modes"]):
            raise ValueError(f"unknown render_mode {render_mode!r}: choose 'ansi', 'rgb_array' or None")
        self.source, self.view, self.observe = source, view, tuple(observe)
        self.version = f"{VERSION}.{source.version}"
        self.max_steps, self.clock, self.settle, self.deadline = max_steps, clock, settle, deadline
        self.synthetic, self.admissible_commands, self.header = synthetic, admissible_commands, header
        self.render_mode = render_mode
        self.observation_space = space(self.observe, view)
        self.action_space = UnicodeText(MAX_ACTION_CHARACTERS)
        self._executable, self._plain = browser, not begin_frame
        self._session: Session | None = None
        self._kind: Hashable = None
        self._state: _State | None = None

    # The Gymnasium interface

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begin the task of ``seed``, or the next one drawn. Raises `BrowserUnavailable` or `SiteError`."""
        return run(self._reset(self._number(seed, options)))

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Do one action and look again."""
        return run(self._step(self._running(), action))

    def start(self, method: str, *arguments: Any, **keywords: Any) -> Future[Any]:
        """Begin a call of a method and return at once: the edge for many episodes in one process.

        ``asyncio.wrap_future(env.start("step", action))`` can be awaited in any event loop.
        """
        if method == "reset":
            return submit(self._reset(self._number(keywords.get("seed"), keywords.get("options"))))
        if method == "step":
            return submit(self._step(self._running(), *arguments))
        if method == "restore":
            return submit(self._restore(*arguments))
        done: Future[Any] = Future()
        done.set_result(getattr(self, method)(*arguments, **keywords))
        return done

    def snapshot(self) -> bytes:
        """The episode as bytes: its task, what was done, and a hash of every observation."""
        state = self._begun()
        if state.loaded and state.checkpoint is None and state.session is self._session:
            state.checkpoint = run(self._checkpoint(state))
        kept = None if state.checkpoint is None else state.checkpoint.plain()
        return state.history.pack({"error": state.error, "ended": state.outcome.value, "page": kept})

    def restore(self, snapshot: bytes) -> tuple[Any, dict[str, Any]]:
        """Go back to a `snapshot` of this environment or of another with the same options.

        Where the snapshot was taken of a page just loaded from a site, the site's data are put back and the page is
        loaded again; else everything is done again. What is seen is compared with what was seen then. Raises
        `SnapshotError` where the bytes are no such snapshot, and where the pages differ from those of then.
        """
        return run(self._restore(snapshot))

    def state_key(self) -> str:
        """Equal exactly when task, address and everything that the observer reads are; scripts may hide more."""
        state = self._begun()
        seen = state.seen.key if state.seen else "lost"
        return blake2b(f"{state.history.seed}\n{state.outcome}\n{seen}".encode(), digest_size=12).hexdigest()

    def render(self) -> Any:
        """The last text, or for ``"rgb_array"`` the picture: an array of (height, width, 3) bytes."""
        if self.render_mode == "ansi":
            return None if self._state is None else self._state.text
        if self.render_mode == "rgb_array":
            from selfgym.envs.web.pictures import decode

            return decode(self.screenshot())
        return None

    def screenshot(self) -> bytes:
        """The page now, as PNG."""
        return run(self._begun().session.tab.picture())

    @property
    def look(self) -> Look:
        """What was seen last, as data: for experts and experiments."""
        state = self._begun()
        if state.seen is None:
            raise ResetNeeded("The page was lost: call reset().")
        return state.seen.look

    @property
    def task(self) -> WebTask:
        """The task of the running episode."""
        return self._begun().task

    @property
    def session(self) -> Session:
        """The browser context, for experts and experiments; using it is cheating."""
        return self._begun().session

    def close(self) -> None:
        """Close the context and what the tasks need; the browser stays for others of this process."""
        if self._session is not None:
            run(self._part())
        self.source.close()

    # What they are made of

    def _number(self, seed: int | None, options: dict[str, Any] | None) -> int:
        super().reset(seed=seed)
        if options:
            raise ValueError(f"unknown reset option {min(options)!r}: there are none")
        return int(self.np_random.integers(2**31)) if seed is None else seed

    def _begun(self) -> _State:
        if self._state is None:
            raise ResetNeeded("Call reset() first: there is no episode yet.")
        return self._state

    def _running(self) -> _State:
        state = self._begun()
        if state.outcome is not Outcome.RUNNING:
            raise ResetNeeded("The episode has ended: call reset() before the next step().")
        return state

    async def _reset(self, seed: int) -> tuple[Any, dict[str, Any]]:
        try:
            state = await self._begin(seed)
        except (PageFailure, ConnectionError) as failure:  # a browser that went since the last episode: once more
            await self._hang_up()
            try:
                state = await self._begin(seed)
            except (PageFailure, ConnectionError) as again:
                await self._hang_up()
                raise SiteError(f"the episode cannot begin: {again}") from failure
        return self._told(state), self._info(state)

    async def _begin(self, seed: int) -> _State:
        if self.source.blocking:
            task = await asyncio.to_thread(self.source.draw, seed)
            await asyncio.to_thread(self.source.prepare)
        else:
            task = self.source.draw(seed)
            self.source.prepare()
        session = await self._ready_session(seed)
        session.files = dict(task.files)
        state = _State(task, History(seed, task.id, self.version), session, Acting(session, synthetic=self.synthetic))
        await _translated(task.begin(session))
        state.settled = await _translated(session.settle(self.settle, self.deadline, draw=False))
        await _translated(task.begun())
        await self._see(state)
        state.loaded = not self.source.reusable
        self._state = state
        return state

    async def _ready_session(self, seed: int) -> Session:
        """The session of the episode before, where it can be used again, or a new one."""
        session = self._session
        if session is not None and not (self.source.reusable and session.sound):
            await self._hang_up()
            session = None
        if session is None:
            browser = await shared_browser(self._executable, plain=self._plain)
            sites, hosts = await asyncio.to_thread(self.source.addresses)
            virtual = self.clock == "virtual"
            self._kind = (browser, self.view, virtual, tuple(sites.items()), hosts)
            session = await take(self._kind) if self.source.reusable else None
            session = session or await _translated(
                Session.open(browser, Gate(sites, hosts), self.view, virtual=virtual, seed=seed & 0x7FFFFFFF)
            )
        session.events.clear()
        session.answer_next = None
        self._session = session
        return session

    async def _step(self, state: _State, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        reward, terminated = 0.0, False
        state.error = None
        state.history.steps += 1
        try:
            call = read_action(action)
            reward, terminated = await self._do(state, call)
        except ActionError as error:
            state.error = str(error)
        except PageFailure as failure:
            state.outcome, state.reason = Outcome.ENV_ERROR, str(failure)
        except SiteError as failure:
            state.outcome, state.reason = Outcome.ENV_ERROR, f"the site failed: {failure}"
        if state.outcome is Outcome.RUNNING and not terminated and state.history.steps >= self.max_steps:
            state.outcome = Outcome.TRUNCATED
        if state.outcome is Outcome.ENV_ERROR:
            await self._hang_up()
        elif state.outcome is not Outcome.RUNNING and self.source.reusable:
            state.session.park()
        truncated = state.outcome in (Outcome.TRUNCATED, Outcome.ENV_ERROR)
        return self._told(state), reward, terminated, truncated, self._info(state)

    async def _do(self, state: _State, call: ToolCall) -> tuple[float, bool]:
        """Act, settle, look and judge; returns reward and whether the episode ended."""
        answer: str | None = None
        if call.name in _ENDING:
            answer = call.arguments.get("text", "") or call.arguments.get("reason", "")
            answer = answer if call.name == "send_msg_to_user" else f"infeasible: {answer}"
        else:
            loads = state.session.tab.loads
            wait = self.settle if call.name != "noop" else int(call.arguments["wait_ms"])
            await _translated(state.acting.do(call))
            state.settled = await _translated(state.session.settle(wait, self.deadline))
            state.loaded = state.session.tab.loads != loads and len(state.session.tabs) == 1
            state.checkpoint = None
        await self._see(state)
        assert state.seen is not None
        verdict: Verdict = await _translated(state.task.judge(state.session, state.seen.look, answer))
        ended = verdict.done or answer is not None or verdict.score >= 1.0
        if ended:
            state.outcome = Outcome.SUCCESS if verdict.score >= 1.0 else Outcome.FAILURE
            state.reason = verdict.reason
        state.history.record([call.name, call.arguments], state.seen.key)
        reward = verdict.score if verdict.reward is None else verdict.reward
        return (float(reward) if ended else 0.0), ended

    async def _see(self, state: _State) -> None:
        state.seen = await _translated(see(state.session, self.observe))
        state.acting.look = state.seen.look
        if not state.seen.look.quiet and state.settled == "quiet":
            state.settled = "busy"

    def _told(self, state: _State) -> Any:
        """The observation."""
        lost = state.outcome is Outcome.ENV_ERROR
        if lost or state.seen is None:
            state.text = f"Task: {state.task.goal}\nError: the browser failed: {state.reason}"
            return observation(None, self.observe, self.view, state.text)
        state.text = in_words(state.seen.look, state.task.goal, state.error or "", self.header)
        return observation(state.seen, self.observe, self.view, state.text)

    def _info(self, state: _State) -> dict[str, Any]:
        info: dict[str, Any] = {
            "outcome": state.outcome,
            "task": state.task.goal,
            "task_id": state.task.id,
            "action_error": state.error,
            "settled": state.settled,
            "truncated_observation": list(state.seen.look.truncated) if state.seen else [],
            "refused_hosts": list(state.session.gate.refused),
        }
        if state.outcome not in (Outcome.RUNNING, Outcome.TRUNCATED):
            info["reason"] = state.reason
        if self.admissible_commands:
            possible = state.outcome is Outcome.RUNNING and state.seen
            info["admissible_commands"] = possible_actions(possible.look, state.task.goal) if possible else []
        return info

    async def _restore(self, snapshot: bytes) -> tuple[Any, dict[str, Any]]:
        history, more = History.unpack(snapshot, self.version, _call)
        try:
            error, ended = more["error"], Outcome(more["ended"])
            page = None if more["page"] is None else Checkpoint.of(more["page"])
        except (KeyError, ValueError, TypeError):
            raise SnapshotError("cannot restore: it does not say how the episode stands") from None
        state, before = self._state, self._state
        try:
            if not self._goes_on(state, history):
                state = await self._begin(history.seed)
            assert state is not None
            if state.task.id != history.task:
                raise SnapshotError(f"the snapshot belongs to {history.task!r}, which the seed no longer draws")
            if page is None or len(state.history.calls) or not await self._reopened(state, history, page):
                state = state if page is None or state.history.calls else await self._begin(history.seed)
                await self._again(state, history)
        except (PageFailure, SiteError, BrowserUnavailable) as failure:
            await self._hang_up()
            self._state = before
            raise SnapshotError(f"cannot restore: {failure}") from failure
        state.history, state.error, state.outcome, state.checkpoint = history, error, ended, page
        return self._told(state), self._info(state)

    async def _checkpoint(self, state: _State) -> Checkpoint | None:
        data = await asyncio.to_thread(state.task.save)
        if data is None or state.seen is None:
            return None
        cookies = await _translated(state.session.cookies())
        return Checkpoint(state.seen.look.url, cookies, data)

    async def _reopened(self, state: _State, history: History, page: Checkpoint) -> bool:
        """Load the page of a checkpoint in a new episode; False where it is not what it was."""
        await asyncio.to_thread(state.task.load, page.data)
        await _translated(state.session.set_cookies(page.cookies))
        await _translated(state.session.tab.navigate(page.url))
        state.settled = await _translated(state.session.settle(self.settle, self.deadline))
        await asyncio.to_thread(state.task.load, page.data)  # loading a page counts as a request
        await self._see(state)
        assert state.seen is not None
        state.loaded = True
        return not history.keys or state.seen.key == history.keys[-1]

    def _goes_on(self, state: _State | None, history: History) -> bool:
        """Whether the snapshot continues the episode that is in the browser now."""
        return (
            state is not None
            and state.session is self._session
            and not state.session.tab.failed
            and state.outcome in (Outcome.RUNNING, Outcome.TRUNCATED)
            and state.history.seed == history.seed
            and state.history.task == history.task
            and history.begins_with(state.history)
        )

    async def _again(self, state: _State, history: History) -> None:
        """Do what ``history`` has more than the state's, and compare what is seen."""
        for number in range(len(state.history.calls), len(history.calls)):
            call, key = _call(history.calls[number]), history.keys[number]
            state.outcome = Outcome.RUNNING
            try:
                await self._do(state, call)
            except ActionError as error:
                raise SnapshotError(f"action {number + 1} could not be repeated: {error}") from None
            assert state.seen is not None
            if state.seen.key != key:
                raise SnapshotError(f"the page differs from that of then after action {number + 1} ({call.name})")

    async def _part(self) -> None:
        """Leave the session to the next environment of the kind, where that is possible."""
        if self._session is not None and self.source.reusable:
            old, self._session = self._session, None
            await keep(self._kind, old)
        await self._hang_up()

    async def _hang_up(self) -> None:
        if self._session is not None:
            old, self._session = self._session, None
            await old.close()


def _call(plain: Any) -> ToolCall:
    name, arguments = plain
    return WEB_TOOLS.parse({"name": name, "arguments": arguments})


async def _translated(work: Any) -> Any:
    """``work``, with the errors of Playwright and of the wire as `PageFailure`."""
    from playwright.async_api import Error

    try:
        return await work
    except (Error, WireError) as error:
        raise PageFailure(str(error).splitlines()[0][:300]) from error
