"""Gnumeric's own files (gzipped XML): written for the beginning of a task, and read again to see what became of them.

They hold formulas and no results, so a formula is judged by what it comes to, with these numbers and with others.
"""

from __future__ import annotations

import gzip
import io
import re
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from selfgym.envs.desktop.mini.programs.formula import shown

Value = str | float
"""What a cell holds to begin with."""
Cells = dict[str, str]
"""What cells hold, by their names."""
_SPACE = "http://www.gnumeric.org/v10.dtd"
_LARGEST = 2**22
_NUMBER, _TEXT = 40, 60
_PRECISE = ".12g"
_AT_THE_TOP = '<gnm:Selection startCol="0" startRow="0" endCol="0" endRow="0"/>'
_REFERENCE = re.compile(r"(\$?)\b([A-Z]{1,2})(\$?)(\d{1,5})\b")


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet of a workbook."""

    cells: Cells = field(default_factory=dict)
    bold: frozenset[str] = frozenset()
    """Those of the cells that hold something and are bold."""
    formats: Mapping[str, str] = field(default_factory=dict)
    """How numbers are shown, of the cells that hold something."""


def column(number: int) -> str:
    """The letters of a column, counted from 0: A to ZZ."""
    return chr(65 + number) if number < 26 else chr(64 + number // 26) + chr(65 + number % 26)


def cells_of(rows: Sequence[Sequence[Value]]) -> Cells:
    """Rows as cells."""
    return {
        f"{column(at)}{row}": value if isinstance(value, str) else f"{value:{_PRECISE}}"
        for row, values in enumerate(rows, 1)
        for at, value in enumerate(values)
    }


def write_book(sheets: Mapping[str, Sequence[Sequence[Value]]]) -> bytes:
    """A workbook with these rows; the same bytes for the same rows."""
    names = "".join(f'<gnm:SheetName gnm:Cols="256" gnm:Rows="65536">{escape(name)}</gnm:SheetName>' for name in sheets)
    bodies = "".join(_sheet(name, rows) for name, rows in sheets.items())
    text = (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<gnm:Workbook xmlns:gnm="{_SPACE}">'
        f"<gnm:SheetNameIndex>{names}</gnm:SheetNameIndex><gnm:Sheets>{bodies}</gnm:Sheets></gnm:Workbook>\n"
    )
    return gzip.compress(text.encode(), mtime=0)


def _sheet(name: str, rows: Sequence[Sequence[Value]]) -> str:
    cells = "".join(
        f'<gnm:Cell Row="{row}" Col="{at}" ValueType="{_TEXT if isinstance(value, str) else _NUMBER}">'
        f"{escape(f'{value}')}</gnm:Cell>"
        for row, values in enumerate(rows)
        for at, value in enumerate(values)
    )
    wide = max((len(row) for row in rows), default=1) - 1
    return (
        f"<gnm:Sheet><gnm:Name>{escape(name)}</gnm:Name><gnm:MaxCol>{wide}</gnm:MaxCol>"
        f'<gnm:MaxRow>{len(rows) - 1}</gnm:MaxRow><gnm:Selections CursorCol="0" CursorRow="0">{_AT_THE_TOP}'
        f"</gnm:Selections><gnm:Cells>{cells}</gnm:Cells></gnm:Sheet>"
    )


def read_book(content: bytes) -> dict[str, Sheet]:
    """The sheets of a workbook, in their order. Raises `ValueError` where the bytes are none."""
    try:
        with gzip.open(io.BytesIO(content)) as file:
            root = ElementTree.fromstring(file.read(_LARGEST))
        return {sheet.findtext("{*}Name", ""): _read_sheet(sheet) for sheet in root.iterfind("{*}Sheets/{*}Sheet")}
    except (OSError, EOFError, zlib.error, ElementTree.ParseError, KeyError) as error:
        raise ValueError(f"it is no workbook: {error}") from None


def _read_sheet(sheet: ElementTree.Element) -> Sheet:
    cells: Cells = {}
    shared: dict[str, tuple[int, int, str]] = {}
    bold, formats = set(), {}
    regions = [(region, style) for region in sheet.iterfind("{*}Styles/{*}StyleRegion") for style in region[:1]]
    for cell in sheet.iterfind("{*}Cells/{*}Cell"):
        row, at, text = int(cell.attrib["Row"]), int(cell.attrib["Col"]), cell.text or ""
        number = cell.get("ExprID")
        if number is not None and text:
            shared[number] = (row, at, text)
        elif number is not None:  # the formula of another cell, as seen from here
            row_then, at_then, then = shared[number]
            text = _moved(then, row - row_then, at - at_then)
        if cell.get("ValueType") == str(_NUMBER):
            text = f"{float(text):{_PRECISE}}"  # Gnumeric writes 0.45 as 0.449999999999999999989
        name = f"{column(at)}{row + 1}"
        cells[name] = text
        for region, style in regions:
            if _within(region, row, at):
                font = style.find("{*}Font")
                bold |= {name} if font is not None and font.get("Bold") == "1" else set()
                formats[name] = style.get("Format", "General")
    return Sheet(cells, frozenset(bold), formats)


def _within(region: ElementTree.Element, row: int, at: int) -> bool:
    start, end = (tuple(int(region.attrib[f"{side}{what}"]) for what in ("Row", "Col")) for side in ("start", "end"))
    return start[0] <= row <= end[0] and start[1] <= at <= end[1]


def _moved(formula: str, down: int, right: int) -> str:
    """A formula with references as far away as they were; those after ``$`` stay."""

    def one(found: re.Match[str]) -> str:
        fixed, letters, still, row = found.groups()
        number = 0
        for letter in letters:
            number = number * 26 + ord(letter) - 64
        letters = letters if fixed else column(number - 1 + right)
        return f"{fixed}{letters}{still}{row if still else int(row) + down}"

    return _REFERENCE.sub(one, formula)


def book_where(right: Callable[[dict[str, Sheet]], bool]) -> Callable[[bytes], bool]:
    """A check of a file: a workbook about whose sheets something is true."""

    def check(content: bytes) -> bool:
        try:
            return right(read_book(content))
        except ValueError:
            return False

    return check


def book_with(sheets: Mapping[str, Cells]) -> Callable[[bytes], bool]:
    """A check of a file: a workbook with these sheets in this order, and exactly these cells."""
    return book_where(
        lambda book: list(book) == list(sheets) and all(book[name].cells == sheets[name] for name in sheets)
    )


def computes(cells: Cells, cell: str, inputs: Sequence[str], result: Callable[[list[float]], float]) -> bool:
    """Whether a cell holds a formula that comes to ``result`` of the inputs, and would if they were others."""
    formula = cells.get(cell, "").replace("$", "")  # whether a reference stays when it is copied makes no difference
    if not formula.startswith("="):
        return False
    for more in (0, 3, 11):
        changed = (
            cells | {cell: formula} | {one: f"{float(cells[one]) + more * at}" for at, one in enumerate(inputs, 1)}
        )
        if shown(changed, cell) != f"{result([float(changed[one]) for one in inputs]):.10g}":
            return False
    return True
