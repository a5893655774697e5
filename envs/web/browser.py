"""The browser of this process: found, started without rights and in its own sandbox where that can be, and probed.

All environments of a process share one, each with a context of its own. Where the browser supports it, frames are drawn
on demand (begin-frame control) and the clocks of pages only move when they are told to (virtual time). It ends with
the process, however that ends: Playwright's driver closes it when its pipe breaks.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import os
import shutil
import stat
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from selfgym.envs.web.background import run
from selfgym.envs.web.finding import BrowserUnavailable, find_executable
from selfgym.envs.web.wire import Channel, Wire, WireError

if TYPE_CHECKING:
    from playwright.async_api import Browser as PlaywrightBrowser
    from playwright.async_api import BrowserContext, CDPSession, Page, Playwright

NOBODY = 65534
_START = 30_000  # ms that a browser may take to start
_FRAMES_ON_DEMAND = (
    "--enable-begin-frame-control",
    "--run-all-compositor-stages-before-draw",
    "--disable-threaded-animation",
    "--disable-threaded-scrolling",
    "--disable-checker-imaging",
)
_QUIET = (
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
    "--no-pings",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-domain-reliability",
    "--disable-site-isolation-trials",  # frames of other origins stay in the process of their page, and in its clock
    "--disable-features=IsolateOrigins,site-per-process,IsolateSandboxedIframes,Translate,OptimizationHints,MediaRouter,"
    "PaintHolding,DialMediaRouteProvider,AutofillServerCommunication,HttpsUpgrades,SpareRendererForSitePerProcess,"
    # after a press timers would wait for a frame, or 50 ms of the page's time, whichever comes first by chance
    "DeferRendererTasksAfterInput",
    "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",  # names are the gate's business
    "--hide-scrollbars",
    "--disable-partial-raster",  # what was drawn before must not show in what is drawn now
    "--disable-lcd-text",
    "--font-render-hinting=none",
    "--force-color-profile=srgb",
)
_NOT_OFF = ("--disable-ipc-flooding-protection",)  # Playwright would let pages fill the history without end
EPOCH = 1_772_442_000.0
"""Seconds: when the clock of every page begins, 2026-03-02 09:00 UTC."""


@dataclass(frozen=True, slots=True)
class Abilities:
    """What a browser turned out to be able to do."""

    executable: str
    version: str
    begin_frame: bool
    virtual_time: bool
    sandboxed: bool
    """Its renderers are in Chromium's own sandbox."""
    unprivileged: bool
    """It does not run as root."""


class Browser:
    """A running browser. All its methods run on the loop of `selfgym.envs.web.background`."""

    def __init__(
        self,
        playwright: Playwright,
        browser: PlaywrightBrowser,
        control: CDPSession,
        wire: Wire,
        folder: Path,
        able: Abilities,
    ) -> None:
        self._playwright, self._browser, self._control, self._wire = playwright, browser, control, wire
        self.folder = folder
        self.able = able
        self.frames = asyncio.Lock()
        """Held around each frame: two at once bring the browser's GPU process down."""
        self._contexts = asyncio.Lock()
        self._watchers: dict[str, Callable[[], None]] = {}
        self._watching = False

    @property
    def alive(self) -> bool:
        """Whether it still answers."""
        return self._browser.is_connected()

    @property
    def contexts(self) -> int:
        """How many contexts are open."""
        return len(self._browser.contexts)

    async def context(self, **options: Any) -> tuple[BrowserContext, str]:
        """A new context, and its id in the protocol."""
        async with self._contexts:
            before = await self._context_ids()
            context = await self._browser.new_context(**options)
            [identity] = await self._context_ids() - before
        return context, identity

    async def channel(self, page: Page) -> Channel:
        """The protocol with a page, the quick way."""
        session = await page.context.new_cdp_session(page)
        info = await session.send("Target.getTargetInfo")
        await session.detach()
        return await self._wire.attach(info["targetInfo"]["targetId"])

    async def watch(self, identity: str, coming: Callable[[], None] | None) -> None:
        """Have ``coming`` called as soon as a page opens another in a context; None to stop.

        That is earlier than Playwright's own event, which waits until it can be used.
        """
        if coming is None:
            self._watchers.pop(identity, None)
            return
        if not self._watching:
            self._watching = True
            self._control.on("Target.targetCreated", self._tell)
            await self._control.send("Target.setDiscoverTargets", {"discover": True, "filter": [{"type": "page"}]})
        self._watchers[identity] = coming

    def _tell(self, event: dict[str, Any]) -> None:
        target = event["targetInfo"]
        coming = self._watchers.get(target.get("browserContextId", ""))
        if coming is not None and target["type"] == "page":
            coming()

    async def _context_ids(self) -> set[str]:
        return set((await self._control.send("Target.getBrowserContexts"))["browserContextIds"])

    async def dispose(self, identity: str) -> None:
        """End a context and all its pages, without asking Playwright, whom a page may keep busy."""
        with contextlib.suppress(WireError):  # it has gone already
            await asyncio.wait_for(self._wire.call("Target.disposeBrowserContext", {"browserContextId": identity}), 5)

    async def page(self, context: BrowserContext, identity: str, width: int, height: int) -> Page:
        """A new empty page of a context, its frames on demand where that is possible."""
        if not self.able.begin_frame:
            return await context.new_page()
        target = {"url": "about:blank", "browserContextId": identity, "width": width, "height": height}
        async with context.expect_page() as coming:
            await self._control.send("Target.createTarget", {**target, "enableBeginFrameControl": True})
        return await coming.value

    async def close(self) -> None:
        """End it and remove its folder."""
        with contextlib.suppress(Exception):  # whatever state it is in, it is to be gone
            await asyncio.wait_for(self._wire.close(), 5)
        with contextlib.suppress(Exception):
            await asyncio.wait_for(self._browser.close(), 5)
        with contextlib.suppress(Exception):
            await asyncio.wait_for(self._playwright.stop(), 5)
        shutil.rmtree(self.folder, ignore_errors=True)


