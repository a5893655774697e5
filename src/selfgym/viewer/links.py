"""Where things are: addresses at a server, or places within one exported page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import urlencode

STEPS = 200
"""Steps of an episode on one page."""


class Links(Protocol):
    """The address of each thing; empty where it has no page."""

    def episodes(self, **filters: str) -> str:
        """The list, filtered."""

    def episode(self, id: str, step: int | None = None) -> str:
        """An episode, or one of its steps (counted from 1)."""

    def group(self, name: str) -> str:
        """The episodes of a group, as a tree where they branch."""

    def chain(self, name: str) -> str:
        """The episodes of a chain."""

    def item(self, id: str) -> str:
        """A memory item."""


@dataclass(frozen=True, slots=True)
class ServedLinks:
    """Addresses at the server: the first part is the number of the file."""

    number: int

    def episodes(self, **filters: str) -> str:
        """The list, filtered."""
        return _address(f"/{self.number}/episodes", filters)

    def episode(self, id: str, step: int | None = None) -> str:
        """An episode; a late step is on a later part of it."""
        query = {"id": id}
        if step is not None and step > STEPS:
            query["part"] = str((step - 1) // STEPS)
        return _address(f"/{self.number}/episode", query) + (f"#step-{step}" if step is not None else "")

    def group(self, name: str) -> str:
        """The episodes of a group."""
        return _address(f"/{self.number}/group", {"name": name}) if name else ""

    def chain(self, name: str) -> str:
        """The episodes of a chain."""
        return _address(f"/{self.number}/chain", {"name": name}) if name else ""

    def item(self, id: str) -> str:
        """A memory item."""
        return _address(f"/{self.number}/item", {"id": id})


@dataclass(frozen=True, slots=True)
class PageLinks:
    """Places within one page: each kind's names with their anchors."""

    anchors: Mapping[tuple[str, str], str] = field(default_factory=dict)

    def episodes(self, **filters: str) -> str:
        """The one list there is."""
        return "" if filters else "#episodes"

    def episode(self, id: str, step: int | None = None) -> str:
        """An episode of the page, or its step."""
        place = self._place("episode", id)
        return f"{place}-step-{step}" if place and step is not None else place

    def group(self, name: str) -> str:
        """A tree of the page."""
        return self._place("group", name)

    def chain(self, name: str) -> str:
        """Chains have no place of their own."""
        return ""

    def item(self, id: str) -> str:
        """An item of the page."""
        return self._place("item", id)

    def _place(self, kind: str, name: str) -> str:
        anchor = self.anchors.get((kind, name))
        return f"#{anchor}" if anchor else ""


def _address(path: str, query: Mapping[str, str]) -> str:
    given = {name: value for name, value in query.items() if value}
    return f"{path}?{urlencode(given)}" if given else path
