"""Where syntax lies in a text: the character offsets behind the line and byte numbers that `ast` gives.

Only arithmetic over text; nothing here knows what a mutation is. `ast` counts columns in UTF-8 bytes and ends lines at
LF, CR and CRLF alone, so that a form feed or U+2028 inside a line does not start another.
"""

from __future__ import annotations

import ast
import re
import sys
import warnings
from bisect import bisect_right
from collections.abc import Iterator
from typing import NamedTuple

_LINE_END = re.compile(r"\r\n|\r|\n")
_TOKEN = re.compile(
    r"#[^\r\n]*|\\(?:\r\n|\r|\n)|\s+"  # comments, joined lines, blanks: between tokens
    r"|[^\W\d]\w*|\*\*=?|//=?|<<=?|>>=?|[<>=!:+\-*/%&|^@]=|->|.",
    re.DOTALL,
)
_BLANK = " \t\f"
BYTE_ORDER_MARK = "\ufeff"


class Token(NamedTuple):
    """An operator, bracket or word, and where it lies."""

    text: str
    start: int
    end: int


class Change(NamedTuple):
    """One mutation of a text: ``text[start:end]`` becomes ``replacement``. Offsets are characters."""

    start: int
    end: int
    replacement: str
    kind: str


def parse(source: str) -> ast.Module:
    """The syntax tree of ``source``, which may begin with a byte order mark; `ValueError` where it is not Python."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an invalid escape in somebody's string is not our caller's affair
            return ast.parse(source.removeprefix(BYTE_ORDER_MARK))
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        raise ValueError(f"this text is not Python that Python {version} can parse: {error}") from None


class SourceText:
    """A module's text with the offsets of its lines.

    >>> text = SourceText("é = [1,  # one\\n     2]\\n")
    >>> two = parse(text.text).body[0].value.elts[1]
    >>> text.span(two), text.of(two)
    ((20, 21), '2')
    """

    def __init__(self, text: str) -> None:
        self.text = text
        mark = len(BYTE_ORDER_MARK) if text.startswith(BYTE_ORDER_MARK) else 0
        self._starts = [mark, *(match.end() for match in _LINE_END.finditer(text))]
        self._all_ascii = text.isascii()

    def offset(self, line: int, column: int) -> int:
        """The character offset of byte ``column`` of line ``line`` (from 1)."""
        start = self._starts[line - 1]
        if self._all_ascii:
            return start + column
        end = self._starts[line] if line < len(self._starts) else len(self.text)
        return start + len(self.text[start:end].encode()[:column].decode())

    def span(self, node: ast.expr | ast.stmt | ast.keyword | ast.arg) -> tuple[int, int]:
        """Start and end of a node; brackets around an expression are not part of it."""
        end_line, end_column = node.end_lineno, node.end_col_offset
        assert end_line is not None
        assert end_column is not None
        return self.offset(node.lineno, node.col_offset), self.offset(end_line, end_column)

    def of(self, node: ast.expr | ast.stmt | ast.keyword | ast.arg) -> str:
        """The text of a node."""
        start, end = self.span(node)
        return self.text[start:end]

    def line(self, offset: int) -> int:
        """The number of the line (from 1) that ``offset`` lies in."""
        return max(1, bisect_right(self._starts, offset))

    def line_start(self, offset: int) -> int:
        """The offset at which the line of ``offset`` begins."""
        return self._starts[self.line(offset) - 1]

    def next_line(self, offset: int) -> int:
        """The offset at which the line after that of ``offset`` begins; the end of the text if there is none."""
        line = self.line(offset)
        return self._starts[line] if line < len(self._starts) else len(self.text)

    def indentation(self, start: int) -> str | None:
        """The blanks before ``start`` if nothing else stands before it on its line, else ``None``."""
        before = self.text[self.line_start(start) : start]
        return before if not before.strip(_BLANK) else None

    def rest_of_line(self, end: int) -> str:
        """What stands after ``end`` on its line, comment and blanks left out: empty, or another statement."""
        return self.text[end : self.next_line(end)].partition("#")[0].strip()

    def blanks_after(self, offset: int) -> int:
        """Where the blanks that begin at ``offset`` end, on the same line."""
        while self.text[offset : offset + 1] in (" ", "\t"):
            offset += 1
        return offset

    def tokens(self, start: int, end: int) -> Iterator[Token]:
        """The tokens of a stretch without strings or numbers: what lies between two neighbouring nodes."""
        for match in _TOKEN.finditer(self.text, start, end):
            if not match[0].isspace() and match[0][0] not in "#\\":
                yield Token(match[0], match.start(), match.end())

    def token(self, word: str, start: int, end: int) -> Token | None:
        """The first token ``word`` of such a stretch."""
        return next((token for token in self.tokens(start, end) if token.text == word), None)

    def close(self, end: int, brackets: int) -> int | None:
        """The end of the ``brackets`` closing brackets that follow ``end``; ``None`` if they do not follow at once."""
        for token in self.tokens(end, len(self.text)):
            if brackets == 0 or token.text != ")":
                break
            end, brackets = token.end, brackets - 1
        return end if brackets == 0 else None
