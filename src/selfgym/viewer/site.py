"""All files that are looked at, from one of them: what it refers to may lie in another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from selfgym.memory.library import Library
from selfgym.viewer.links import ServedLinks
from selfgym.viewer.source import Source


@dataclass(frozen=True, slots=True)
class AcrossLinks(ServedLinks):
    """Links that lead to the file in which a thing lies, this one first; empty where no file has it."""

    sources: Sequence[Source]

    def episode(self, id: str, step: int | None = None) -> str:
        """An episode, or one of its steps."""
        found = (at for at in self._order() if id in self.sources[at].store)
        return next((ServedLinks(at).episode(id, step) for at in found), "")

    def item(self, id: str) -> str:
        """A memory item."""
        libraries = ((at, self.sources[at].library) for at in self._order())
        found = (at for at, library in libraries if library is not None and id in library)
        return next((ServedLinks(at).item(id) for at in found), "")

    def _order(self) -> list[int]:
        return sorted(range(len(self.sources)), key=lambda at: at != self.number)


@dataclass(frozen=True, slots=True)
class Site:
    """The files, and which of them a page is of."""

    sources: Sequence[Source]
    number: int

    @property
    def source(self) -> Source:
        """The file of the page."""
        return self.sources[self.number]

    @property
    def links(self) -> ServedLinks:
        """Links within the file."""
        return ServedLinks(self.number)

    @property
    def across(self) -> AcrossLinks:
        """Links to whichever file has a thing."""
        return AcrossLinks(self.number, self.sources)

    @property
    def libraries(self) -> list[Library | None]:
        """The items of this file, then those of the others."""
        return [self.source.library, *(one.library for one in self.sources if one is not self.source)]

    @property
    def first_page(self) -> str:
        """Where a look at the file begins: its episodes, or its items where it has no episodes."""
        if self.source.library is not None and next(self.source.store.ids(limit=1), None) is None:
            return f"/{self.number}/items"
        return self.links.episodes()
