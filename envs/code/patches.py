"""Unified diffs applied strictly: the changes of a ``git diff`` or ``diff -u`` to files held in memory.

Every hunk must match the file byte for byte at the line it names: no fuzz, no offsets. Whatever cannot be applied
exactly is refused with a `PatchError` that names the file and the hunk. Nothing is read from or written to disk.
Format: the "Unified Format" chapter of the GNU diffutils manual, and "Generating patch text with -p" of git-diff(1).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

_HUNK = re.compile(rb"@@ -(\d{1,9})(?:,(\d{1,9}))? \+(\d{1,9})(?:,(\d{1,9}))? @@")
_LINK_MODE = re.compile(rb"(index|old mode|new mode|new file mode|deleted file mode) (.* )?1[26]0000$")
_ESCAPE = re.compile(rb'\\([0-7]{3}|[abtnvfr"\\])')
_ESCAPED = dict(zip(b'abtnvfr"\\', b'\a\b\t\n\v\f\r"\\', strict=True))
_NO_NEWLINE = b"\\ No newline at end of file"


class PatchError(ValueError):
    """A diff that cannot be read, or that does not fit the files. Its text names the file and the hunk."""


@dataclass(slots=True)
class _Hunk:
    line: int
    """The first line it replaces, from 1; 0 for a file that is empty."""
    old: list[bytes] = field(default_factory=list)
    new: list[bytes] = field(default_factory=list)


@dataclass(slots=True)
class _FileChange:
    old: str | None = None
    """The file that is read; ``None`` for a new one."""
    new: str | None = None
    """The file that is written; ``None`` for a deleted one."""
    keeps_old: bool = False
    """Whether this is a copy."""
    hunks: list[_Hunk] = field(default_factory=list)


def safe_path(path: str) -> str:
    """``path`` if it names a file inside a tree: relative, without ``..``. Raises `PatchError` for any other."""
    parts = PurePosixPath(path).parts
    if not parts or path.startswith("/") or ".." in parts or "\0" in path or path.endswith("/"):
        raise PatchError(f"the path {path!r} does not lie inside the repository")
    if ".git" in parts:
        raise PatchError(f"the path {path!r} lies in git's own folder")
    return str(PurePosixPath(path))


def apply_patch(files: Mapping[str, bytes], patch: str | bytes) -> dict[str, bytes | None]:
    """The files that ``patch`` changes, with their new contents; ``None`` for those it deletes or moves away.

    Understands new, deleted, renamed and copied files, missing newlines at the end, quoted names and diffs without
    git's headers. Raises `PatchError` for binary patches, paths outside the tree, and hunks that do not match.
    """
    data = patch.encode("utf-8", "surrogateescape") if isinstance(patch, str) else patch
    changed: dict[str, bytes | None] = {}
    for change in _read(data):
        name = change.new or change.old
        assert name is not None
        before = b""
        if change.old is not None:
            found = changed[change.old] if change.old in changed else files.get(change.old)
            if found is None:
                raise PatchError(f"{change.old}: the patch changes this file, but it does not exist")
            before = found
        elif changed.get(name, files.get(name)) is not None:
            raise PatchError(f"{name}: the patch creates this file, but it exists already")
        after = _applied(before, change.hunks, name)
        if change.old is not None and change.old != change.new and not change.keeps_old:
            changed[change.old] = None
        if change.new is not None:
            changed[change.new] = after
        elif after:
            raise PatchError(f"{name}: the patch deletes this file, but not all of its lines")
    return changed


def _applied(before: bytes, hunks: list[_Hunk], name: str) -> bytes:
    lines = before.split(b"\n")
    lines = [line + b"\n" for line in lines[:-1]] + ([lines[-1]] if lines[-1] else [])
    result: list[bytes] = []
    done = 0
    for number, hunk in enumerate(hunks, 1):
        # a hunk without old lines stands after the line it names
        start = hunk.line - 1 if hunk.old else hunk.line
        if start < done or start > len(lines):
            raise PatchError(f"{name}, hunk {number}: line {hunk.line} is not where it could be applied")
        for place, expected in enumerate(hunk.old, start):
            found = lines[place] if place < len(lines) else None
            if found != expected:
                shown = "the end of the file" if found is None else repr(found.decode("utf-8", "replace"))
                wanted = repr(expected.decode("utf-8", "replace"))
                raise PatchError(f"{name}, hunk {number}: line {place + 1} should be {wanted} but is {shown}")
        result += lines[done:start] + hunk.new
        done = start + len(hunk.old)
    result += lines[done:]
    if any(not line.endswith(b"\n") for line in result[:-1]):
        raise PatchError(f"{name}: the patch puts lines after a last line that has no newline")
    return b"".join(result)


def _read(data: bytes) -> Iterator[_FileChange]:
    """The changes of a diff, file by file."""
    lines = data.split(b"\n")
    if lines[-1] == b"":
        lines.pop()
    change: _FileChange | None = None
    place = 0
    while place < len(lines):
        line = lines[place]
        place += 1
        if line.startswith(b"diff --git "):
            if change:
                yield _checked(change)
            change = _from_header(line)
        elif line.startswith(b"--- ") and place < len(lines) and lines[place].startswith(b"+++ "):
            if change is None or change.hunks:
                if change:
                    yield _checked(change)
                change = _FileChange()
            if not change.keeps_old:
                change.old = _name(line[4:], b"a/")
            change.new = _name(lines[place][4:], b"b/")
            place += 1
        elif line.startswith((b"GIT binary patch", b"Binary files ")):
            raise PatchError(f"{_shown(change)}: binary patches cannot be applied")
        elif line.startswith(b"@@ "):
            if change is None:
                raise PatchError("the patch has a hunk before it names a file")
            place = _read_hunk(lines, place, change)
        elif change is not None and not change.hunks:
            _extended_header(line, change)
    if change is None:
        if any(line.strip() for line in lines):
            raise PatchError("this is not a unified diff: it names no file")
        return
    yield _checked(change)


def _checked(change: _FileChange) -> _FileChange:
    change.old = None if change.old is None else safe_path(change.old)
    change.new = None if change.new is None else safe_path(change.new)
    if change.old is None and change.new is None:
        raise PatchError("the patch names no file for a change")
    return change


def _from_header(line: bytes) -> _FileChange:
    """What ``diff --git a/x b/x`` says, which alone names a file whose contents do not change."""
    names = line[len(b"diff --git ") :]
    half = (len(names) - 1) // 2
    if names.startswith(b'"'):
        left, right = names[: names.index(b'" ') + 1] if b'" ' in names else names, names.rpartition(b' "')[2]
        right = b'"' + right
    else:
        left, right = names[:half], names[half + 1 :]
    if left.removeprefix(b'"')[2:] != right.removeprefix(b'"')[2:]:
        return _FileChange()  # a renamed file: the lines that follow name it
    return _FileChange(_name(left, b"a/"), _name(right, b"b/"))


def _extended_header(line: bytes, change: _FileChange) -> None:
    word, _, rest = line.partition(b" from ") if b" from " in line else line.partition(b" to ")
    if line.startswith(b"new file mode "):
        change.old = None
    elif line.startswith(b"deleted file mode "):
        change.new = None
    elif line.startswith((b"rename from ", b"copy from ")):
        change.old, change.keeps_old = _name(rest, b""), word == b"copy"
    elif line.startswith((b"rename to ", b"copy to ")):
        change.new = _name(rest, b"")
    if _LINK_MODE.match(line):
        raise PatchError(f"{_shown(change)}: patches of symbolic links and submodules cannot be applied")


def _read_hunk(lines: list[bytes], place: int, change: _FileChange) -> int:
    """Reads the hunk whose header is line ``place - 1`` into ``change``; returns the line after it."""
    number = len(change.hunks) + 1
    match = _HUNK.match(lines[place - 1])
    if not match:
        raise PatchError(
            f"{_shown(change)}, hunk {number}: its header is {lines[place - 1].decode('utf-8', 'replace')!r}"
        )
    hunk = _Hunk(int(match[1]))
    old_left, new_left = (int(one) if one is not None else 1 for one in (match[2], match[4]))
    while old_left > 0 or new_left > 0:
        if place >= len(lines):
            raise PatchError(f"{_shown(change)}, hunk {number}: the patch ends in the middle of it")
        sign, text = lines[place][:1] or b" ", lines[place][1:] + b"\n"  # some tools strip the blank of empty context
        place += 1
        if sign not in b" -+":
            shown = lines[place - 1].decode("utf-8", "replace")
            raise PatchError(f"{_shown(change)}, hunk {number}: {shown!r} is neither context nor a change")
        ends = place < len(lines) and lines[place].startswith(_NO_NEWLINE[:2])
        text = text[:-1] if ends else text
        place += ends
        if sign in b" -":
            hunk.old.append(text)
            old_left -= 1
        if sign in b" +":
            hunk.new.append(text)
            new_left -= 1
    if old_left or new_left:
        raise PatchError(f"{_shown(change)}, hunk {number}: its lines are not as many as its header says")
    change.hunks.append(hunk)
    return place


def _name(written: bytes, prefix: bytes) -> str | None:
    """The path in a header line: unquoted, without time and prefix; ``None`` for ``/dev/null``."""
    if written.startswith(b'"'):
        inner = written[1:].rpartition(b'"')[0]
        written = _ESCAPE.sub(lambda match: bytes([_unescaped(match[1])]), inner)
    else:
        written = written.partition(b"\t")[0].rstrip(b"\r")
    if written == b"/dev/null":
        return None
    return written.removeprefix(prefix).decode("utf-8", "surrogateescape")


def _unescaped(escape: bytes) -> int:
    return int(escape, 8) & 0xFF if len(escape) == 3 else _ESCAPED[escape[0]]


def _shown(change: _FileChange | None) -> str:
    return (change and (change.new or change.old)) or "the patch"