_open: dict[tuple[int, str, bool], Browser] = {}  # by process, executable, and whether frames are wanted on demand
_opening: dict[int, asyncio.Lock] = {}


async def shared_browser(executable: str | None = None, *, plain: bool = False) -> Browser:
    """The browser of this process, started if there is none or the last one has gone.

    ``plain`` asks for one without begin-frame control. Raises `BrowserUnavailable`.
    """
    path = Path(executable) if executable else find_executable()
    key = (os.getpid(), str(path), plain)
    async with _opening.setdefault(os.getpid(), asyncio.Lock()):
        found = _open.get(key)
        if found is not None and not found.alive:
            await _open.pop(key).close()
            found = None
        if found is None:
            found = _open[key] = await _launch(path, plain)
            if len(_open) == 1:
                atexit.register(close_browsers)
        return found


def close_browsers() -> None:
    """End every browser of this process; the next environment starts another."""
    mine = [key for key in _open if key[0] == os.getpid()]
    for key in mine:
        run(_open.pop(key).close())


async def _launch(path: Path, plain: bool) -> Browser:
    try:
        from playwright.async_api import Error, async_playwright
    except ImportError as error:
        raise BrowserUnavailable("web environments need Playwright: pip install 'selfgym[web]'") from error
    playwright = await async_playwright().start()
    folder = Path(tempfile.mkdtemp(prefix="selfgym-web-"))
    complaint = ""
    for sandboxed, unprivileged in _ways():
        try:
            browser = await playwright.chromium.launch(
                executable_path=_wrapper(path, folder, unprivileged),
                chromium_sandbox=sandboxed,
                ignore_default_args=list(_NOT_OFF),
                args=["--remote-debugging-port=0", *_QUIET, *(() if plain else _FRAMES_ON_DEMAND)],
                env={"HOME": str(folder), "PATH": os.environ.get("PATH", ""), "LANG": "C.UTF-8", "TZ": "UTC"},
                handle_sigint=False,
                handle_sigterm=False,
                handle_sighup=False,
                timeout=_START,
            )
        except Error as error:
            complaint = str(error).splitlines()[0]
            continue
        control = await browser.new_browser_cdp_session()
        able = Abilities(str(path), browser.version, not plain, True, sandboxed, unprivileged or os.geteuid() != 0)
        wire = await Wire.open(folder / "profile")
        first = Browser(playwright, browser, control, wire, folder, able)
        begin_frame, virtual_time = await _probe(first)
        if not plain and not begin_frame:  # with its switches on and frames that nobody draws it would be of no use
            await first.close()
            return await _launch(path, plain=True)
        first.able = Abilities(**{**_fields(able), "begin_frame": begin_frame, "virtual_time": virtual_time})
        return first
    await playwright.stop()
    shutil.rmtree(folder, ignore_errors=True)
    raise BrowserUnavailable(f"{path} does not start: {complaint}")


def _fields(able: Abilities) -> dict[str, Any]:
    return {name: getattr(able, name) for name in Abilities.__slots__}


def _ways() -> Iterator[tuple[bool, bool]]:
    """(sandboxed, as nobody), the safest first."""
    if os.geteuid() == 0 and shutil.which("setpriv"):
        yield from ((True, True), (False, True))
    elif os.geteuid() != 0:
        yield True, False
    yield False, False


def _wrapper(path: Path, folder: Path, unprivileged: bool) -> str:
    """A script that starts the browser with its own profile, as nobody where that is asked for."""
    profile = folder / "profile"
    profile.mkdir(exist_ok=True)
    drop = ""
    if os.geteuid() == 0:
        owner = NOBODY if unprivileged else 0
        for place in (folder, profile):
            os.chown(place, owner, owner)
        if unprivileged:
            drop = f"setpriv --reuid={NOBODY} --regid={NOBODY} --clear-groups --no-new-privs -- "
    script = folder / ("start-unprivileged" if unprivileged else "start")
    script.write_text(f'#!/bin/sh\nexec {drop}"{path}" "$@" "--user-data-dir={profile}"\n')
    script.chmod(script.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
    return str(script)


async def _probe(browser: Browser) -> tuple[bool, bool]:
    """Whether frames can be drawn on demand, and whether clocks obey."""
    async with _scratch(browser) as session:
        frame = browser.able.begin_frame and await _answers(session.send("HeadlessExperimental.beginFrame", {}))
        spent = asyncio.Event()
        session.on("Emulation.virtualTimeBudgetExpired", lambda _: spent.set())
        grant = {"policy": "pauseIfNetworkFetchesPending", "budget": 60_000, "initialVirtualTime": EPOCH}
        obeys = await _answers(session.send("Emulation.setVirtualTimePolicy", grant)) and await _answers(spent.wait())
        return frame, obeys


@asynccontextmanager
async def _scratch(browser: Browser) -> AsyncIterator[Channel]:
    context, identity = await browser.context()
    try:
        page = await browser.page(context, identity, 100, 100)
        yield await browser.channel(page)
    finally:
        await context.close()


async def _answers(call: Any) -> bool:
    try:
        await asyncio.wait_for(call, 5)
    except (WireError, TimeoutError):
        return False
    return True
