"""Experts of guessing, counting and waiting."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from selfgym.envs.web.miniwob.experts.scene import Expert, Scene, call
from selfgym.envs.web.miniwob.experts.steps import part, prose, rows, submit


def find_greatest(scene: Scene) -> Iterator[str]:
    """The greatest card; all are told, turned or not."""
    greatest = max(scene.all("clickable"), key=lambda card: int(card["name"]))
    yield call("click", greatest["number"])
    yield submit(scene)


def generate_number(scene: Scene) -> Iterator[str]:
    """Draw until the number is as it should be."""
    fits = _condition(scene.goal)
    shown = ""
    while not (shown.isdigit() and fits(int(shown))):
        yield call("click", scene.one("button", "Generate"))
        shown = prose(scene)[0].strip()
    yield submit(scene)


def _condition(goal: str) -> Callable[[int], bool]:
    if "odd" in goal or "even" in goal:
        return lambda number: (number % 2 == 1) == ("odd" in goal)
    word, bound = part(r"(less|greater) than (\d+)", goal)
    return lambda number: number < int(bound) if word == "less" else number > int(bound)


def guess_number(scene: Scene) -> Iterator[str]:
    """Halve what is left."""
    low, high = 0, 9
    while True:
        guess = (low + high) // 2
        yield call("fill", scene.one("spinbutton"), str(guess))
        yield submit(scene)
        low, high = (guess + 1, high) if "higher" in scene.text else (low, guess - 1)


def odd_or_even(scene: Scene) -> Iterator[str]:
    """Each number stands between its two buttons."""
    page = rows(scene)
    for before, row, after in zip(page, page[1:], page[2:], strict=False):
        if isinstance(row, str) and not isinstance(before, str) and not isinstance(after, str):
            yield call("click", (before if int(row) % 2 else after)["number"])
    yield submit(scene)


def simon_says(scene: Scene) -> Iterator[str]:
    """The buttons light up every 600 ms, 250 ms long; the first look is at 500 ms."""
    dark = {one["number"]: one["name"] for one in scene.all("button")}
    lit: list[int] = []
    yield call("noop", 200)
    while bright := [one["number"] for one in scene.all("button") if one["name"] != dark[one["number"]]]:
        lit += bright
        yield call("noop", 600)
    for number in lit:
        yield call("click", number)


def stock_market(scene: Scene) -> Iterator[str]:
    """Wait for a lower price; the 76th is that of the goal, and the page takes it too. Each is drawn as a circle."""
    limit = float(part(r"less than \$(\d+\.\d+)", scene.goal)[0])
    while float(part(r"price: \$([\d.]+)", scene.text)[0]) > limit:
        left = 75 - len(scene.all("graphic", "circle red"))  # prices that are certain to be passed, 100 ms each
        yield call("noop", min(500, max(50, 100 * left)))
    yield call("click", scene.one("button", "Buy"))


EXPERTS: dict[str, Expert] = {
    "find-greatest": find_greatest,
    "generate-number": generate_number,
    "guess-number": guess_number,
    "odd-or-even": odd_or_even,
    "simon-says": simon_says,
    "stock-market": stock_market,
}
