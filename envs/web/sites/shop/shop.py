"""The shop as a site: its tasks, its data, and its server (`server`)."""

from __future__ import annotations

import hashlib
import json
import os
import random
import threading
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

from selfgym.envs.core import SnapshotError
from selfgym.envs.web.sites.shop.asking import ASKING
from selfgym.envs.web.sites.shop.beginning import first_state
from selfgym.envs.web.sites.shop.buying import BUYING
from selfgym.envs.web.sites.shop.catalogue import seeded
from selfgym.envs.web.sites.shop.errands import Errand, World, judge
from selfgym.envs.web.sites.shop.goals import TEST, VALID, split_of
from selfgym.envs.web.sites.shop.keeping import KEEPING
from selfgym.envs.web.sites.shop.server import Server
from selfgym.envs.web.sites.shop.state import State
from selfgym.envs.web.sites.shop.store import Store
from selfgym.envs.web.sites.shop.webshop import from_folder
from selfgym.envs.web.sites.site import Site, SiteError, SiteTask, Verdict

DATA_VARIABLE = "SELFGYM_WEBSHOP_DATA"
_MAGIC = b"selfgym-shop-1\n"
_DRAFTS = {**BUYING, **KEEPING, **ASKING}


class ShopSite(Site):
    """A shop after WebShop (Yao et al. 2022, arXiv 2207.01206), with one customer.

    Seeds below 500 draw products of the test split, those below 1500 of the validation split, all others of the
    training split; no product is in two. Tasks about orders, reviews and the account have the same customer in each.

    Args:
        data: a folder with WebShop's data files; ``$SELFGYM_WEBSHOP_DATA`` where it is not given, and a seeded
            catalogue of twelve thousand products where that is not set. Raises `SiteError` if they cannot be read.
    """

    name: ClassVar[str] = "shop"
    version: ClassVar[str] = "1"
    kinds: ClassVar[tuple[str, ...]] = tuple(_DRAFTS)

    def __init__(self, data: str | Path | None = None) -> None:
        data = data or os.environ.get(DATA_VARIABLE)
        self.catalogue = from_folder(data) if data else seeded()
        """What it sells."""
        self._lock = threading.RLock()
        self._start = first_state(self.catalogue)
        self._beginning = self._start.model_dump_json()
        self._store = self._fresh()
        self._server: Server | None = None

    def start(self) -> tuple[str, int]:
        """Its address; starts a thread that answers if there is none."""
        with self._lock:
            if self._server is None:
                self._server = Server(self._store, self._lock)
            return self._server.address

    def reset(self) -> None:
        """Put everything back to the beginning."""
        with self._lock:
            self._store.state = self._fresh().state

    @property
    def state(self) -> State:
        """A copy of all that the customer can change."""
        with self._lock:
            return self._store.state.model_copy(deep=True)

    def save(self) -> bytes:
        """The state: magic, SHA-256, and JSON with the name of the catalogue."""
        with self._lock:
            body = self._label() + self._store.state.model_dump_json().encode()
        return _MAGIC + hashlib.sha256(body).digest() + body

    def load(self, data: bytes) -> None:
        """Put back what `save` gave."""
        head, body = data[: len(_MAGIC) + 32], data[len(_MAGIC) + 32 :]
        if head != _MAGIC + hashlib.sha256(body).digest():
            raise SnapshotError("this is no snapshot of the shop, or it is damaged")
        if not body.startswith(self._label()):
            raise SnapshotError(
                "this snapshot belongs to another version of the shop or to other products; save it anew"
            )
        try:
            state = State.model_validate_json(body[len(self._label()) :])
        except ValueError as problem:
            raise SnapshotError(f"this snapshot of the shop cannot be read: {problem}") from None
        with self._lock:
            self._store.state = state

    def seed_in(self, split: str, seed: int) -> int:
        """The seeds of the split's products, over and over where there are few."""
        few = {"test": TEST, "valid": VALID}.get(split)
        return VALID.stop + seed if few is None else few[seed % len(few)]

    def task(self, kind: str, seed: int) -> SiteTask:
        """The instance of ``kind`` that ``seed`` draws. Raises `SiteError` where the user's data has none."""
        errand = self._errand(kind, seed)
        wanted = self._fresh()
        if errand.steps is not None:
            errand.steps(wanted)

        def look(answer: str | None) -> Verdict:
            with self._lock:
                return judge(errand, self._start, wanted.state, self._store, answer)

        return SiteTask(f"{self.name}/{kind}/{seed}", errand.text, look)

    def solution(self, task: SiteTask) -> Callable[[], str]:
        """Does the steps as the pages would."""
        _, kind, seed = task.id.split("/")
        errand = self._errand(kind, int(seed))

        def act() -> str:
            if errand.steps is not None:
                with self._lock:
                    errand.steps(self._store)
            return str(errand.answer) if errand.answer else ""

        return act

    def close(self) -> None:
        """End the server."""
        with self._lock:
            server, self._server = self._server, None
        if server is not None:
            server.close()

    def _fresh(self) -> Store:
        """A store at the beginning; parsing is quicker than copying."""
        return Store(self.catalogue, State.model_validate_json(self._beginning))

    def _errand(self, kind: str, seed: int) -> Errand:
        if kind not in _DRAFTS:
            raise ValueError(f"the site {self.name} has no kind {kind!r}; it has {', '.join(_DRAFTS)}")
        store = Store(self.catalogue, self._start)
        world = World(store, random.Random(f"shop/{kind}/{seed}"), self.catalogue.splits[split_of(seed)])
        try:
            return _DRAFTS[kind](world)
        except LookupError as problem:
            raise SiteError(f"these products allow no task of the kind {kind!r}: {problem}") from problem

    def _label(self) -> bytes:
        return json.dumps([self.name, self.version, self.catalogue.key]).encode() + b"\n"
