"""An episode's share of the browser: a context with its own gate, its tabs, and what happened since the last look.

Everything here runs on the loop of `selfgym.envs.web.background`. A session is either used again for the next episode
of a page that can be put back (MiniWoB++) or thrown away, with all that the pages kept.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import secrets
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from selfgym.envs.tools import ActionError
from selfgym.envs.web.browser import EPOCH, NOBODY, Browser
from selfgym.envs.web.foreign import read_frames
from selfgym.envs.web.gate import Gate
from selfgym.envs.web.tab import How, PageFailure, Tab, script, unheeded

if TYPE_CHECKING:
    from playwright.async_api import BrowserContext, Dialog, Page

_MOST_TABS = 8
_MOST_EPISODES = 300
_MOST_DIALOGS = 25  # in one step; a page that opens more is broken or attacks
_MOST_WINDOWS = 20  # likewise, pages that it opens
_SHOWN = 300  # characters of a dialog's message
_CLOSING = 3.0  # seconds that Playwright may take to close a context, before the browser is told to
_OPENING = 5.0  # seconds that a new tab may take to be there
_REFUSED = 1.0  # seconds after which a window that a page asked for is one that the browser does not open


@dataclass(frozen=True, slots=True)
class View:
    """How a session looks at pages: size of the picture in pixels, and how much is read."""

    width: int = 1280
    height: int = 720
    most: int = 16_000
    """Characters of text."""
    nodes: int = 20_000
    """Nodes of the document that are visited."""
    depth: int = 100
    """Nesting beyond which nothing is read."""
    value: int = 300
    """Characters of a field's content."""
    options: int = 30
    """Options of a list that are shown."""
    boxes: bool = False
    """Whether the text gives the position of each element: left, top, width, height."""
    drawings: bool = False
    """Whether shapes and painted areas without words are numbered too, to be pointed at."""
    skip: str = ""
    """A CSS selector of what is not part of the page for the agent."""
    sign: str = ""
    """A CSS selector of something whose being visible is told in `Look.sign`."""
    quiet: int = 100
    """Milliseconds without a change after which a page counts as quiet."""

    def options_for_page(self) -> dict[str, Any]:
        """The argument of the observer."""
        names = ("most", "nodes", "depth", "value", "options", "boxes", "drawings", "skip", "sign", "quiet")
        return {name: getattr(self, name) for name in names}


@dataclass(slots=True)
class Look:
    """What was seen: plain data."""

    text: str
    elements: list[dict[str, Any]]
    url: str
    title: str
    truncated: list[str]
    quiet: bool
    scroll: list[int]
    """Position across and down, and how far either goes, in pixels."""
    scrollers: list[list[int]] = field(default_factory=list)
    """What scrolls inside the page: number, position down, how far it goes."""
    sign: bool = False
    """Whether `View.sign` is visible."""
    tabs: list[str] = field(default_factory=list)
    """Titles of the tabs; empty for a single one."""
    tab: int = 0
    events: list[str] = field(default_factory=list)
    """Dialogs, new tabs and the like since the look before, in words."""

    def element(self, number: int) -> dict[str, Any] | None:
        """The entry of an element."""
        return next((one for one in self.elements if one["number"] == number), None)


