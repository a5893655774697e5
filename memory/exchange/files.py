"""Reading and writing the files of every format: whole or not at all, and damage named by file and line."""

from __future__ import annotations

import gzip
import io
import json
import os
import shutil
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pydantic import ValidationError


class DamagedFileError(ValueError):
    """A file is not what its format says. The message names the file and the line or item."""


class CannotWriteError(ValueError):
    """The episodes cannot be written in this format to this path."""


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A path to write to that takes the place of ``path`` when the block ends well, and vanishes when it does not."""
    if not path.parent.is_dir():
        raise CannotWriteError(f"the folder {path.parent} does not exist")
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        yield partial
        with partial.open("rb") as file:
            os.fsync(file.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


@contextmanager
def replacing_folder(path: Path) -> Iterator[Path]:
    """An empty folder that becomes ``path`` when the block ends well, and vanishes when it does not."""
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise CannotWriteError(f"{path} exists and is not an empty folder")
    if not path.parent.is_dir():
        raise CannotWriteError(f"the folder {path.parent} does not exist")
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    partial.mkdir()
    try:
        yield partial
        if path.exists():
            path.rmdir()
        partial.replace(path)
    finally:
        if partial.exists():
            shutil.rmtree(partial)


def write_lines(path: Path, lines: Iterable[str]) -> int:
    """Write ``lines`` to ``path``, compressed if it ends in ``.gz``; their number. Same lines, same bytes."""
    number = 0
    with replacing(path) as partial, partial.open("wb") as raw:
        file: io.BufferedIOBase = gzip.GzipFile("", "wb", fileobj=raw, mtime=0) if path.suffix == ".gz" else raw
        for line in lines:
            file.write(line.encode() + b"\n")
            number += 1
        if file is not raw:
            file.close()
    return number


def read_lines(path: Path) -> Iterator[tuple[int, str]]:
    """The lines of a text file, possibly compressed, with their numbers from 1; blank ones are left out."""
    return ((number, line) for number, line in _all_lines(path) if line.strip())


def _all_lines(path: Path) -> Iterator[tuple[int, str]]:
    number = 0
    try:
        with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as file:
            for number, raw in enumerate(file, 1):
                yield number, raw.decode("utf-8-sig" if number == 1 else "utf-8").rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise DamagedFileError(f"{path}, line {number}: not UTF-8 text ({error.reason})") from error
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise DamagedFileError(f"{path}, after line {number}: damaged compression ({error})") from error


def read_json_lines(path: Path) -> Iterator[tuple[str, Any]]:
    """Each line of a JSON-lines file as data, with where it stood."""
    for number, line in read_lines(path):
        where = f"{path}, line {number}"
        yield where, parse_json(line, where)


def read_json(path: Path) -> Any:
    """A whole file as JSON data, possibly compressed."""
    return parse_json("\n".join(line for _, line in _all_lines(path)), str(path))


def parse_json(text: str, where: str) -> Any:
    """``text`` as data. Raises `DamagedFileError` that begins with ``where``."""
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise DamagedFileError(f"{where}: not JSON: {error.msg} at line {error.lineno} column {error.colno}") from error
    except (ValueError, RecursionError) as error:
        raise DamagedFileError(f"{where}: not JSON: {error}") from error


@contextmanager
def naming(where: str, what: str) -> Iterator[None]:
    """Turn the complaints of pydantic inside the block into a `DamagedFileError` about ``what`` at ``where``."""
    try:
        yield
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = ".".join(map(str, first["loc"]))
        raise DamagedFileError(f"{where}: not {what}: {field + ': ' if field else ''}{first['msg']}") from error
