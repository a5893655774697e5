"""Markup that cannot be injected: text is escaped wherever it goes in, only `Html` passes as it is.

A character that cannot be seen, or that reorders what is seen (bidirectional overrides, zero-width ones, NUL, half a
surrogate pair), is shown by its number: what a log holds is to be read, not to be believed.
"""

from __future__ import annotations

import html
import unicodedata
from typing import Any

_VOID = frozenset({"meta", "link", "input", "br", "hr"})
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


class Html(str):
    """Markup, made by `tag`, `text` or `join`."""

    __slots__ = ()


def text(value: object) -> Html:
    """``value`` in words, escaped; an unseen character becomes its number in an element of class ``odd``.

    >>> text("<b>\\u202etxt")
    '&lt;b&gt;<span class="odd">U+202E</span>txt'
    """
    if isinstance(value, Html):
        return value
    return Html(_shown(html.escape(str(value)), '<span class="odd">{}</span>'))


def words(value: object) -> str:
    """``value`` for an attribute or a title, not escaped yet; an unseen character becomes its number in brackets."""
    return _shown(str(value), "[{}]")


def _shown(given: str, form: str) -> str:
    given = given.replace("\r\n", "\n")
    if given.replace("\n", "").replace("\t", "").isprintable():
        return given
    return "".join(
        form.format(f"U+{ord(letter):04X}")
        if letter not in "\n\t" and unicodedata.category(letter) in _UNSEEN
        else letter
        for letter in given
    )


def tag(name: str, /, *children: object, **attributes: Any) -> Html:
    """An element. Children are escaped unless they are `Html`; None is left out, and so is an attribute that is None
    or False. ``class_`` and ``for_`` lose their underscore, any other one becomes a hyphen.

    >>> tag("a", "x < y", href="?a=1&b=2", class_="wide", aria_current=None)
    '<a href="?a=1&amp;b=2" class="wide">x &lt; y</a>'
    """
    parts = [name]
    for key, value in attributes.items():
        if value is None or value is False:
            continue
        key = key.rstrip("_").replace("_", "-")
        parts.append(key if value is True else f'{key}="{html.escape(words(value))}"')
    opening = f"<{' '.join(parts)}>"
    return Html(opening if name in _VOID else f"{opening}{join(children)}</{name}>")


def join(children: Any, between: str = "") -> Html:
    """Children one after the other, each escaped unless it is `Html`; None is left out."""
    return Html(between.join(text(child) for child in children if child is not None))


def link(href: str, /, *children: object, **attributes: Any) -> Html:
    """A link, or its words alone where there is nowhere to go."""
    return tag("a", *children, href=href, **attributes) if href else join(children)


def table(caption: str, columns: list[Any], rows: list[list[Any]], *, numbers: tuple[int, ...] = ()) -> Html:
    """A table that scrolls by itself where the screen is narrow; its first column heads the rows. ``numbers`` are the
    columns that hold numbers.

    A column may be a name, or ``(name, class)``.
    """
    heads = [column if isinstance(column, tuple) else (column, None) for column in columns]
    classes = [
        " ".join(filter(None, (name, "num" if at in numbers else None))) or None for at, (_, name) in enumerate(heads)
    ]
    head = tag("tr", *(tag("th", name, scope="col", class_=classes[at]) for at, (name, _) in enumerate(heads)))
    body = [
        tag("tr", *(
            tag("th" if at == 0 else "td", cell, scope="row" if at == 0 else None, class_=classes[at])
            for at, cell in enumerate(row)
        ))
        for row in rows
    ]  # fmt: skip
    inner = tag("table", tag("caption", caption), tag("thead", head), tag("tbody", *body))
    return tag("div", inner, class_="scroll", tabindex="0", role="region", aria_label=caption)
