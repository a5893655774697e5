"""`selfgym/MiniWoB-v0`: the tasks of MiniWoB++ in a real browser, with a clock that only moves when the agent acts.

The pages are those of the package ``miniwob``, unchanged; an episode is begun inside the page by the pages' own
functions, after everything that an earlier episode left has been cleared.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np

from selfgym.envs.web.env import BrowserEnv
from selfgym.envs.web.gate import Address
from selfgym.envs.web.miniwob.names import FLIGHTS, PAGES
from selfgym.envs.web.miniwob.pages import HOST, path_of, serve
from selfgym.envs.web.session import Look, Session, View
from selfgym.envs.web.sites.site import Verdict
from selfgym.envs.web.tab import PageFailure
from selfgym.envs.web.task import TaskSource, WebTask

Reward = Literal["success", "raw", "original"]
_SPLITS = ("train", "valid", "test")
_ENDLESS = 10**9  # ms; a longer timer would go off at once
_RELOADED = frozenset(
    {
        *("chase-circle", "click-menu", "click-menu-2", "click-pie", "click-pie-nodelay", "drag-cube"),
        *(
            "form-sequence-3",
            "moving-items",
            "simon-says",
            "social-media",
            "stock-market",
            "use-colorwheel",
            "use-colorwheel-2",
        ),
        *FLIGHTS,  # which load a frame anew that is not waited for
    }
)
"""Pages that an episode changes for good: each of their episodes is a page of its own."""
_NOT_THE_PAGE = "#query, #reward-display, #sync-task-cover, #click-canvas"
_BEGIN = """(() => {{
  document.activeElement?.blur();
  for (const told of document.querySelectorAll("body > .ui-helper-hidden-accessible")) told.replaceChildren();
  core.wob_scores = []; core.wob_latest = "-"; WOB_EPISODE_ID = 0;
  for (const [id, text] of [["reward-last", "-"], ["reward-avg", "-"], ["episode-id", "0"]]) {{
    const shown = document.getElementById(id);
    if (shown) {{ shown.textContent = text; shown.removeAttribute("style"); }}
  }}
  Math.seedrandom({seed});
  globalThis.__selfgym_limit ??= core.EPISODE_MAX_TIME;
  core.EPISODE_MAX_TIME = {limit} ?? globalThis.__selfgym_limit;
  core.startEpisodeReal();
  for (const icon of document.querySelectorAll("#query [class*='icon-']:empty, #query .cc:empty"))
    icon.setAttribute("aria-label", icon.className === "cc" ? getComputedStyle(icon).backgroundColor
      : icon.classList[icon.classList.length - 1]);
  const told = core.getUtterance(), shown = document.getElementById("query").cloneNode(true);
  for (const icon of shown.querySelectorAll("[aria-label]")) icon.textContent = icon.getAttribute("aria-label");
  if (shown.querySelector("[aria-label]")) return shown.textContent;
  return typeof told === "string" ? told : told.utterance;
}})()"""
_RESULT = "[WOB_DONE_GLOBAL, WOB_RAW_REWARD_GLOBAL, WOB_REWARD_GLOBAL, String(WOB_REWARD_REASON ?? '')]"


class MiniWobTask(WebTask):
    """An episode of one page."""

    def __init__(self, page: str, seed: int | str, reward: Reward, limit: int | None) -> None:
        self.page, self.seed, self.reward, self.limit = page, seed, reward, limit
        self.id, self.goal = f"miniwob/{page}/{seed}", ""

    async def begin(self, session: Session) -> None:
        """Go to the page unless it is there, and begin in it."""
        tab = session.tab
        url = f"http://{HOST}{path_of(self.page)}"
        session.used += 1
        # the page itself is asked: Playwright may not know yet that it went to a place of its own, such as "#"
        if session.used == 1 or self.page in _RELOADED or await tab.evaluate("location.href") != url:
            if self.page in _RELOADED:  # a picture that was fetched before would come at once now
                await tab.send("Network.enable")
                await tab.send("Network.setCacheDisabled", cacheDisabled=True)
            await tab.navigate(url)
            await tab.settle(100, 15.0)
        if session.used > 1:  # nothing that an episode before did can be gone back to
            await asyncio.gather(session.parked(), tab.send("Page.resetNavigationHistory"))
        else:
            await session.parked()
        script = _BEGIN.format(seed=json.dumps(str(self.seed)), limit=json.dumps(self.limit))
        self._told = tab.post(script)
        session.anew = True

    async def begun(self) -> None:
        """The page has told its goal. Raises `PageFailure` where it could not begin."""
        answer = await self._told
        if "exceptionDetails" in answer:
            raise PageFailure(f"the page of {self.page} could not begin: {answer['exceptionDetails']}")
        self.goal = " ".join(str(answer["result"]["value"]).split())

    async def judge(self, session: Session, look: Look, answer: str | None) -> Verdict:
        """What the page says, once its cover shows that the episode is over."""
        if not look.sign:
            return Verdict(0.0, False, "the agent spoke instead of acting" if answer is not None else "")
        done, raw, timed, reason = await session.tab.evaluate(_RESULT, page=True)
        reward = {"success": float(raw > 0), "raw": float(raw), "original": float(timed)}[self.reward]
        return Verdict(float(raw > 0), bool(done), "" if raw > 0 else reason or "wrong", reward)


class MiniWobSource(TaskSource):
    """Draws a page of ``tasks`` and a seed for it."""

    version = "1"
    blocking = False
    reusable = True

    def __init__(self, tasks: Sequence[str], split: str | None, reward: Reward, limit: int | None) -> None:
        self.tasks, self.split, self.reward, self.limit = tuple(tasks), split, reward, limit

    def addresses(self) -> tuple[Mapping[str, Address], tuple[str, ...]]:
        """The pages, and nothing else."""
        return {HOST: serve()}, ()

    def draw(self, seed: int) -> MiniWobTask:
        """The page is drawn by the seed too, where there are several."""
        page = self.tasks[0]
        if len(self.tasks) > 1:
            page = self.tasks[int(np.random.default_rng([seed, 0x6D77]).integers(len(self.tasks)))]
        return MiniWobTask(page, seed if self.split is None else f"{self.split}:{seed}", self.reward, self.limit)


class MiniWobEnv(BrowserEnv):
    """Tasks of MiniWoB++ (Liu et al. 2018, arXiv 1802.08802).

    Args:
        task: a page (``"click-button"``), several separated by commas, a list of them, or ``"all"``.
        split: ``None`` seeds the page as Farama's and ServiceNow's packages do; ``"train"``, ``"valid"`` and ``"test"``
            draw from seeds that have nothing in common with those or each other.
        reward: ``"success"``: 1.0 where the page's reward is above 0, else 0.0; ``"raw"``: the page's reward, -1 to 1;
            ``"original"``: the same, less with the time that passed, as the pages count it.
        time_limit: ``None``: none; ``"original"``: the page's own, mostly 10 seconds; or milliseconds.
        settings: the rest, as of `BrowserEnv`.
    """

    def __init__(
        self,
        task: str | Sequence[str] = "all",
        *,
        split: str | None = None,
        reward: Reward = "success",
        time_limit: Literal["original"] | int | None = None,
        max_steps: int = 20,
        **settings: Any,
    ) -> None:
        if split not in (None, *_SPLITS):
            raise ValueError(f"there is no split {split!r}: choose train, valid, test or None")
        if reward not in ("success", "raw", "original"):
            raise ValueError(f"there is no reward {reward!r}: choose success, raw or original")
        limit = _ENDLESS if time_limit is None else None if time_limit == "original" else int(time_limit)
        source = MiniWobSource(chosen(task), split, reward, limit)
        view = View(332, 214, most=8000, drawings=True, skip=_NOT_THE_PAGE, sign="#sync-task-cover")
        super().__init__(source, view=view, max_steps=max_steps, **{"header": False, **settings})


def chosen(task: str | Sequence[str]) -> list[str]:
    """The pages that ``task`` names. Raises `ValueError` with the nearest known name."""
    from difflib import get_close_matches

    names = task.split(",") if isinstance(task, str) else list(task)
    known = (*PAGES, *FLIGHTS)
    if names == ["all"]:
        return list(PAGES)
    for name in names:
        if name not in known:
            near = get_close_matches(name, known, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise ValueError(f"MiniWoB++ has no task {name!r}.{hint}")
    return names
