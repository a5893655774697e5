"""Being logged in from the start: the cookies and stored items of a storage-state file of Playwright."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from selfgym.envs.web.session import Session
from selfgym.envs.web.webarena.looking import aside

_DEADLINE = 15.0


class Item(BaseModel):
    """What a page stored under a name."""

    name: str
    value: str


class Origin(BaseModel):
    """What the pages of an origin stored."""

    origin: str
    localStorage: list[Item] = []


class Login(BaseModel):
    """A storage-state file; what else is in it (databases) is not used."""

    cookies: list[dict[str, Any]] = []
    origins: list[Origin] = []

    async def put(self, session: Session) -> None:
        """Make the session that of somebody who is logged in."""
        await session.set_cookies(self.cookies)
        for origin in self.origins:
            if origin.localStorage:
                await _store(session, origin)


def read_login(path: str, folder: Path) -> Login:
    """The file at ``path``, seen from ``folder`` or else from here. Raises `ValueError`."""
    for place in (folder / path, Path(path)):
        if place.is_file():
            try:
                return Login.model_validate_json(place.read_bytes())
            except ValidationError as error:
                first = error.errors(include_url=False)[0]
                where = ".".join(map(str, first["loc"]))
                raise ValueError(f"{place} is no storage state of Playwright: {where} {first['msg']}") from None
    raise ValueError(
        f"its storage_state {path} is neither beside the task file nor here; log in once and keep what Playwright's "
        f"context.storage_state(path=...) writes"
    )


async def _store(session: Session, origin: Origin) -> None:
    """Put ``origin.localStorage`` where the pages find it, without asking the site for anything."""
    pattern = f"{origin.origin}/**"
    await session.context.route(pattern, lambda route: route.fulfill(body="", content_type="text/html"))
    try:
        async with aside(session) as tab:
            await tab.navigate(f"{origin.origin}/")
            await tab.settle(0, _DEADLINE)
            items = json.dumps([[one.name, one.value] for one in origin.localStorage])
            await tab.evaluate(f"{items}.forEach(([name, value]) => localStorage.setItem(name, value))")
    finally:
        await session.context.unroute(pattern)
