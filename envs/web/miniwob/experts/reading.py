"""Experts of tasks that read something on the page and write it down, mark it or name it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from selfgym.envs.web.miniwob.experts.scene import Expert, Scene, call
from selfgym.envs.web.miniwob.experts.steps import ordinal, part, prose, rows, submit


def _answer(scene: Scene, text: str) -> Iterator[str]:
    """Write ``text`` into the last field and submit."""
    yield call("fill", scene.all("textbox")[-1]["number"], text)
    yield submit(scene)


def find_word(scene: Scene) -> Iterator[str]:
    """The word at a place of the paragraph, without its punctuation."""
    words = " ".join(prose(scene)).split()
    yield from _answer(scene, re.sub("[^A-Za-z]", "", words[ordinal(scene.goal)]))


def _table(scene: Scene) -> dict[str, str]:
    """What stands in the two columns of the table."""
    cells = [line.split("|") for line in prose(scene) if "|" in line]
    return {key.strip(): value.strip() for key, value in cells}


def read_table(scene: Scene) -> Iterator[str]:
    """The value that the goal asks for."""
    yield from _answer(scene, _table(scene)[part("the value of (.+) into", scene.goal)[0]])


def read_table_2(scene: Scene) -> Iterator[str]:
    """Each field is named by the line before it."""
    table, label = _table(scene), ""
    for row in rows(scene):
        if isinstance(row, str):
            label = row.strip().rstrip(":")
        elif row["role"] == "textbox":
            yield call("fill", row["number"], table[label])
    yield submit(scene)


def text_transform(scene: Scene) -> Iterator[str]:
    """The letters, which the page turns one by one."""
    yield from _answer(scene, "".join(prose(scene)[0].split()))


def simple_arithmetic(scene: Scene) -> Iterator[str]:
    """The sum, difference or product of two digits."""
    left, sign, right = part(r"(\d+) ([-+x]) (\d+)", scene.text)
    a, b = int(left), int(right)
    yield from _answer(scene, str({"+": a + b, "-": a - b, "x": a * b}[sign]))


def simple_algebra(scene: Scene) -> Iterator[str]:
    """x is added to a digit, taken from it, or the digit from x."""
    left, sign, right, result = part(r"(\w+) ([-+]) (\w+) = (\d+)", scene.text)
    if sign == "+":
        answer = int(result) - int(right if left == "x" else left)
    else:
        answer = int(result) + int(right) if left == "x" else int(left) - int(result)
    yield from _answer(scene, str(answer))


def visual_addition(scene: Scene) -> Iterator[str]:
    """Count the blocks."""
    yield from _answer(scene, str(len(scene.all("graphic"))))


def scroll_text(scene: Scene) -> Iterator[str]:
    """The last word of a long text, of which the look shows the beginning and the end."""
    yield from _answer(scene, re.sub("[^A-Za-z]", "", scene.all("textbox")[0]["value"].split()[-1]))


def scroll_text_2(scene: Scene) -> Iterator[str]:
    """To the top or the bottom of the text."""
    yield call("scroll", 0, 10_000 if "bottom" in scene.goal else -10_000, scene.one("textbox"))
    yield submit(scene)


def sign_agreement(scene: Scene) -> Iterator[str]:
    """Scroll to the end and sign, unless it is only to be cancelled."""
    if "Scroll" not in scene.goal:
        yield call("click", scene.one("button", "Cancel"))
        return
    name, button = scene.quoted
    yield call("scroll", 0, 10_000, scene.one("textbox"))
    yield call("fill", scene.one("textbox", "Name"), name)
    yield call("click", scene.one("button", button))


def highlight_text(scene: Scene) -> Iterator[str]:
    """Drag over the one paragraph, which is above or below the button."""
    _, top, _, height = scene.all("button")[0]["box"]
    start, end = (64, top - 18) if top > 64 else (top + height + 18, 205)
    yield call("mouse_drag_and_drop", 8, start, 155, end)
    yield submit(scene)


def highlight_text_2(scene: Scene) -> Iterator[str]:
    """Drag over one of the paragraphs, whose heights only the page tells."""
    box = f"document.querySelectorAll('#area p')[{ordinal(scene.goal)}].getBoundingClientRect()"
    left, top, right, bottom = scene.peek(f"(({{left, top, right, bottom}}) => [left, top, right, bottom])({box})")
    yield call("mouse_drag_and_drop", left, top + 3, right, bottom - 3)
    yield submit(scene)


def identify_shape(scene: Scene) -> Iterator[str]:
    """Name the figure by what it is drawn with."""
    figure = scene.all("graphic")[0]["name"].split()[0]
    drawn = {"rect": "Rectangle", "circle": "Circle", "polygon": "Triangle"}.get(figure)
    yield call("click", scene.one("button", drawn or ("Number" if figure.isdigit() else "Letter")))


EXPERTS: dict[str, Expert] = {
    "find-word": find_word,
    "highlight-text": highlight_text,
    "highlight-text-2": highlight_text_2,
    "identify-shape": identify_shape,
    "read-table": read_table,
    "read-table-2": read_table_2,
    "scroll-text": scroll_text,
    "scroll-text-2": scroll_text_2,
    "sign-agreement": sign_agreement,
    "simple-algebra": simple_algebra,
    "simple-arithmetic": simple_arithmetic,
    "text-transform": text_transform,
    "visual-addition": visual_addition,
}
