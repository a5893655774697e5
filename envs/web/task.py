"""Where a web environment's episodes come from: a source of tasks, each begun and judged in a session."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping

from selfgym.envs.core import SnapshotError
from selfgym.envs.web.gate import Address
from selfgym.envs.web.session import Look, Session
from selfgym.envs.web.sites.site import Verdict


class WebTask(ABC):
    """One episode's task."""

    id: str
    goal: str
    files: Mapping[str, bytes] = {}
    """What may be uploaded, by name."""

    @abstractmethod
    async def begin(self, session: Session) -> None:
        """Bring the session to where the task begins; it may have been used for a task before."""

    async def begun(self) -> None:  # noqa: B027 (most have nothing left to do)
        """Called once the page has come to rest; from now on ``goal`` is known."""

    @abstractmethod
    async def judge(self, session: Session, look: Look, answer: str | None) -> Verdict:
        """How the task stands at ``look``, which was taken just now.

        ``answer`` is what the agent told the user, None as long as it has not.
        """

    def save(self) -> bytes | None:
        """The data behind the pages, to go back to; None where going back means doing it again. May block."""
        return None

    def load(self, data: bytes) -> None:
        """Put back what `save` gave. May block. Raises `SnapshotError`."""
        raise SnapshotError(f"the task {self.id} has no data to put back")


class TaskSource(ABC):
    """Draws tasks and keeps what they need, one for each environment."""

    version: str
    blocking: bool = True
    """Whether `draw` and `prepare` may take a while, so that they need a thread of their own."""
    reusable: bool = False
    """Whether a session can be used again for the next episode; else each has one of its own."""

    @abstractmethod
    def addresses(self) -> tuple[Mapping[str, Address], tuple[str, ...]]:
        """The names of servers on this machine, and the public hosts, that an episode may reach. May block."""

    @abstractmethod
    def draw(self, seed: int) -> WebTask:
        """The task of a seed. May block. Raises `ValueError` or `SiteError`."""

    def prepare(self) -> None:  # noqa: B027 (most have nothing to prepare)
        """Put the data of the sites back to where every episode begins. May block."""

    def close(self) -> None:  # noqa: B027
        """Give back what it holds. May be called twice."""
