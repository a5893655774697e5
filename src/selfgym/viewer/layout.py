"""What every page has around it: a head, a way past it, the places to go, and its style."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

from selfgym.viewer.html import Html, join, tag, words


@dataclass(frozen=True, slots=True)
class Page:
    """A page before it is dressed."""

    title: str
    body: Html
    place: str = ""
    """The name of the place in the navigation that it belongs to."""
    status: int = 200
    moved_to: str = ""
    """Where the browser is sent instead."""


@cache
def asset(name: str) -> str:
    """A file of this package, as text."""
    return resources.files("selfgym.viewer").joinpath(name).read_text(encoding="utf-8")


def dressed(
    page: Page,
    places: Sequence[tuple[str, str]],
    site: str,
    *,
    files: Sequence[tuple[str, str, bool]] = (),
    alone: bool = False,
) -> str:
    """The whole document.

    ``places`` are (name, address) to go to, ``files`` all that are looked at, with their first pages and whether this
    page is of that one; ``alone``: style and script are put into it.
    """
    title = f"{page.title} · {site}"
    return "<!doctype html>\n" + tag(
        "html",
        tag(
            "head",
            tag("meta", charset="utf-8"),
            tag("meta", http_equiv="Content-Security-Policy", content=_alone_policy()) if alone else None,
            tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
            tag("meta", name="color-scheme", content="light dark"),
            tag("meta", name="referrer", content="no-referrer"),
            tag("title", words(title)),
            *_style(alone),
        ),
        tag(
            "body",
            tag("a", "Skip to content", href="#main", class_="skip"),
            tag("header", _files(site, files), _navigation(page, places), class_="top"),
            tag("main", tag("h1", page.title), page.body, id="main", tabindex="-1"),
        ),
        lang="en",
    )


def _files(site: str, files: Sequence[tuple[str, str, bool]]) -> Html:
    if len(files) < 2:
        return tag("p", site, class_="site")
    rows = [
        tag("li", tag("a", name, href=address, aria_current="true" if here else None)) for name, address, here in files
    ]
    return tag("nav", tag("ul", *rows), aria_label="Files", class_="files")


def _navigation(page: Page, places: Sequence[tuple[str, str]]) -> Html:
    rows = [
        tag("li", tag("a", name, href=address, aria_current="page" if name == page.place else None))
        for name, address in places
    ]
    return tag("nav", tag("ul", *rows), aria_label="Places")


def _style(alone: bool) -> list[Html]:
    if alone:
        return [tag("style", Html(asset("view.css"))), tag("script", Html(asset("view.js")))]
    return [tag("link", rel="stylesheet", href="/view.css"), tag("script", src="/view.js", defer=True)]


def _alone_policy() -> str:
    """Nothing is loaded, pictures are in the page, and only the style and the script of this package are heeded."""
    style, script = (
        base64.b64encode(hashlib.sha256(asset(name).encode()).digest()).decode() for name in ("view.css", "view.js")
    )
    return (
        f"default-src 'none'; style-src 'sha256-{style}'; script-src 'sha256-{script}'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )


def note(*said: object) -> Html:
    """A remark in small print."""
    return tag("p", join(said), class_="note")
