"""Names and lines that tasks are drawn from."""

from __future__ import annotations

from random import Random

from selfgym.envs.desktop.mini.world import HOME

_NAMES = (
    "agenda",
    "budget",
    "draft",
    "invoice",
    "letter",
    "minutes",
    "notes",
    "outline",
    "plan",
    "recipe",
    "report",
    "todo",
)
FOLDERS = ("archive", "letters", "music", "old", "private", "projects", "reports", "shared", "travel", "work")
_THINGS = (
    "apples",
    "books",
    "candles",
    "chairs",
    "cups",
    "lamps",
    "pens",
    "plates",
    "shirts",
    "tickets",
    "tools",
    "trees",
)


def file_names(rng: Random, count: int) -> list[str]:
    """Different names of text files."""
    return [f"{name}.txt" for name in rng.sample(_NAMES, count)]


def folder_names(rng: Random, count: int) -> list[str]:
    """Different names of folders."""
    return rng.sample(FOLDERS, count)


def line(rng: Random) -> str:
    """A few words."""
    return f"{rng.randrange(2, 99)} {rng.choice(_THINGS)} and {rng.randrange(2, 99)} {rng.choice(_THINGS)}"


def home(rng: Random, files: int = 3, folders: int = 2) -> tuple[dict[str, str], list[str], list[str]]:
    """A home folder: its files with their text, the names of these, and those of its folders."""
    names, inside = file_names(rng, files), folder_names(rng, folders)
    texts = {f"{HOME}/{name}": "".join(line(rng) + "\n" for _ in range(rng.randrange(2, 5))) for name in names}
    return texts | {f"{HOME}/{name}/": "" for name in inside}, names, inside


def table(rng: Random) -> tuple[dict[str, str], str, int]:
    """A home folder with one table of things and numbers: its files, the table's name, and how many rows it has."""
    rows = rng.randrange(3, 7)
    name = f"{rng.choice(['prices', 'stock', 'orders', 'scores'])}.csv"
    lines = [f"{thing},{rng.randrange(2, 99)}" for thing in rng.sample(_THINGS, rows)]
    return {f"{HOME}/{name}": "".join(f"{one}\n" for one in lines)}, name, rows


def person(rng: Random) -> dict[str, str]:
    """Somebody's name, address and city."""
    first, last = rng.choice(_FIRST), rng.choice(_LAST)
    return {"name": f"{first} {last}", "email": f"{first.lower()}@{last.lower()}.example", "city": rng.choice(_CITIES)}


_FIRST = ("Ada", "Bruno", "Chen", "Dora", "Emil", "Fatima", "Goran", "Hana", "Ivo", "Juno")
_LAST = ("Abel", "Brandt", "Costa", "Dubois", "Eriksen", "Fischer", "Garcia", "Holm")
_CITIES = ("Aarhus", "Bergen", "Cork", "Dakar", "Essen", "Fukuoka", "Graz", "Hobart")
