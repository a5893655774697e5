"""Items as JSONL: one a line, sorted by id, so that two libraries can be compared by ``diff`` and kept under git."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from selfgym.memory.exchange.files import DamagedFileError, read_lines, write_lines
from selfgym.memory.item import Item, Taint


def export_items(items: Iterable[Item], path: Path) -> int:
    """Write items to a file, compressed if it ends in ``.gz``; their number. The same items give the same bytes."""
    return write_lines(path, (item.model_dump_json() for item in sorted(items, key=lambda item: item.id)))


def import_items(path: Path) -> Iterator[Item]:
    """The items of a file, in an order in which parents and requirements come first; all are tainted as imported.

    Raises `DamagedFileError` with the line. The log of what happened to them is not part of the file.
    """
    waiting: dict[str, Item] = {}
    for number, line in read_lines(path):
        try:
            item = Item.model_validate_json(line)
        except ValueError as error:
            raise DamagedFileError(f"{path}, line {number}: {' '.join(str(error).split())}") from None
        waiting[item.id] = item
    while waiting:
        free = [item for item in waiting.values() if not waiting.keys() & _needed(item)]
        if not free:
            raise DamagedFileError(f"{path}: the items {', '.join(sorted(waiting)[:3])} need one another")
        for item in free:
            del waiting[item.id]
            taint = tuple(sorted({*item.origin.taint, Taint.IMPORTED}))
            yield item.model_copy(update={"origin": item.origin.model_copy(update={"taint": taint})})


def _needed(item: Item) -> set[str]:
    return {*item.origin.parents, *(item.code.requires if item.code else ())}
