"""Records of a data set on disk: JSON lines, gzipped or not, or one JSON array. Each comes with ``file:line``."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Record = dict[str, Any]
_BLANKS = re.compile(r"[ \t\r\n]*")


class DatasetError(ValueError):
    """A file or a record that makes no problem of its format. Its text names the file, the line and what is wrong."""


def read_records(path: Path) -> Iterator[tuple[str, Record]]:
    """The objects of a file, in order, each after where it stands (``file:line``). Raises `DatasetError`."""
    if not path.is_file():
        raise DatasetError(f"{path}: there is no such file")
    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
        try:
            for number, line in enumerate(file, 1):
                if line.lstrip().startswith(b"["):
                    yield from _array(path, number, line + file.read())
                    return
                if line.strip():
                    where = f"{path}:{number}"
                    yield where, _object(where, _line(where, line))
        except (gzip.BadGzipFile, EOFError) as error:
            raise DatasetError(f"{path}: this is not a whole gzip file: {error}") from None


def _line(where: str, line: bytes) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError) as error:
        raise DatasetError(f"{where}: this line is not JSON: {error}") from None


def _object(where: str, data: Any) -> Record:
    if not isinstance(data, dict):
        raise DatasetError(f"{where}: a record must be a JSON object, not {type(data).__name__}")
    return data


def _array(path: Path, line: int, data: bytes) -> Iterator[tuple[str, Record]]:
    """The objects of an array that begins on line ``line``, read one by one so that each has its own line."""
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise DatasetError(f"{path}: this is not UTF-8: {error}") from None
    decoder = json.JSONDecoder()
    counted, place = 0, _skip(text, text.index("[") + 1)
    while not text.startswith("]", place):
        line += text.count("\n", counted, place)
        counted, where = place, f"{path}:{line}"
        try:
            one, place = decoder.raw_decode(text, place)
        except (ValueError, RecursionError) as error:
            raise DatasetError(f"{where}: this record is not JSON: {error}") from None
        yield where, _object(where, one)
        place = _skip(text, place)
        if text.startswith(",", place):
            place = _skip(text, place + 1)
        elif not text.startswith("]", place):
            raise DatasetError(f"{where}: after this record there is neither a comma nor the end of the array")


def _skip(text: str, place: int) -> int:
    match = _BLANKS.match(text, place)
    return match.end() if match else place
