"""Tasks with the registration form."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from selfgym.envs.desktop.actions import Action, Click, Type
from selfgym.envs.desktop.looking import Look, find, finished, press
from selfgym.envs.desktop.mini.programs.form import COUNTRIES, FIELDS, TICKETS
from selfgym.envs.desktop.mini.tasks.task import Task, Template
from selfgym.envs.desktop.mini.tasks.words import person
from selfgym.envs.desktop.mini.world import HOME


def _filled(look: Look, record: dict[str, str]) -> Iterator[Action]:
    yield press(look, "Registration")
    for id, label in FIELDS.items():
        yield press(look, label, "entry")
        yield Type(record[id])
    yield press(look, "Choose...", "combo box")
    yield press(look, record["country"], "menu item")
    for name, role, wanted in (
        (record["ticket"], "radio button", record["ticket"] != TICKETS[0]),
        ("Send me news", "check box", record["news"] == "on"),
    ):
        if wanted:
            x, y, _, height = find(look, name, role).box
            yield Click(x + 7, y + height // 2)
    yield press(look, "Send", "push button")


def _record(rng: Random, ticket: str | None = None, news: str | None = None) -> dict[str, str]:
    return person(rng) | {
        "country": rng.choice(COUNTRIES), "ticket": ticket or rng.choice(TICKETS),
        "news": news or rng.choice(["on", "off"]),
    }  # fmt: skip


def _told(record: dict[str, str]) -> str:
    news = "with news" if record["news"] == "on" else "without news"
    return (
        f"{record['name']}, {record['email']}, of {record['city']}, {record['country']}, "
        f"with a {record['ticket'].lower()} ticket, {news}"
    )


def _one(rng: Random, ticket: str | None, news: str | None) -> Task:
    record = _record(rng, ticket, news)

    def solution(look: Look) -> Iterator[Action]:
        yield from _filled(look, record)
        yield finished()

    return Task(f"Register {_told(record)}.", solution, records=(record,))


def _plain(rng: Random) -> Task:
    return _one(rng, TICKETS[0], "off")


def _any(rng: Random) -> Task:
    return _one(rng, None, None)


def _two(rng: Random) -> Task:
    first, second = _record(rng), _record(rng)

    def solution(look: Look) -> Iterator[Action]:
        yield from _filled(look, first)
        yield press(look, "Close", "push button")
        yield press(look, "x", "push button")
        yield from _filled(look, second)
        yield finished()

    return Task(f"Register {_told(first)}; then {_told(second)}.", solution, records=(first, second))


def _from_file(rng: Random) -> Task:
    record = _record(rng, TICKETS[0], "off")
    lines = [record[id] for id in (*FIELDS, "country")]

    def solution(look: Look) -> Iterator[Action]:
        yield press(look, "Files")
        yield press(look, "guest.txt", count=2)
        read = dict(zip((*FIELDS, "country"), find(look, "Text", "text").value.splitlines(), strict=True))
        yield from _filled(look, record | read)
        yield finished()

    files = {f"{HOME}/guest.txt": "\n".join(lines)}
    words = "Register the person in guest.txt, with a standard ticket and without news."
    return Task(words, solution, files, records=(record,))


TEMPLATES = (
    Template("form-plain", 2, _plain),
    Template("form-any", 2, _any),
    Template("form-two", 3, _two),
    Template("form-from-file", 3, _from_file),
)
