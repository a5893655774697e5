"""One page of an episode: its clock, its frames, and the observer inside it.

Where the browser can, the page's clock stands still except while `settle` lets it run, so what an agent sees does not
depend on how long anybody thought. Everything waits for an event of the browser and is bounded by a deadline; nothing
sleeps.
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from selfgym.envs.web.browser import Browser
from selfgym.envs.web.wire import Channel, WireError

if TYPE_CHECKING:
    from playwright.async_api import Page

T = TypeVar("T")
How = Literal["quiet", "busy", "deadline"]
"""How an action came to rest: nothing has changed for a while; something still moves; it still loads."""
APART = 1_000_000
"""Between the numbers of elements in one frame of another origin and those in the next."""
_WORLD = "selfgym"
_DRAWING = "new Promise((done) => requestAnimationFrame(() => done(null)))"
_WATCHDOG = 0.25  # seconds after which a frame is drawn for a page that waits for one
_LOADING_SLICE = 50  # ms of the page's time at once while it loads
_AFTER_LOADING = 200  # ms of a new document's time
_ODD = 7  # ms more than asked for, so that no timer of a round length ends with a step: it might be seen or not
_QUIET = 100  # ms without a change after which a page counts as quiet
_ATTEMPTS = 3
_FRAMES = 3  # that a movement of the pointer may take to arrive
_ANSWER = 10.0  # seconds that a page may take to answer anything
_REAL_QUIET = (
    "new Promise((done) => {{ const begun = performance.now(); const look = () => "
    "performance.now() - __selfgym.changed() >= {quiet} || performance.now() - begun > {most} ? done() : "
    "setTimeout(look, 10); look(); }})"
)


class PageFailure(RuntimeError):
    """A page that crashed, hangs or has gone; the episode cannot go on."""


@lru_cache
def script(name: str) -> str:
    """A script of the folder ``page``."""
    return (Path(__file__).with_name("page") / name).read_text(encoding="utf-8")


def unheeded(work: asyncio.Future[T]) -> asyncio.Future[T]:
    """``work``, of which it may be that nobody waits for it any longer: its page was lost meanwhile."""
    work.add_done_callback(lambda lost: lost.cancelled() or lost.exception())
    return work


class Tab:
    """A page under control; `start` must be called before anything else."""

    def __init__(self, browser: Browser, page: Page, channel: Channel, words: str, *, virtual: bool) -> None:
        self._browser, self.page, self._channel, self._words = browser, page, channel, words
        self.virtual = virtual and browser.able.virtual_time
        self.main_frame = ""
        self._contexts: dict[str, int] = {}  # of our world, by frame
        self._frames: list[tuple[str, float, float]] = []  # of other origins: id and place
        self._expired = asyncio.Event()
        self._loaded = asyncio.Event()
        self._loaded.set()
        self.loads = 0
        """How often it began to load a document."""
        self._patient = True  # until a document has used up a deadline: then nothing that it fetches is waited for
        self._gone = asyncio.get_running_loop().create_future()
        self.at: tuple[float, float] | None = None
        """Where the pointer is, once it has been moved."""
        self._listen()

    def _listen(self) -> None:
        on = self._channel.on
        on("Emulation.virtualTimeBudgetExpired", lambda _: self._expired.set())
        on("Runtime.executionContextCreated", self._entered)
        on("Runtime.executionContextsCleared", lambda _: self._contexts.clear())
        on("Page.frameStartedLoading", self._starts)
        on("Page.frameStoppedLoading", self._stops)
        on("Inspector.targetCrashed", lambda _: self.fail("the page crashed"))
        self.page.on("crash", lambda _: self.fail("the page crashed"))
        self.page.on("close", lambda _: self.fail("the page was closed"))

    def _entered(self, event: dict[str, Any]) -> None:
        context = event["context"]
        if context.get("name") == _WORLD:
            self._contexts[context["auxData"]["frameId"]] = context["id"]

    def _starts(self, event: dict[str, Any]) -> None:
        if event["frameId"] == self.main_frame:
            self.loads += 1
            self._patient = True
            self._loaded.clear()

    def _stops(self, event: dict[str, Any]) -> None:
        if event["frameId"] == self.main_frame:
            self._patient = True
            self._loaded.set()

    def fail(self, why: str) -> None:
        """Everything that waits for this page, now or later, raises `PageFailure`."""
        if not self._gone.done():
            self._gone.set_exception(PageFailure(why))
            self._gone.exception()  # it may be that nobody waits

    @property
    def failed(self) -> bool:
        """Whether the page is lost."""
        return self._gone.done()

    async def start(self, epoch: float) -> None:
        """Put the observer in place and stop the clock at ``epoch`` (seconds)."""
        observer = f"globalThis.__selfgym_words = {self._words};\n{script('observer.js')}"
        world = {"source": observer, "worldName": _WORLD, "runImmediately": True}
        calls = [self.send("Page.enable"), self.send("Runtime.enable"), self.send("Page.getFrameTree")]
        if self.virtual:
            calls.append(self.send("Emulation.setVirtualTimePolicy", policy="pause", initialVirtualTime=epoch))
        _, _, tree, *_ = await asyncio.gather(*calls)
        self.main_frame = tree["frameTree"]["frame"]["id"]
        await self.send("Page.addScriptToEvaluateOnNewDocument", **world)
        if await self.evaluate("document.readyState") != "complete":  # a pop-up that is on its way
            self._loaded.clear()

    async def send(self, method: str, **parameters: Any) -> dict[str, Any]:
        """A call of the Chrome DevTools Protocol. Raises `PageFailure` where the page is lost or does not answer."""
        return await self.guard(self._channel.send(method, parameters), method)

    async def guard(self, call: Awaitable[T], what: str, seconds: float = _ANSWER) -> T:
        """Wait for ``call``, as long as the page lives and for ``seconds`` at most."""
        work = asyncio.ensure_future(call)
        await asyncio.wait({work, self._gone}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        if not work.done():
            work.cancel()
            unheeded(work)
            if not self._gone.done():
                self.fail(f"the page did not answer {what} within {seconds:.0f} seconds")
            await self._gone
        try:
            return await work
        except WireError as error:
            if self._gone.done():
                await self._gone
            raise PageFailure(f"{what}: {error}") from error

    async def evaluate(self, expression: str, *, page: bool = False, wait: bool = False) -> Any:
        """The value of an expression in our world, or in the page's own, where the page can lie."""
        for attempt in range(_ATTEMPTS):
            where = {} if page else {"contextId": await self._context()}
            try:
                answer = await self.send(
                    "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=wait, **where
                )
                break
            except PageFailure:  # a document that has just been left
                if self.failed or attempt == _ATTEMPTS - 1:
                    raise
                self._contexts.clear()
        if "exceptionDetails" in answer:
            details = answer["exceptionDetails"]
            said = str(details.get("exception", details).get("description", details))
            raise PageFailure(f"a script failed: {' '.join(said[:300].split())}")
        return answer["result"].get("value")

    async def call(self, function: str, *arguments: Any, base: int = 0) -> Any:
        """Call a function of the observer: of the one that numbered the element, where a number comes first."""
        if arguments and isinstance(arguments[0], int) and arguments[0] >= APART:
            base, number = divmod(arguments[0], APART)
            base, arguments = base * APART, (number, *arguments[1:])
        written = f"__selfgym.{function}({', '.join(json.dumps(one) for one in arguments)})"
        if not base:
            return await self.evaluate(written)
        frame, x, y = self._frames[base // APART - 1]
        context = self._contexts.get(frame)
        if context is None:
            return {"error": "gone"}
        answer = await self.send("Runtime.evaluate", expression=written, contextId=context, returnByValue=True)
        value = answer["result"].get("value")
        if isinstance(value, dict) and "x" in value:
            value |= {"x": value["x"] + x, "y": value["y"] + y}
        return value

    def frame_number(self, frame: str, x: float, y: float) -> int | None:
        """Where the numbers of a frame of another origin begin; it lies at (x, y). None while it has no document."""
        if frame not in self._contexts:
            return None
        known = [name for name, *_ in self._frames]
        place = known.index(frame) if frame in known else len(known)
        self._frames[place : place + 1] = [(frame, x, y)]
        return (place + 1) * APART

    def post(self, expression: str) -> Awaitable[dict[str, Any]]:
        """Have the page's own world evaluate an expression, before anything that is asked of it afterwards."""
        return self._channel.send("Runtime.evaluate", {"expression": expression, "returnByValue": True})

    async def drawn(self, function: str, *arguments: Any) -> tuple[bytes, Any]:
        """A picture (PNG), and what a function of the observer returns in the same frame."""
        if not self._browser.able.begin_frame:
            return await self.picture(), await self.call(function, *arguments)
        picture = await self._drawing(self.picture)
        seen = await self.call(function, *arguments)  # while the picture is made
        return await picture, seen

    async def _drawing(self, frame: Callable[[], Coroutine[Any, Any, T]]) -> asyncio.Future[T]:
        """Begin ``frame`` and return once the page has done its part of it: laid out, its scripts called."""
        asked = {"expression": _DRAWING, "awaitPromise": True, "contextId": await self._context()}
        # nobody insists on an answer: where the frame came too early for it, it comes with the next, whenever that is
        laid_out = unheeded(self._channel.send("Runtime.evaluate", asked))
        work = unheeded(asyncio.ensure_future(frame()))
        either: set[asyncio.Future[Any]] = {laid_out, work}
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if not laid_out.done() or laid_out.cancelled() or laid_out.exception():
            await work
        return work

    async def handle(self, number: int) -> str:
        """The protocol's object id of an element."""
        answer = await self.send(
            "Runtime.evaluate", expression=f"__selfgym.element({number})", contextId=await self._context()
        )
        return str(answer["result"].get("objectId", ""))

    async def _context(self) -> int:
        found = self._contexts.get(self.main_frame)
        if found is None:  # a document that was there before the observer, such as that of a pop-up
            made = await self.send("Page.createIsolatedWorld", frameId=self.main_frame, worldName=_WORLD)
            found = self._contexts[self.main_frame] = int(made["executionContextId"])
            source = f"globalThis.__selfgym_words = {self._words};\n{script('observer.js')}"
            there = "typeof __selfgym"
            known = await self.send("Runtime.evaluate", expression=there, contextId=found, returnByValue=True)
            if known["result"].get("value") != "object":
                await self.send("Runtime.evaluate", expression=source, contextId=found)
        return found

    async def settle(self, budget: int, deadline: float, *, draw: bool = True) -> How:
        """Let the page's time run for ``budget`` ms, and on while it loads; ``deadline`` bounds it, in real seconds.

        ``draw``: whether a frame is drawn first, so that transitions begin; not for a page where nothing would.
        """
        clock = asyncio.get_running_loop().time
        end = clock() + deadline
        loads, part = self.loads, budget
        if self._patient and not self._loaded.is_set():
            loads, part = -1, _LOADING_SLICE
        elif draw and self.virtual and self._browser.able.begin_frame:
            draw = not await self.call("still")
        while await self._advance(part + _ODD, max(0.1, end - clock()), draw):
            draw = True
            if self._patient and not self._loaded.is_set():
                part = _LOADING_SLICE
            elif self.loads != loads:  # a new document: it has time of its own
                loads, part = self.loads, _AFTER_LOADING
            else:
                return "quiet" if self._loaded.is_set() else "deadline"
            if clock() > end:
                break
        self._patient = False
        return "deadline"

    async def _advance(self, ms: int, seconds: float, draw: bool) -> bool:
        """Let ``ms`` of the page's time pass; False where that did not happen within ``seconds``."""
        if not self.virtual:
            return await self._real(ms, seconds)
        if ms == 0:
            return True
        self._expired.clear()
        if draw and self._browser.able.begin_frame:
            await self._drawing(self.frame)
        await self.send(
            "Emulation.setVirtualTimePolicy",
            policy="pauseIfNetworkFetchesPending" if self._patient else "advance",
            budget=ms,
            maxVirtualTimeTaskStarvationCount=5000,
        )
        clock = asyncio.get_running_loop().time
        end = clock() + seconds
        while not self._expired.is_set():
            try:
                await self.guard(asyncio.wait_for(self._expired.wait(), _WATCHDOG), "its clock")
            except TimeoutError:
                if clock() > end:
                    await self.send("Emulation.setVirtualTimePolicy", policy="pause")
                    return False
                if self._browser.able.begin_frame:
                    await self.frame()
        return True

    async def _real(self, ms: int, seconds: float) -> bool:
        try:
            if self._patient:
                await self.guard(asyncio.wait_for(self._loaded.wait(), seconds), "loading")
            await self.evaluate(_REAL_QUIET.format(quiet=_QUIET, most=ms), wait=True)
        except TimeoutError:
            return False
        return True

    async def pointer(self, *events: Mapping[str, Any]) -> None:
        """Send events of the pointer, in order and at once: fields of ``Input.dispatchMouseEvent``.

        Browsers deliver a movement with the next frame or press, so frames are drawn until all have arrived.
        """
        calls = [self._channel.send("Input.dispatchMouseEvent", dict(event)) for event in events]
        work = unheeded(asyncio.ensure_future(self.guard(asyncio.gather(*calls), "the pointer")))
        presses = events[-1]["type"] in ("mousePressed", "mouseReleased")
        frames = 0
        while self._browser.able.begin_frame and not presses and not work.done():
            await (self.frame() if frames < _FRAMES else self.picture())  # which draws even where nothing has changed
            frames += 1
            await asyncio.wait({work}, timeout=0.01)
        await work
        self.at = (events[-1]["x"], events[-1]["y"])

    async def frame(self) -> None:
        """Draw a frame: animations move on, images load."""
        async with self._browser.frames:
            await self.send("HeadlessExperimental.beginFrame")

    async def picture(self) -> bytes:
        """What the page looks like, as PNG."""
        if not self._browser.able.begin_frame:
            answer = await self.send("Page.captureScreenshot", format="png", optimizeForSpeed=True)
            return base64.b64decode(answer["data"])
        for _ in range(3):  # a page that has never been drawn has nothing to show in its first frame
            async with self._browser.frames:
                answer = await self.send(
                    "HeadlessExperimental.beginFrame", screenshot={"format": "png", "optimizeForSpeed": True}
                )
            if answer.get("screenshotData"):
                return base64.b64decode(answer["screenshotData"])
        raise PageFailure("the page does not draw itself")

    async def navigate(self, url: str) -> str:
        """Begin to go to ``url``; returns why that is impossible, or an empty text. `settle` waits for it."""
        self._patient = True
        self._loaded.clear()
        answer = await self.send("Page.navigate", url=url)
        if answer.get("errorText") or "loaderId" not in answer:  # refused, or a place on the same page
            self._loaded.set()
        return str(answer.get("errorText", ""))

    async def enter(self, entry: int) -> None:
        """Begin to go to an entry of the tab's history."""
        self._patient = True
        self._loaded.clear()
        await self.send("Page.navigateToHistoryEntry", entryId=entry)

    async def close(self) -> None:
        """Close the page."""
        self.fail("the page was closed")
        await self.page.close(run_before_unload=False)
