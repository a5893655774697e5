"""Tasks from files in the form of WebArena and VisualWebArena, for `selfgym/Web-v0`.

The agent's ``send_msg_to_user`` is their ``stop``: it ends the episode, and only then is the task judged. Saying
``report_infeasible`` is the answer ``N/A``. Seed n is the n-th entry, from 0, counted round.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from selfgym.envs.web.gate import Address
from selfgym.envs.web.session import Look, Session
from selfgym.envs.web.sites.site import SiteError, Verdict
from selfgym.envs.web.task import TaskSource, WebTask
from selfgym.envs.web.webarena.entries import Entry, Filed, read_entries
from selfgym.envs.web.webarena.login import Login, read_login
from selfgym.envs.web.webarena.looking import HELPERS, Helper, Looking, read_call
from selfgym.envs.web.webarena.matching import Finding, Judge, Question, findings, url_fits

_INFEASIBLE = "infeasible: "
_SETTLE, _DEADLINE = 500, 15.0


@dataclass(frozen=True, slots=True)
class Means:
    """What judging needs beyond the entry."""

    judge: Judge | None = None
    helpers: Mapping[str, Helper] = field(default_factory=lambda: HELPERS)


class FileTask(WebTask):
    """An entry of a task file."""

    def __init__(self, name: str, entry: Entry, folder: Path, login: Login, means: Means) -> None:
        self.id, self.entry, self.folder, self.login, self.means = name, entry, folder, login, means
        self.goal = entry.goal

    async def begin(self, session: Session) -> None:
        """Log in by what is stored, and open the pages that the episode begins with, a tab each."""
        context = session.context
        await self.login.put(session)
        if self.entry.geolocation is not None:
            await context.grant_permissions(["geolocation"])
            await context.set_geolocation(self.entry.geolocation.model_dump())  # type: ignore[arg-type]
        for number, url in enumerate(self.entry.start_urls):
            if number:
                await session.tab.settle(_SETTLE, _DEADLINE)
                await session.new_tab()
            if error := await session.tab.navigate(url):
                raise SiteError(f"{url}, where the task begins, cannot be loaded: {error}")
        if len(self.entry.start_urls) > 1:
            await session.tab.settle(_SETTLE, _DEADLINE)
            session.active = 0

    async def judge(self, session: Session, look: Look, answer: str | None) -> Verdict:
        """Nothing, until the agent has answered; then all that the entry requires."""
        if answer is None:
            return Verdict()
        answer = "N/A" if answer.startswith(_INFEASIBLE) else answer
        looking = Looking(session, look.url, self.means.helpers)
        found = [one for kind in self.entry.eval.eval_types for one in await self._found(kind, looking, answer)]
        score = 1.0
        for one in found:
            score *= one.score
        return Verdict(score, True, "; ".join(one.complaint for one in found if one.score < 1.0))

    async def _found(self, kind: str, looking: Looking, answer: str) -> list[Finding]:
        evaluation, visual, intent = self.entry.eval, self.entry.visual, self.entry.intent
        if kind == "url_match":
            fit = url_fits(str(evaluation.reference_url), evaluation.url_note, looking.url, visual=visual)
            return [Finding(float(fit), f"the episode ended at {looking.url} instead of {evaluation.reference_url}")]
        if kind == "string_match":
            assert evaluation.reference_answers is not None
            return await findings(
                evaluation.reference_answers, answer, self._ask,
                what="the answer", visual=visual, page=False, intent=intent, note=evaluation.string_note or "",
            )  # fmt: skip
        found: list[Finding] = []
        for target in evaluation.targets if kind == "program_html" else ():
            content = await looking.content(target)
            what = f"{target.locator or 'the page'} at {target.url}"
            found += await findings(
                target.required_contents, content, self._ask, what=what, visual=visual, page=True, intent=intent
            )
        for wanted in evaluation.pictures if kind == "page_image_query" else ():
            pictures = await looking.pictures(wanted)
            questions = [Question("picture", intent, one.answer, "", one.question, pictures) for one in wanted.eval_vqa]
            if like := wanted.eval_fuzzy_image_match:
                reference = like if "://" in like else str((self.folder / like).resolve())
                questions.append(Question("same picture", intent, reference, pictures=pictures))
            if not pictures:
                found.append(Finding(0.0, f"there is no picture at {wanted.eval_image_url}"))
            for one in questions if pictures else ():
                asked = one.question or "are you like " + one.reference
                found.append(Finding(await self._ask(one), f"the pictures do not answer {asked!r}"))
        return found

    async def _ask(self, question: Question) -> float:
        assert self.means.judge is not None  # the source does not draw the task without
        try:
            return float(await asyncio.to_thread(self.means.judge, question))
        except Exception as error:
            raise SiteError(f"the judge failed: {type(error).__name__}: {error}") from error


class FileSource(TaskSource):
    """Draws the entries of task files in order.

    Args:
        tasks: a file, a folder of files, or the entries themselves; see `selfgym.envs.web.webarena.entries`.
        hosts: public hosts that may be reached; by default those that the entries name.
        addresses: names for servers on this machine.
        urls: the addresses of the sites that entries call ``__SHOPPING__`` and the like, by name; else the environment
            variables ``SHOPPING`` and so on, as WebArena has them.
        judge: answers what only a reader or a viewer can; without it, entries that need it are refused when drawn.
        helpers: functions for ``func:`` in entries, by name, beside `HELPERS`.
        reset: puts the data of the sites back; called before every episode.
    """

    def __init__(
        self,
        tasks: str | Path | Sequence[Mapping[str, Any]],
        hosts: Iterable[str] = (),
        addresses: Mapping[str, Address] | None = None,
        *,
        urls: Mapping[str, str] | None = None,
        judge: Judge | None = None,
        helpers: Mapping[str, Helper] | None = None,
        reset: Callable[[], None] | None = None,
    ) -> None:
        self.entries: list[Filed] = read_entries(tasks)
        self.urls = dict(urls or {})
        self.means = Means(judge, {**HELPERS, **(helpers or {})})
        self._reset = reset
        self.sites = dict(addresses or {})
        self.hosts = tuple(hosts) or self._own_hosts()
        told = json.dumps([one.entry.model_dump() for one in self.entries]).encode()
        self.version = f"1.{blake2b(told, digest_size=6).hexdigest()}"

    def addresses(self) -> tuple[Mapping[str, Address], tuple[str, ...]]:
        """What was given; by default the hosts that the entries begin with and look at."""
        return self.sites, self.hosts

    def draw(self, seed: int) -> FileTask:
        """The entry of that number. Raises `ValueError` where something that it needs is missing."""
        filed = self.entries[seed % len(self.entries)]
        entry = filed.entry.at(self.urls)
        try:
            self._check(entry)
            login = read_login(entry.storage_state, filed.folder) if entry.storage_state else Login()
        except ValueError as error:
            raise ValueError(f"{filed.place} (task_id {entry.task_id!r}) cannot be begun: {error}") from None
        return FileTask(filed.id, entry, filed.folder, login, self.means)

    def prepare(self) -> None:
        """Put the data of the sites back, where somebody said how."""
        if self._reset is not None:
            self._reset()

    def _check(self, entry: Entry) -> None:
        """Raises `ValueError` where an episode of the entry would lack something."""
        if missing := entry.missing():
            name = missing[0]
            raise ValueError(
                f"__{name}__ has no address: give urls={{'{name}': 'http://...'}} or set the variable {name}"
            )
        for url in entry.start_urls:
            if _host(url) is None:
                raise ValueError(f"{url!r} is no address to begin at: write http://host/path")
        for call in _calls(entry):
            name, _ = read_call(call)
            if name not in self.means.helpers:
                known = ", ".join(self.means.helpers)
                raise ValueError(
                    f"it uses the helper {name}, which is not known: give helpers={{'{name}': ...}}. Known: {known}"
                )
        if self.means.judge is None and (what := _needs_judge(entry)):
            raise ValueError(f"{what} needs a judge: give judge=, a function of a Question that returns 0.0 to 1.0")

    def _own_hosts(self) -> tuple[str, ...]:
        hosts: dict[str, None] = {}
        for filed in self.entries:
            entry = filed.entry.at(self.urls)
            looked_at = [one.url for one in entry.eval.targets] + [one.eval_image_url for one in entry.eval.pictures]
            for url in (*entry.start_urls, *looked_at, *self.urls.values()):
                host = _host(url)
                if host is not None and urlsplit(url).hostname not in self.sites:
                    hosts[host] = None
        return tuple(hosts)


def _host(url: str) -> str | None:
    """The host of a web address, with its port where it has one."""
    try:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            return None
        return parts.hostname if parts.port is None else f"{parts.hostname}:{parts.port}"
    except ValueError:  # a port that is no number
        return None


def _calls(entry: Entry) -> list[str]:
    """The helpers that an entry calls."""
    texts = [text for one in entry.eval.targets for text in (one.url, one.locator)]
    return [text for text in (*texts, *(one.eval_image_url for one in entry.eval.pictures)) if text.startswith("func:")]


def _needs_judge(entry: Entry) -> str:
    """What of an entry only a judge can decide, if anything."""
    answers = entry.eval.reference_answers
    if "string_match" in entry.eval.eval_types and answers is not None and answers.fuzzy_match:
        return "fuzzy_match of the answer"
    if any(one.required_contents.fuzzy_match for one in entry.eval.targets):
        return "fuzzy_match of a page"
    return "page_image_query" if entry.eval.pictures else ""
