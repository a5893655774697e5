"""Whether an answer, a part of a page or an address is what a task file requires, by the rules of its benchmark.

The rules are those of WebArena's and VisualWebArena's ``evaluation_harness/evaluators.py``. Where the two differ, an
entry of VisualWebArena is judged by VisualWebArena's. Words are told apart much as NLTK's ``word_tokenize`` does it.

>>> includes("5", "It costs 5, not 15.", words=True), includes("5", "It costs 15.", words=True)
(True, False)
>>> url_fits("http://a.test/list?sort=up", "GOLD in PRED", "http://a.test/list?page=2&sort=up", visual=False)
True
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import parse_qs, urlsplit

from selfgym.envs.web.webarena.entries import OR, Required, inequality

_TOLERANCE = 1e-8
_APART = re.compile(r"""\.{2,}|--|[?!;@#$%&()\[\]{}<>"\u2018\u2019\u201c\u201d«»`]|[:,](?!\d)""")
_CLITIC = re.compile(r"(?i)(?<=\w)(n't|'(?:s|m|d|ll|re|ve))\b|(?<=\w)(')(?=\s|$)|(?<!\w)(')(?=\w)")
_ABBREVIATION = re.compile(r"(?:[^\W\d]\.){2,}")


@dataclass(frozen=True, slots=True)
class Question:
    """What a judge is asked."""

    kind: Literal["meaning", "infeasible", "picture", "same picture"]
    """Whether the answer means what the reference says; whether it tells why the task cannot be done, as the reference
    does; whether what a picture shows answers ``question`` as the reference does; whether a picture is like that of
    the reference, a path or an address."""
    intent: str
    reference: str
    answer: str = ""
    question: str = ""
    pictures: tuple[bytes, ...] = ()
    """The pictures as the site gives them: PNG, JPEG and so on."""


Judge = Callable[[Question], float]
"""From 0.0 to 1.0. It is called in a thread and may block."""
Ask = Callable[[Question], Awaitable[float]]


@dataclass(frozen=True, slots=True)
class Finding:
    """How much of one requirement holds, and what to say where it does not."""

    score: float
    complaint: str


def clean(text: str) -> str:
    """Without the quotes around it, in small letters."""
    text = text.strip()
    if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"":
        text = text[1:-1]
    return text.lower()


def tokens(text: str) -> list[str]:
    """Words, numbers and signs of a text."""
    spread = _CLITIC.sub(r" \g<0> ", _APART.sub(r" \g<0> ", text))
    found = []
    for part in spread.split():
        if part.endswith(".") and len(part) > 1 and not _ABBREVIATION.fullmatch(part) and set(part) != {"."}:
            found += [part[:-1], "."]
        else:
            found.append(part)
    return found


def includes(wanted: str, text: str, *, words: bool) -> bool:
    """Whether ``wanted`` is in ``text``: as a word of its own where ``words``, else anywhere."""
    wanted, text = clean(wanted), clean(text)
    return wanted in (tokens(text) if words else text)


def fits(number: float, sign: str, bound: float) -> bool:
    """Whether an inequality holds; as published, a bound that is hit counts on either side."""
    return {
        "<=": number <= bound + _TOLERANCE,
        ">=": number >= bound - _TOLERANCE,
        "==": abs(number - bound) <= _TOLERANCE,
        "<": number < bound + _TOLERANCE,
        ">": number > bound - _TOLERANCE,
    }[sign]


def whole(given: Any) -> float | None:
    """The number that is given: any where a helper gave it, a whole one where a text did."""
    if isinstance(given, int | float) and not isinstance(given, bool):
        return float(given)
    try:
        return float(int(str(given).replace(",", "")))
    except ValueError:
        return None


def url_fits(reference: str, note: str | None, url: str, *, visual: bool) -> bool:
    """Whether an address is one of those of ``reference``; None for the benchmark's usual way of comparing.

    WebArena's ``GOLD in PRED`` wants host and path of one of them to be part of the address, and of each of their
    parameters one of their values, in any order; VisualWebArena's wants one of them to be part of it as it stands.
    """
    wanted, url = [one.rstrip("/") for one in reference.split(OR)], url.rstrip("/")
    if (note or ("EXACT" if visual else "GOLD in PRED")) == "EXACT":
        return url in wanted
    if visual:
        return any(one in url for one in wanted)
    place, parameters = _parts(url)
    values: dict[str, set[str]] = {}
    for one in wanted:
        for name, some in _parts(one)[1].items():
            values.setdefault(name, set()).update(some)
    fit = all(some & set(parameters.get(name, ())) for name, some in values.items())
    return fit and any(_parts(one)[0] in place for one in wanted)


def _parts(url: str) -> tuple[str, dict[str, list[str]]]:
    parts = urlsplit(url)
    return (parts.netloc + parts.path).rstrip("/"), parse_qs(parts.query)


async def findings(
    required: Required, given: Any, ask: Ask, *, what: str, visual: bool, page: bool, intent: str, note: str = ""
) -> list[Finding]:
    """Compare ``given``, a text or what a helper gave, with all that is required of it.

    ``what`` names it in complaints, ``page`` says that it is a part of a page, ``note`` why the task cannot be done.
    """
    text = str(given)
    found: list[Finding] = []

    def note_down(holds: bool, complaint: str) -> None:
        found.append(Finding(float(holds), f"{what} {complaint}"))

    def alone(wanted: str) -> bool:
        """Whether a text has to be a word of its own."""
        if visual:
            return len(tokens(clean(wanted))) == 1
        return not page and len(required.must_include) == 1 and len(clean(wanted)) == 1

    if required.exact_match is not None:
        note_down(clean(required.exact_match) == clean(text), f"is not {required.exact_match!r}")
    for wanted in required.must_include:
        held = any(includes(one, text, words=alone(one)) for one in wanted.split(OR))
        note_down(held, f"does not include {wanted!r}")
    for unwanted in required.must_exclude:
        held = includes(unwanted, text, words=len(tokens(clean(unwanted))) == 1)
        note_down(not held, f"includes {unwanted!r}")
    if required.one_of:
        note_down(any(clean(one) in clean(text) for one in required.one_of), f"includes none of {required.one_of}")
    for wanted in required.required_values:
        number = whole(given)
        held = number is not None and any(fits(number, *inequality(one)) for one in wanted.split(OR))
        note_down(held, f"is not {wanted}")
    found += await _meant(required, text, ask, what, intent, note, page)
    return found


async def _meant(
    required: Required, text: str, ask: Ask, what: str, intent: str, note: str, page: bool
) -> list[Finding]:
    """What a judge says of the meaning."""
    if required.fuzzy_match == "N/A" and not page:
        held = 1.0 if clean(text) == "n/a" else await ask(Question("infeasible", intent, note, text))
        return [Finding(held, f"{what} does not say why the task cannot be done")]
    found = []
    wishes = [required.fuzzy_match] if isinstance(required.fuzzy_match, str) else required.fuzzy_match
    for wish in wishes:
        ways = wish.split(OR) if page else [wish]
        held = max([await ask(Question("meaning", intent, one, text)) for one in ways]) if text else 0.0
        found.append(Finding(held, f"{what} does not mean {wish!r}"))
    return found
