"""What a web application is to `selfgym/Web-v0`: something that answers HTTP, can be put back, and judges by its data.

A site runs on this machine, one instance for each environment, and knows nothing of browsers. The environment asks its
`address`, sends the browser there under the name ``NAME.test``, and asks a task's judge after every step. A judge looks
into the application's own database or API, never at the text of a page.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar


class SiteError(RuntimeError):
    """The application failed or is not installed: an outcome ``env_error``, never a reward. Says what to do."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a judge found."""

    score: float = 0.0
    """From 0.0 to 1.0; 1.0 is success."""
    done: bool = False
    """Whether the episode ends here; one that scores 1.0 or in which the agent has given its answer always does."""
    reason: str = ""
    """What is missing or too much, for people who look into failures; empty for success."""
    reward: float | None = None
    """The reward where it is not the score."""


@dataclass(frozen=True, slots=True)
class SiteTask:
    """One task on a site."""

    id: str
    """``site/kind/seed``."""
    goal: str
    """What to do, in words for the agent."""
    judge: Callable[[str | None], Verdict]
    """Looks into the site's data. Its argument is the agent's answer, ``None`` as long as there is none."""
    path: str = "/"
    """Where the episode begins."""


class Site(ABC):
    """A web application with tasks. Everything a judge needs of it is in its own data."""

    name: ClassVar[str]
    """Its host is ``NAME.test``."""
    version: ClassVar[str]
    """Changes whenever the same seed could give another task or another page."""
    kinds: ClassVar[tuple[str, ...]]
    """The kinds of task; a seed draws one instance of a kind."""

    @abstractmethod
    def start(self) -> tuple[str, int]:
        """The address and port on which it answers HTTP; starts it if it does not run. Raises `SiteError`."""

    @abstractmethod
    def reset(self) -> None:
        """Put all data, the clock of the application included, back to what every episode begins with."""

    @abstractmethod
    def save(self) -> bytes:
        """All data that an agent's actions can change."""

    @abstractmethod
    def load(self, data: bytes) -> None:
        """Put back what `save` gave. Raises `selfgym.envs.core.SnapshotError` for anything else, changing nothing."""

    def seed_in(self, split: str, seed: int) -> int:
        """The seed of the ``seed``-th task of a split (``train``, ``valid``, ``test``): splits have none in common."""
        return 3 * seed + ("train", "valid", "test").index(split)

    @abstractmethod
    def task(self, kind: str, seed: int) -> SiteTask:
        """The instance of ``kind`` that ``seed`` draws, of the data that `reset` lays out."""

    @abstractmethod
    def solution(self, task: SiteTask) -> Callable[[], str]:
        """For tests and demonstrations: a call that does the task through the application's data or API, as a
        person at the browser would have it end, and returns the answer to give (empty where none is wanted)."""

    @abstractmethod
    def close(self) -> None:
        """End its processes and remove its files. May be called twice."""
