"""Finding things by name: built-in ones, those that installed packages announce, and any at ``module:ATTRIBUTE``."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from importlib import metadata
from typing import Any


@dataclass(frozen=True, slots=True)
class Named:
    """The things of one kind. A package cannot take the name of a built-in one."""

    kind: str
    """In words: ``agent``."""
    built_in: Mapping[str, str]
    """Name -> where it is, as ``module:ATTRIBUTE``; nothing is imported before it is asked for."""
    group: str
    """The entry-point group under which packages announce theirs."""
    error: type[LookupError] = LookupError

    def names(self) -> dict[str, str]:
        """Every name, and where the thing is."""
        return {found.name: found.value for found in metadata.entry_points(group=self.group)} | {**self.built_in}

    def find(self, name: str) -> Any:
        """The thing. Raises ``error`` with the nearest known name."""
        target = self.built_in.get(name, name)
        if ":" not in target:
            known = self.names()
            if name not in known:
                near = get_close_matches(name, known, n=1)
                hint = f" Did you mean {near[0]!r}?" if near else ""
                raise self.error(
                    f"no {self.kind} is called {name!r}.{hint} Known: {', '.join(sorted(known))}; "
                    "or give module:ATTRIBUTE."
                )
            target = known[name]
        module, _, attribute = target.partition(":")
        try:
            return getattr(importlib.import_module(module), attribute)
        except (ImportError, AttributeError) as error:
            raise self.error(f"the {self.kind} {name!r} ({target}) cannot be loaded: {error}") from error
