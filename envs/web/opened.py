"""`selfgym/Web-v0`: tasks on sites that run here, tasks from files, or any page that one may reach."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from selfgym.envs.web.env import BrowserEnv
from selfgym.envs.web.gate import Address
from selfgym.envs.web.session import Look, Session, View
from selfgym.envs.web.sites.installing import Package
from selfgym.envs.web.sites.site import Site, Verdict
from selfgym.envs.web.sites.source import SiteSource
from selfgym.envs.web.task import TaskSource, WebTask
from selfgym.envs.web.webarena.looking import Helper
from selfgym.envs.web.webarena.matching import Judge

SITES = {
    "shop": "selfgym.envs.web.sites.shop.shop:ShopSite",
    "tracker": "selfgym.envs.web.sites.roundup:RoundupSite",
    "forum": "selfgym.envs.web.sites.spirit:SpiritSite",
    "expenses": "selfgym.envs.web.sites.ihatemoney:IHateMoneySite",
}
"""The sites that come with selfgym, as module:Class."""
_SPLITS = ("train", "valid", "test")


class OpenTask(WebTask):
    """A page and a wish; there is no judge, so it never succeeds by itself."""

    def __init__(self, url: str, goal: str, files: Mapping[str, bytes]) -> None:
        self.id, self.url, self.goal, self.files = f"open/{url}", url, goal, files

    async def begin(self, session: Session) -> None:
        """Go there."""
        await session.tab.navigate(self.url)

    async def judge(self, session: Session, look: Look, answer: str | None) -> Verdict:
        """Ends with the agent's answer."""
        return Verdict(0.0, answer is not None, "" if answer is None else "an open-ended task has no judge")


class OpenSource(TaskSource):
    """One page, the same for every seed."""

    version = "1"

    def __init__(
        self, url: str, goal: str, hosts: Iterable[str], sites: Mapping[str, Address], files: Mapping[str, bytes]
    ) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"{url!r} is no address to begin at: write http://host/path")
        self.sites = dict(sites)
        own = parts.hostname if parts.port is None else f"{parts.hostname}:{parts.port}"
        self.hosts = tuple(hosts) or (() if parts.hostname in self.sites else (own,))
        self.task = OpenTask(url, goal, files)

    def addresses(self) -> tuple[Mapping[str, Address], tuple[str, ...]]:
        """What was given; by default the page's own host."""
        return self.sites, self.hosts

    def draw(self, seed: int) -> OpenTask:
        """The page."""
        return self.task


def sites() -> tuple[str, ...]:
    """The names of the sites that come with selfgym."""
    return tuple(SITES)


def application_of(site: str) -> Package | None:
    """What has to be installed for a site; None where nothing has."""
    module, _, name = SITES[site].partition(":")
    package = getattr(getattr(import_module(module), name), "package", None)
    return package if isinstance(package, Package) else None


def find_site(site: str | Site) -> Site:
    """A site by its name, by ``module:Class``, or itself. Raises `ValueError` with the nearest known name."""
    if isinstance(site, Site):
        return site
    target = SITES.get(site, site)
    if ":" not in target:
        from difflib import get_close_matches

        near = get_close_matches(site, SITES, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise ValueError(f"there is no site {site!r}.{hint} Known: {', '.join(SITES)}; or give module:Class")
    module, _, name = target.partition(":")
    found = getattr(import_module(module), name)()
    if not isinstance(found, Site):
        raise ValueError(f"{site!r} is no site: it does not make a {Site.__name__}")
    return found


class WebEnv(BrowserEnv):
    """A browser on a site with tasks.

    Args:
        site: ``"shop"``, ``"tracker"``, ``"forum"``, ``"expenses"``, ``module:Class``, or a `Site`.
        kinds: kinds of task of the site, as a list or separated by commas; by default all.
        split: ``"train"``, ``"valid"`` and ``"test"`` draw from seeds that have nothing in common; None from all.
        tasks: a file of tasks in WebArena's form, or a list of its entries, instead of a site.
        url, goal: a page and a wish instead of a site; nothing judges it.
        hosts: public hosts that may be reached, for ``url`` and ``tasks``; by default those where they begin.
        urls, judge, helpers, reset: for ``tasks``; see `selfgym.envs.web.taskfiles.FileSource`.
        addresses: names for servers on this machine, ``{"wiki.test": ("127.0.0.1", 8080)}``, for ``url`` and ``tasks``.
        files: what may be uploaded, by name.
        width, height: of the picture, in pixels.
        max_tokens: how long the text may be; four characters count as a token.
        depth: nesting beyond which a page is not read.
        boxes: whether the text gives the position of each element.
        settings: the rest, as of `BrowserEnv`.
    """

    def __init__(
        self,
        site: str | Site = "shop",
        *,
        kinds: str | Sequence[str] = (),
        split: str | None = None,
        tasks: str | Path | Sequence[Mapping[str, Any]] | None = None,
        url: str | None = None,
        goal: str = "Look around.",
        hosts: Iterable[str] = (),
        urls: Mapping[str, str] | None = None,
        judge: Judge | None = None,
        helpers: Mapping[str, Helper] | None = None,
        reset: Callable[[], None] | None = None,
        addresses: Mapping[str, Address] | None = None,
        files: Mapping[str, bytes] | None = None,
        width: int = 1280,
        height: int = 720,
        max_tokens: int = 4000,
        depth: int = 100,
        boxes: bool = False,
        **settings: Any,
    ) -> None:
        if split not in (None, *_SPLITS):
            raise ValueError(f"there is no split {split!r}: choose train, valid, test or None")
        if url is not None and tasks is not None:
            raise ValueError("give url or tasks, not both")
        view = View(width, height, most=4 * max_tokens, depth=depth, boxes=boxes)
        source: TaskSource
        if tasks is not None:
            from selfgym.envs.web.taskfiles import FileSource

            source = FileSource(tasks, hosts, addresses or {}, urls=urls, judge=judge, helpers=helpers, reset=reset)
        elif url is not None:
            source = OpenSource(url, goal, hosts, addresses or {}, files or {})
        else:
            wanted = kinds.split(",") if isinstance(kinds, str) else kinds
            source = SiteSource(find_site(site), wanted, split)
        super().__init__(source, view=view, **settings)
