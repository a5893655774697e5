"""Tasks with the calculator Galculator."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random

from selfgym.envs.desktop.actions import Action, Type
from selfgym.envs.desktop.looking import Look, find, finished, press
from selfgym.envs.desktop.real.room import Room
from selfgym.envs.desktop.real.tasks.pointing import chosen
from selfgym.envs.desktop.real.tasks.task import Task, Template

_OPENS = (("galculator",),)


def keyed(look: Look, keys: str) -> Iterator[Action]:
    """Clicks on the keys of the calculator, one for each character."""
    for key in keys:
        yield press(look, key, "toggle button")


def display(look: Look) -> str:
    """What the calculator shows."""
    _, top, _, _ = find(look, "=", "toggle button").box
    shown = [node for node in look() if node.role == "text" and node.box[1] < top]
    return shown[-1].value.partition("\n")[0]  # below it, the scientific mode names the modes


def shows(result: str) -> Callable[[Room], bool]:
    """Whether the calculator shows a number, in the end."""
    return lambda room: any(
        node.role == "text" and node.value.partition("\n")[0].strip() == result for node in room.nodes()
    )


def _product(rng: Random) -> Task:
    one, other = rng.randint(12, 98), rng.randint(12, 98)

    def play(look: Look, sign: str) -> Iterator[Action]:
        yield from keyed(look, f"{one}{sign}{other}=")
        yield finished()

    return Task(
        f"Work out {one} times {other} with the calculator and leave the result on its display.",
        _OPENS,
        lambda look: play(look, "*"),
        lambda look: play(look, "+"),
        state=shows(str(one * other)),
    )


def _chain(rng: Random) -> Task:
    """With brackets."""
    one, other, third, last = (rng.randint(11, 60) for _ in range(4))

    def play(look: Look, text: str) -> Iterator[Action]:
        yield Type(text)
        yield from keyed(look, "=")
        yield finished()

    return Task(
        f"Add {one} and {other}, multiply the sum by {third}, subtract {last}, and leave the result on the display of "
        "the calculator.",
        _OPENS,
        lambda look: play(look, f"({one}+{other})*{third}-{last}"),
        lambda look: play(look, f"{one}+{other}*{third}-{last}"),
        state=shows(str((one + other) * third - last)),
    )


def _percent(rng: Random) -> Task:
    """For the answer."""
    share, whole = rng.choice([5, 15, 35, 45]), rng.randint(3, 39) * 20

    def play(look: Look, keys: str) -> Iterator[Action]:
        yield from keyed(look, keys)
        yield finished(display(look))

    return Task(
        f"What is {share} percent of {whole}? Work it out with the calculator and answer with the number.",
        _OPENS,
        lambda look: play(look, f"{whole}*{share}/100="),
        lambda look: play(look, f"{whole}/{share}="),
        answer=str(whole * share // 100),
    )


def _memory(rng: Random) -> Task:
    """One product is kept in the memory while another is worked out."""
    one, other, third, last = (rng.randint(12, 98) for _ in range(4))

    def solution(look: Look) -> Iterator[Action]:
        yield from keyed(look, f"{one}*{other}=")
        yield from chosen(look, "MS", "save here", "AC")
        yield from keyed(look, f"{third}*{last}+")
        yield from chosen(look, "MR", f"{one * other}.000000", "=")
        yield finished()

    def mistake(look: Look) -> Iterator[Action]:
        yield from keyed(look, f"{one}*{other}+{third}*{last}=")
        yield finished()

    def right(room: Room) -> bool:
        filled = any(node.name == "MR" and "disabled" not in node.states for node in room.nodes())
        return filled and shows(str(one * other + third * last))(room)

    return Task(
        f"Work out {one} times {other} and store the result in the memory of the calculator. Then work out {third} "
        f"times {last}, add the number in the memory to it, and leave the sum on the display.",
        _OPENS,
        solution,
        mistake,
        state=right,
    )


def _copy(rng: Random) -> Task:
    """The result on the clipboard."""
    one, other = rng.randint(1001, 9989), rng.randint(1001, 9989)

    def play(look: Look, copies: bool) -> Iterator[Action]:
        yield Type(f"{one}+{other}=")
        yield from chosen(look, "Edit", "Copy Display Value" if copies else "Cut Display Value")
        if not copies:
            yield from keyed(look, "1")
            yield from chosen(look, "Edit", "Copy Display Value")
        yield finished()

    return Task(
        f"Work out the sum of {one} and {other} with the calculator and copy the result to the clipboard.",
        _OPENS,
        lambda look: play(look, True),
        lambda look: play(look, False),
        state=lambda room: (room.clipboard() or "").strip() == str(one + other),
    )


def _hexadecimal(rng: Random) -> Task:
    """In the scientific mode."""
    number = rng.randint(5000, 60000)

    def play(look: Look, base: str) -> Iterator[Action]:
        yield from chosen(look, "View", "Scientific Mode")
        yield from keyed(look, str(number))
        yield from chosen(look, "Calculator", "Number bases", base)
        yield finished()

    return Task(
        f"Have the calculator show the decimal number {number} as a hexadecimal number.",
        _OPENS,
        lambda look: play(look, "Hexadecimal"),
        lambda look: play(look, "Octal"),
        state=shows(f"{number:X}"),
    )


TEMPLATES = (
    Template("galculator-product", 1, _product, ("galculator",)),
    Template("galculator-chain", 1, _chain, ("galculator",)),
    Template("galculator-percent", 2, _percent, ("galculator",)),
    Template("galculator-memory", 2, _memory, ("galculator",)),
    Template("galculator-copy", 1, _copy, ("galculator",)),
    Template("galculator-hexadecimal", 2, _hexadecimal, ("galculator",)),
)
