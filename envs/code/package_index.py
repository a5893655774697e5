"""Gets one file from the package index that pip is configured with (PEP 503), by its name and without running anything.

``pip download`` is not used: for source archives it runs each package's build code on this machine.
"""

from __future__ import annotations

import base64
import http.client
import os
import re
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
from html.parser import HTMLParser

DEFAULT_INDEX = "https://pypi.org/simple"
"""Where pip looks unless it is told otherwise."""

_MOST_PAGE_BYTES = 32 << 20


class IndexUnavailable(RuntimeError):
    """The index cannot be reached, or does not have the file. The message is one line, without any password."""


def index_url() -> str:
    """The index pip would use: ``$PIP_INDEX_URL``, else pip's configuration, else `DEFAULT_INDEX`."""
    return os.environ.get("PIP_INDEX_URL") or _configured_index() or DEFAULT_INDEX


def download_archive(project: str, filename: str, *, index: str | None = None, most_bytes: int) -> bytes:
    """The file of that name of a project, from ``index`` (default `index_url`). The caller compares the checksum.

    Raises `IndexUnavailable`: no network, no such project or file, a file above ``most_bytes``.
    """
    index = index or index_url()
    canonical = re.sub(r"[-_.]+", "-", project).lower()
    page_url = f"{index.rstrip('/')}/{canonical}/"
    page, page_url = _get(page_url, index, _MOST_PAGE_BYTES)
    links = _Links()
    links.feed(page.decode("utf-8", "replace"))
    for link in links.found:
        url = urllib.parse.urljoin(page_url, link).partition("#")[0]
        if urllib.parse.unquote(url.rpartition("/")[2]) == filename:
            return _get(url, index, most_bytes)[0]
    raise IndexUnavailable(f"{page_url} does not list {filename}")


def _configured_index() -> str | None:
    """``index-url`` of pip's configuration files; ``None`` where there is none, or no pip in this environment."""
    command = [sys.executable, "-m", "pip", "config", "list"]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    values = {}
    for line in answer.stdout.splitlines():
        key, equals, value = line.partition("=")
        if equals and key.endswith(".index-url"):
            values[key] = value.strip("'\"")
    return values.get("download.index-url") or values.get("global.index-url")


class _Links(HTMLParser):
    """Collects the addresses of a page's links."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            self.found += [value for name, value in attrs if name == "href" and value]


def _get(url: str, index: str, most_bytes: int) -> tuple[bytes, str]:
    """The contents of ``url`` and where they were found. A user and password in ``index`` go to its host only."""
    parts = urllib.parse.urlsplit(url)
    if parts.scheme not in ("http", "https"):
        raise IndexUnavailable(f"the index must be an http or https address, not {parts.scheme}:")
    bare = urllib.parse.urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
    request = urllib.request.Request(bare, headers={"User-Agent": "selfgym", "Accept": "text/html, */*;q=0.1"})
    owner = urllib.parse.urlsplit(index)
    if owner.username and owner.hostname == parts.hostname:
        login = f"{urllib.parse.unquote(owner.username)}:{urllib.parse.unquote(owner.password or '')}"
        request.add_unredirected_header("Authorization", "Basic " + base64.b64encode(login.encode()).decode())
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            data: bytes = answer.read(most_bytes + 1)
            found: str = answer.url
    except (urllib.error.URLError, http.client.HTTPException, ConnectionError, TimeoutError) as error:
        raise IndexUnavailable(f"{bare}: {getattr(error, 'reason', None) or error}") from error
    if len(data) > most_bytes:
        raise IndexUnavailable(f"{bare} is larger than {most_bytes} bytes")
    return data, found
