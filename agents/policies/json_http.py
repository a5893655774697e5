"""JSON over HTTP to one server, with the standard library alone: timeouts, and retries of what may pass."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from selfgym.agents.policies.policy import PolicyError


class Refused(PolicyError):
    """The server understood and said no; asking again would not help."""


class Server:
    """The server at ``url``; safe to use from many threads.

    A request that waits over ``timeout`` seconds, is cut off, is answered 429 or 5xx or with broken JSON is sent again,
    up to ``retries`` times, after ``pause`` seconds, then twice that, and so on. Then it raises `PolicyError`.
    """

    def __init__(self, url: str, *, api_key: str, timeout: float, retries: int, pause: float) -> None:
        self.url = url.rstrip("/").removesuffix("/v1")
        self._headers = {"Content-Type": "application/json"} | (
            {"Authorization": f"Bearer {api_key}"} if api_key else {}
        )
        self._timeout, self._retries, self._pause = timeout, retries, pause

    def get(self, path: str) -> Any:
        """What the server answers to a GET."""
        return self._send(path, None, json.loads)

    def post(self, path: str, body: dict[str, Any]) -> Any:
        """What the server answers to a POST of ``body``."""
        return self._send(path, body, json.loads)

    def tell(self, path: str, body: dict[str, Any]) -> None:
        """POST a command, once; all that matters of the answer is that it is no error."""
        self._send(path, body, lambda said: None, retries=0)

    def _send(
        self, path: str, body: dict[str, Any] | None, read: Callable[[bytes], Any], retries: int | None = None
    ) -> Any:
        data = None if body is None else json.dumps(body).encode()
        problem, retries = "", self._retries if retries is None else retries
        for attempt in range(retries + 1):
            if attempt:
                time.sleep(self._pause * 2 ** (attempt - 1))
            try:
                with urlopen(Request(self.url + path, data, self._headers), timeout=self._timeout) as reply:
                    return read(reply.read())
            except HTTPError as error:
                said = error.read().decode(errors="replace")[:500]
                problem = f"{error.code} {said or error.reason}"
                if error.code < 500 and error.code != 429:
                    raise Refused(f"the server at {self.url} refused {path}: {problem}") from error
            except (OSError, HTTPException, ValueError) as error:
                problem = f"{type(error).__name__}: {error}"
        times = f"{retries + 1} times" if retries else "once"
        raise PolicyError(f"the server at {self.url} failed {times} to answer {path}: {problem}")
