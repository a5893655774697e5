"""Tasks on sites as the source of `selfgym/Web-v0`."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence

import numpy as np

from selfgym.envs.web.gate import Address
from selfgym.envs.web.session import Look, Session
from selfgym.envs.web.sites.site import Site, SiteTask, Verdict
from selfgym.envs.web.task import TaskSource, WebTask


class OnSite(WebTask):
    """A task on a site, begun in the browser and judged by the site's data."""

    def __init__(self, site: Site, task: SiteTask) -> None:
        self.site, self.task = site, task
        self.id, self.goal = task.id, task.goal

    async def begin(self, session: Session) -> None:
        """Go to where the task begins."""
        await session.tab.navigate(f"http://{self.site.name}.test{self.task.path}")

    def save(self) -> bytes:
        """The site's data."""
        return self.site.save()

    def load(self, data: bytes) -> None:
        """Put the site's data back."""
        self.site.load(data)

    async def judge(self, session: Session, look: Look, answer: str | None) -> Verdict:
        """What the site's judge says."""
        return self.task.judge(answer)


class SiteSource(TaskSource):
    """Draws a kind of task on a site by the seed. The site serves one episode at a time.

    ``split`` draws from seeds that other splits do not have; None draws from all.
    """

    def __init__(self, site: Site, kinds: Sequence[str] = (), split: str | None = None) -> None:
        for kind in kinds:
            if kind not in site.kinds:
                raise ValueError(
                    f"the site {site.name} has no kind of task {kind!r}: choose of {', '.join(site.kinds)}"
                )
        self.site, self.kinds, self.split = site, tuple(kinds) or site.kinds, split
        self.version = f"{site.name}.{site.version}"
        self._lock = threading.Lock()

    def addresses(self) -> tuple[Mapping[str, Address], tuple[str, ...]]:
        """The site, and nothing else."""
        return {f"{self.site.name}.test": self.site.start()}, ()

    def draw(self, seed: int) -> OnSite:
        """The task of a seed, of the data as they are at the beginning."""
        if self.split is not None:
            seed = self.site.seed_in(self.split, seed)
        kind = self.kinds[int(np.random.default_rng([seed, 0x517E]).integers(len(self.kinds)))]
        with self._lock:
            self.site.start()
            self.site.reset()
            return OnSite(self.site, self.site.task(kind, seed))

    def close(self) -> None:
        """End the site."""
        self.site.close()
