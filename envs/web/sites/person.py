"""A person at a browser, as far as solutions need one: opens the page with the form, then sends the form."""

from __future__ import annotations

import re
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from selfgym.envs.web.sites.site import SiteError


@dataclass(frozen=True, slots=True)
class Post:
    """One form that is sent."""

    page: str
    """The path of the page with the form."""
    action: str = ""
    """The path that it is sent to; empty where opening the page is all, as with a form of the method GET."""
    fields: tuple[tuple[str, str], ...] = ()
    """What is filled in; the token against forged requests is taken from the page."""


_TOKEN = re.compile(r'name="(csrf\w*token|@csrf)"[^>]*\bvalue="([^"]+)"')


def perform(address: tuple[str, int], posts: Sequence[Post]) -> None:
    """Send the forms in order. Raises `SiteError` where a page has no token, `urllib.error.HTTPError` where refused."""
    base = f"http://{address[0]}:{address[1]}"
    # a solution that an environment's proxy settings send elsewhere would reach nothing
    browser = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor())
    for post in posts:
        with browser.open(base + post.page) as page:
            token = _TOKEN.search(page.read().decode())
        if not post.action:
            continue
        if token is None:
            raise SiteError(f"the page {post.page} has no form to send to {post.action}")
        form = urlencode([(token[1], token[2]), *post.fields]).encode()
        with browser.open(urllib.request.Request(base + post.action, form, {"Referer": base + post.page})) as answered:
            answered.read()