class Session:
    """A context with its tabs. Made by `open`, ended by `close`."""

    def __init__(self, browser: Browser, gate: Gate, view: View, *, virtual: bool) -> None:
        self.browser, self.gate, self.view, self.virtual = browser, gate, view, virtual
        self.tabs: list[Tab] = []
        self.active = 0
        self.used = 0
        """Episodes that were begun in it."""
        self.anew = False
        """Whether the next look numbers the elements anew."""
        self.events: list[str] = []
        self.answer_next: tuple[bool, str] | None = None
        """How the next confirmation or prompt is answered; by default it is accepted as it stands."""
        self.files: dict[str, bytes] = {}
        """What may be uploaded, by name."""
        self._context: BrowserContext | None = None
        self._identity = ""
        self._words = ""
        self._opening: set[asyncio.Task[None]] = set()
        self._asked = self._made = 0  # windows in this step: of noopener links the browser makes one some time later
        self._coming = 0  # pages that were opened and cannot be used yet
        self._making = False
        self._parking: asyncio.Future[None] | None = None
        self._taking = 0
        self._windows = 0
        self._arrived = asyncio.Event()
        self._dialogs = 0
        self._uploads: Path | None = None

    @classmethod
    async def open(cls, browser: Browser, gate: Gate, view: View, *, virtual: bool = True, seed: int = 0) -> Session:
        """A new context with one empty tab. ``seed`` fixes the random numbers of its pages."""
        session = cls(browser, gate, view, virtual=virtual and browser.able.virtual_time)
        proxy = await gate.open()
        session._context, session._identity = await browser.context(
            viewport={"width": view.width, "height": view.height},
            proxy={"server": proxy, "bypass": "<-loopback>"},
            service_workers="block",
            accept_downloads=False,
            locale="en-US",
            timezone_id="UTC",
            color_scheme="light",
        )
        marks = {"mark": f"m{secrets.token_hex(8)}", "ask": f"a{secrets.token_hex(8)}"}
        session._words = json.dumps(marks)
        hooks = script("hooks.js").replace("__WORDS__", session._words).replace("__SEED__", str(seed))
        await session._context.add_init_script(hooks)
        await browser.watch(session._identity, session._expect)
        session._context.on("page", session._opened)
        await session.new_tab()
        return session

    @property
    def tab(self) -> Tab:
        """The tab that is looked at."""
        return self.tabs[self.active]

    @property
    def sound(self) -> bool:
        """Whether it can be used for another episode: the browser lives, and there is one tab, not worn out.

        After some hundred thousand messages Chromium was seen to answer movements of the pointer once a second.
        """
        worn = self.used >= _MOST_EPISODES
        return self.browser.alive and len(self.tabs) == 1 and not self.tab.failed and not worn

    @property
    def context(self) -> BrowserContext:
        """Playwright's context, for those who need all of it."""
        assert self._context is not None
        return self._context

    async def new_tab(self) -> None:
        """Open an empty tab and turn to it. Raises `ActionError` where there are too many."""
        if len(self.tabs) >= _MOST_TABS:
            raise ActionError(f"There are {_MOST_TABS} tabs already; close one first.")
        self.context.remove_listener("page", self._opened)
        self._making = True
        try:
            page = await self.browser.page(self.context, self._identity, self.view.width, self.view.height)
        finally:
            self._making = False
            self.context.on("page", self._opened)
        await self._take(page)

    async def close_tab(self) -> None:
        """Close the present tab and turn to the one before. Raises `ActionError` for the only one."""
        if len(self.tabs) == 1:
            raise ActionError("This is the only tab; it cannot be closed.")
        tab = self.tabs.pop(self.active)
        self.active = max(0, self.active - 1)
        await tab.close()

    def _expect(self) -> None:
        if self._making:
            return
        self._made += 1
        self._coming += 1
        self._windows += 1
        if self._windows > _MOST_WINDOWS:
            for tab in self.tabs:
                tab.fail(f"the page opened more than {_MOST_WINDOWS} tabs at once")

    def _ask(self) -> None:
        self._asked += 1

    def _opened(self, page: Page) -> None:
        """Playwright tells of a page that another opened."""
        task = asyncio.ensure_future(self._pop_up(page))
        self._opening.add(task)
        task.add_done_callback(self._opening.discard)

    async def _pop_up(self, page: Page) -> None:
        from playwright.async_api import Error

        try:
            if len(self.tabs) + self._taking >= _MOST_TABS:
                self._note("the page tried to open another tab, which was closed: there are too many")
                await page.close()
                return
            self._taking += 1
            try:
                await self._take(page)
            finally:
                self._taking -= 1
            self._note("a new tab was opened")
        except (Error, PageFailure) as error:
            self._note(f"a new tab could not be opened: {str(error).splitlines()[0][:100]}")
        finally:
            self._coming = max(0, self._coming - 1)
            self._arrived.set()

    async def _take(self, page: Page) -> None:
        channel = await self.browser.channel(page)
        tab = Tab(self.browser, page, channel, self._words, virtual=self.virtual)
        page.on("dialog", lambda dialog: self._dialog(tab, dialog))
        channel.on("Page.windowOpen", lambda _: self._ask())
        await tab.start(EPOCH)
        self.tabs.append(tab)
        self.active = len(self.tabs) - 1

    def _dialog(self, tab: Tab, dialog: Dialog) -> None:
        task = asyncio.ensure_future(self._answer(tab, dialog))
        self._opening.add(task)
        task.add_done_callback(self._opening.discard)

    async def _answer(self, tab: Tab, dialog: Dialog) -> None:
        from playwright.async_api import Error

        self._dialogs += 1
        if self._dialogs > _MOST_DIALOGS:
            tab.fail(f"the page opened more than {_MOST_DIALOGS} dialogs at once")
            return
        accept, text = True, dialog.default_value
        if dialog.type in ("confirm", "prompt") and self.answer_next is not None:
            (accept, given), self.answer_next = self.answer_next, None
            text = given or text
        shown = (letter if letter.isprintable() else " " for letter in dialog.message[:_SHOWN])
        words = " ".join("".join(shown).split())
        answered = ("accepted" if accept else "dismissed") + (f" with {text[:60]!r}" if accept and text else "")
        self._note(f"{dialog.type}: {words} ({answered})")
        with contextlib.suppress(Error):  # the page may have gone meanwhile
            await (dialog.accept(text) if accept else dialog.dismiss())

    def _note(self, words: str) -> None:
        if len(self.events) < _MOST_DIALOGS:
            self.events.append(words)

    async def settle(self, budget: int, deadline: float, *, draw: bool = True) -> How:
        """Let the present tab come to rest, and the one that it opened meanwhile; see `Tab.settle`."""
        settled = await self.tab.settle(budget, deadline, draw=draw)
        clock = asyncio.get_running_loop().time
        begun, turned = clock(), False
        while self._coming or self._asked > self._made:
            left = begun + (_OPENING if self._coming else _REFUSED) - clock()
            if left <= 0:
                break
            self._arrived.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._arrived.wait(), left)
                turned = True
        self._asked = self._made = 0
        self._coming = 0
        if self._drop_closed() or turned:
            return await self.tab.settle(budget, deadline)
        return settled

    def _drop_closed(self) -> bool:
        """Forget tabs that their pages closed; True where the present one was among them."""
        if len(self.tabs) == 1 or not any(tab.page.is_closed() for tab in self.tabs):
            return False
        present = self.tab
        kept = [tab for tab in self.tabs if not tab.page.is_closed()]
        if not kept:
            return False
        self.tabs = kept
        self.active = kept.index(present) if present in kept else len(kept) - 1
        self._note("a tab was closed")
        return present not in kept

    async def look(self, *, picture: bool = False) -> tuple[Look, bytes]:
        """See the present tab, with a picture (PNG) if asked for; what happened since the look before is told once."""
        options = self.view.options_for_page() | {"anew": self.anew}
        png = b""
        if picture:
            png, seen = await self.tab.drawn("observe", options)
        else:
            seen = await self.tab.call("observe", options)
        if seen["foreign"]:
            await read_frames(self.tab, seen, options)
        self.anew = False
        self._dialogs = self._windows = 0
        events, self.events = self.events, []
        titles = [tab.page.url for tab in self.tabs] if len(self.tabs) > 1 else []
        look = Look(
            text=seen["text"],
            elements=seen["elements"],
            url=seen["url"],
            title=seen["title"],
            truncated=seen["truncated"],
            quiet=seen["quiet"] and not seen["moving"],
            scroll=seen["scroll"],
            scrollers=seen["scrollers"],
            sign=seen["sign"],
            tabs=titles,
            tab=self.active,
            events=events,
        )
        return look, png

    def park(self) -> None:
        """Begin to move the pointer out of the way; `parked` waits for that."""
        away = {"x": self.view.width - 1, "y": self.view.height - 1}
        if self.tab.at != (away["x"], away["y"]):  # a press delivers the movement at once
            events = ({"type": "mouseMoved", **away}, {"type": "mouseReleased", "button": "left", **away})
            self._parking = unheeded(asyncio.ensure_future(self.tab.pointer(*events)))

    async def parked(self) -> None:
        """Have the pointer out of the way."""
        if self._parking is None:
            self.park()
        work, self._parking = self._parking, None
        if work is not None:
            await work

    def uploads(self, names: list[str]) -> list[str]:
        """Paths of the task's files ``names``, where the browser may read them. Raises `ActionError`."""
        for name in names:
            if name not in self.files:
                known = ", ".join(map(repr, self.files)) or "there are none"
                raise ActionError(f"The task has no file {name[:60]!r}. Its files: {known}.")
        if self._uploads is None:
            self._uploads = self.browser.folder / f"uploads-{secrets.token_hex(4)}"
            self._uploads.mkdir()
            for name, content in self.files.items():
                (self._uploads / Path(name).name).write_bytes(content)
            if os.geteuid() == 0 and self.browser.able.unprivileged:
                for path in (self._uploads, *self._uploads.iterdir()):
                    os.chown(path, NOBODY, NOBODY)
        return [str(self._uploads / Path(name).name) for name in names]

    async def cookies(self) -> list[dict[str, Any]]:
        """Every cookie of the context."""
        return sorted((dict(cookie) for cookie in await self.context.cookies()), key=str)

    async def set_cookies(self, cookies: list[Any]) -> None:
        """Put these in the place of all cookies."""
        await self.context.clear_cookies()
        await self.context.add_cookies(cookies)

    async def close(self) -> None:
        """Close everything; a browser that has gone is no obstacle."""
        for task in self._opening:
            task.cancel()
        await self.browser.watch(self._identity, None)
        for tab in self.tabs:
            tab.fail("the session was closed")
        if self._context is not None:
            with contextlib.suppress(Exception):
                await asyncio.wait_for(self._context.close(), _CLOSING)
            with contextlib.suppress(TimeoutError):
                await self.browser.dispose(self._identity)
        await self.gate.close()
        if self._uploads is not None:
            shutil.rmtree(self._uploads, ignore_errors=True)
