"""Looking into pages when an episode ends, without disturbing it: locators, helpers and pictures of a task file.

Locators are JavaScript of the task file, so a task file is to be trusted like a page that one opens; they run in the
page, in a world of their own. Helpers, ``func:name("argument")``, are never run as Python: the name is looked up among
the helpers that are known, and the arguments are read as literals.
"""

from __future__ import annotations

import ast
import asyncio
import html
import inspect
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

from selfgym.envs.web.session import Session
from selfgym.envs.web.sites.site import SiteError
from selfgym.envs.web.tab import PageFailure, Tab
from selfgym.envs.web.webarena.entries import Pictures, Target

Helper = Callable[..., Any]
"""Called with the arguments of the task file, ``__page__`` as a `Tab`. A coroutine function is awaited; any other runs
in a thread, may block and cannot use the page. Gives text or a number."""
_LAST, _PAGE = "__last_url__", "__page__"
_SETTLE, _DEADLINE = 3000, 15.0  # ms of the page's time, as WebArena waits; real seconds
_NO_PAGE = ("net::ERR_ABORTED", "net::ERR_HTTP_RESPONSE_CODE_FAILURE")  # downloads, and errors without a body
_IMAGES = """[...(%s === "" ? document.images : document.querySelectorAll(%s))]
  .flatMap((one) => one.tagName === "IMG" ? [one] : [...one.querySelectorAll("img")]).map((one) => one.src)"""


async def query_text(tab: Tab, selector: str) -> str:
    """The text of the first element that fits a CSS selector, or none."""
    return str(await tab.evaluate(f"document.querySelector({json.dumps(selector)})?.textContent ?? ''"))


async def query_text_lowercase(tab: Tab, selector: str) -> str:
    """The same in small letters."""
    return (await query_text(tab, selector)).lower()


def post_url(url: str) -> str:
    """The address of a forum's post, from that of anything in it."""
    parts = urlsplit(url)
    steps = parts.path.split("/")
    if len(steps) < 4 or steps[1] != "f":
        return url
    return f"{parts.scheme}://{parts.netloc}/f/{steps[2]}/{steps[3]}/"


HELPERS: Mapping[str, Helper] = {
    "get_query_text": query_text,
    "get_query_text_lowercase": query_text_lowercase,
    "reddit_get_post_url": post_url,
}
"""The helpers that need no more than a page. Those that ask a site's API are given to `FileSource`."""


def read_call(text: str) -> tuple[str, list[Any]]:
    """Name and arguments of ``func:name("argument", __page__)``. Raises `ValueError` for anything else."""
    try:
        call = ast.parse(text.removeprefix("func:").strip(), mode="eval").body
        if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name) or call.keywords:
            raise ValueError("no call")
        arguments = [
            _PAGE if isinstance(one, ast.Name) and one.id == _PAGE else ast.literal_eval(one) for one in call.args
        ]
    except (SyntaxError, ValueError, TypeError, RecursionError, MemoryError):
        raise ValueError(f"{text!r} is not one call of a helper with literal arguments") from None
    return call.func.id, arguments


@asynccontextmanager
async def aside(session: Session) -> AsyncIterator[Tab]:
    """A tab of its own, closed afterwards; the episode's tabs, history and events stay as they are."""
    tabs, active, events = session.tabs, session.active, session.events
    session.tabs, session.events = [], []
    try:
        await session.new_tab()
        yield session.tab
    finally:
        opened = session.tabs
        session.tabs, session.active, session.events = tabs, active, events
        for tab in opened:
            await tab.close()


class Looking:
    """What an episode ended with, for one judgement."""

    def __init__(self, session: Session, url: str, helpers: Mapping[str, Helper]) -> None:
        self.session, self.url, self.helpers = session, url, helpers

    async def content(self, target: Target) -> Any:
        """What the locator of ``target`` finds: a text, or what a helper gives; empty where there is no such page."""
        async with self._place(target.url) as tab:
            if tab is None:
                return ""
            if not target.locator.strip():
                found: Any = await tab.evaluate("document.documentElement.outerHTML")
            elif target.locator.startswith("func:"):
                found = await self._help(target.locator, tab)
            else:
                found = await self._run(tab, target)
        return html.unescape(found) if isinstance(found, str) else found

    async def pictures(self, wanted: Pictures) -> tuple[bytes, ...]:
        """The pictures that ``wanted`` names, as the site gives them."""
        async with self._place(wanted.eval_image_url) as tab:
            if tab is None:
                return ()
            selector = json.dumps(wanted.eval_image_class.strip())
            found = []
            for source in await tab.evaluate(_IMAGES % (selector, selector)):
                if urlsplit(source).scheme in ("http", "https"):
                    answer = await self.session.context.request.get(source)
                    found += [await answer.body()] if answer.ok else []
            return tuple(found)

    async def _run(self, tab: Tab, target: Target) -> Any:
        """Run the JavaScript; where it fails the page is not the one that it was written for, and nothing is found."""
        try:
            for action in target.prep_actions:
                await tab.evaluate(f"(() => {action})()")
            if target.locator.startswith("lambda:"):
                call = f"(() => {{ const it = ({target.locator.removeprefix('lambda:')});"
                return await tab.evaluate(f'{call} return typeof it === "function" ? it() : it; }})()', wait=True)
            return str(await tab.evaluate(f"(() => {target.locator})()"))
        except PageFailure:
            if tab.failed:
                raise
            return ""

    async def _help(self, text: str, tab: Tab | None = None) -> Any:
        name, arguments = read_call(text)
        given = [
            tab if one == _PAGE else one.replace(_LAST, self.url) if isinstance(one, str) else one for one in arguments
        ]
        helper = self.helpers[name]
        try:
            if inspect.iscoroutinefunction(helper):
                return await helper(*given)
            return await asyncio.to_thread(helper, *given)
        except PageFailure:
            raise
        except Exception as error:
            raise SiteError(f"the helper {name} failed: {type(error).__name__}: {error}") from error

    @asynccontextmanager
    async def _place(self, url: str) -> AsyncIterator[Tab | None]:
        """The page at ``url``; None where there is none. Raises `SiteError` where the site does not answer."""
        if url == "last":
            yield self.session.tab
            return
        if url.startswith("func:"):
            url = str(await self._help(url))
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:  # a helper found nothing
            yield None
            return
        port = parts.port or (443 if parts.scheme == "https" else 80)
        if self.session.gate.allows(parts.hostname, port) is None:
            raise SiteError(
                f"the judge has to look at {url}, which is not among the hosts: add it to hosts or addresses"
            )
        async with aside(self.session) as tab:
            error = await tab.navigate(url)
            if error and error not in _NO_PAGE:
                raise SiteError(f"{url} cannot be loaded: {error}")
            await tab.settle(_SETTLE, _DEADLINE)
            status = await tab.evaluate("performance.getEntriesByType('navigation')[0]?.responseStatus ?? 0")
            if status in (502, 503, 504):
                raise SiteError(f"{url} cannot be loaded: it answers with the status {status}")
            yield None if error else tab
