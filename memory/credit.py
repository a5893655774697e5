"""Whether an item was worth showing: by chance withheld, so by chance compared.

ACE's tags and ATLAS's with-or-without are confounded: an item is shown where it fits, and where it fits differs. Here
an item on trial is withheld from some of the episodes that would have shown it, by lot; uplift is the mean reward shown
minus the mean reward withheld. What does not pay is retired (Library Drift, arXiv 2605.19576: retirement and a bounded
active set are what makes a library of skills pay; retiring too early harms).
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt

from selfgym.memory.library import Library, Standing, Status
from selfgym.memory.schema import SHOWABLE


@dataclass(frozen=True, slots=True)
class CreditConfig:
    """When an item is kept, promoted or retired."""

    withhold: float = 0.25
    """Share of its episodes that an item on trial is withheld from."""
    least_shown: int = 10
    """Closed exposures before anything is decided."""
    least_withheld: int = 3
    sure: float = 2.5
    """Standard errors that uplift must be from 0 to promote or to retire before ``patience`` ends: it is looked at
    often, so that chance has many chances."""
    sure_at_last: float = 1.64
    """The same when it ends; what does not reach it is retired."""
    patience: int = 200
    """Closed exposures that an item on trial has to prove itself: enough to see 12 points of a success near a half."""
    most_active: int = 200
    """Items on trial or active; beyond it those with the least uplift go, unproven ones last."""
    share: float = 0.2
    """Of all exposures: an origin that takes more raises the alarm."""


def draw(library: Library, ids: Sequence[str], episode: str, config: CreditConfig = CreditConfig()) -> list[str]:
    """Which of the items that were found for an episode are shown to it; the others are withheld. Both are logged.

    Only items on trial are withheld. By lot: the same episode and item fall out alike, whoever asks again.
    """
    shown = []
    with library.transaction():
        for id in ids:
            on_trial = library.standing(id).status is Status.TRIAL
            out = on_trial and _lot(f"{episode} {id}") < config.withhold
            library.log(id, "withheld" if out else "shown", episode=episode)
            if not out:
                shown.append(id)
    return shown


def _lot(text: str) -> float:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8]) / 2**64


def close(library: Library, episode: str, reward: float) -> None:
    """Credit the reward of a finished episode to every item it was shown or denied. Not for episodes lost to errors."""
    with library.transaction():
        for event in library.events(episode=episode):
            if event.what in ("shown", "withheld"):
                library.log(event.item, "reward", episode=episode, value=reward)


def error_of(standing: Standing) -> float:
    """The standard error of uplift, rewards taken as lying between 0 and 1 (an upper bound for those)."""
    share = (standing.shown_sum + 1) / (standing.shown_closed + 2)
    other = (standing.withheld_sum + 1) / (standing.withheld_closed + 2)
    return sqrt(
        share * (1 - share) / max(1, standing.shown_closed) + other * (1 - other) / max(1, standing.withheld_closed)
    )


def review(library: Library, config: CreditConfig = CreditConfig()) -> dict[str, Status]:
    """Promote what has proved itself, retire what has not and what is one too many; the changes, by item."""
    changes: dict[str, Status] = {}
    with library.transaction():
        for (id,) in library.rows("SELECT item FROM standing WHERE status = 'trial' ORDER BY seq"):
            if (status := verdict(library.standing(id), config)) is not Status.TRIAL:
                changes[id] = status
                library.move(id, status, _because(library.standing(id)))
        for id in _too_many(library, config):
            changes[id] = Status.RETIRED
            library.move(id, Status.RETIRED, f"more than {config.most_active} items: {_because(library.standing(id))}")
    if changes:
        library.tidy()
    return changes


def verdict(standing: Standing, config: CreditConfig) -> Status:
    """What should become of an item on trial."""
    uplift = standing.uplift
    if uplift is None or standing.shown_closed < config.least_shown or standing.withheld_closed < config.least_withheld:
        return Status.TRIAL
    error, ended = error_of(standing), standing.shown_closed >= config.patience
    if uplift > (config.sure_at_last if ended else config.sure) * error:
        return Status.ACTIVE
    return Status.RETIRED if ended or uplift < -config.sure * error else Status.TRIAL


def _because(standing: Standing) -> str:
    if standing.uplift is None:
        return "never compared"
    return f"uplift {standing.uplift:+.2f} over {standing.shown_closed} shown and {standing.withheld_closed} withheld"


def _too_many(library: Library, config: CreditConfig) -> list[str]:
    rows = library.rows("SELECT item FROM standing WHERE status IN (?, ?) ORDER BY seq", SHOWABLE)
    ids = [id for (id,) in rows]
    worth = {id: library.standing(id).uplift for id in ids}
    order = sorted(ids, key=lambda id: (worth[id] is None, worth[id] or 0.0))
    return order[: max(0, len(ids) - config.most_active)]


def quarantine(library: Library, id: str, why: str) -> list[str]:
    """Take out an item and everything made from it or requiring it; their ids. Purging by lineage."""
    children: dict[str, list[str]] = {}
    for item in library.items():
        for other in (*item.origin.parents, *(item.code.requires if item.code else ())):
            children.setdefault(other, []).append(item.id)
    found, waiting = [], [library.get(id).id]
    with library.transaction():
        while waiting:
            one = waiting.pop()
            if one in found:
                continue
            found.append(one)
            waiting += children.get(one, [])
            library.move(one, Status.QUARANTINED, why if one == id else f"descends from {id}: {why}")
    return found


def alarms(library: Library, config: CreditConfig = CreditConfig(), *, least: int = 50) -> Mapping[str, float]:
    """Origins whose items took more than `CreditConfig.share` of all exposures, with their shares.

    Empty below ``least`` exposures, and where there are so few origins that an equal share would be more.
    """
    rows = library.rows(
        "SELECT source, SUM(shown) FROM standing JOIN items ON items.seq = standing.seq WHERE shown > 0 GROUP BY source"
    )
    counts = Counter(dict(rows))
    total = counts.total()
    if total < least:
        return {}
    fair = max(config.share, 2 / len(counts))
    return {source: count / total for source, count in counts.items() if count > fair * total}
