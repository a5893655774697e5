"""Gets ALFWorld's game files from where ALFWorld publishes them: the releases of github.com/alfworld/alfworld.

Only the text games are fetched (36 MB, 360 MB unpacked), not the ALFRED trajectories and image detectors that
``alfworld-download`` also gets and that nothing here reads; ALFWorld's own loader would want the former beside them.

Upstream publishes no checksum. The one below was observed by two users who wrote it down independently; an archive
without a known checksum is recorded when it is first downloaded and must not change after that.
"""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import shutil
import stat
import tempfile
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

RECORD = "selfgym-download.json"
"""What was downloaded (url, size in bytes, sha256), beside the data. Written last, so it vouches for the data."""

_MOST_UNPACKED = 4 << 30
_CHUNK = 1 << 18

Progress = Callable[[int, int | None], None]
"""Called with the bytes there so far and the bytes in all, where the server says."""


class DownloadError(RuntimeError):
    """The data could not be fetched, or is not what it should be. The message is one line."""


@dataclass(frozen=True, slots=True)
class Archive:
    """A zip file on the web, with what is known of it."""

    url: str
    size: int | None = None
    sha256: str | None = None

    @property
    def name(self) -> str:
        """The file name in the URL."""
        return self.url.rpartition("/")[2]


ALFWORLD_GAMES = Archive(
    url="https://github.com/alfworld/alfworld/releases/download/0.4.2/json_2.1.3_tw-pddl.zip",
    size=36_507_267,
    sha256="5df77ea759f2211a4106082839ddbbb790f1ba4e7d097ed732cf453f72aa36cf",
)
"""The games of ALFWorld's present source. ``alfworld`` 0.4.2 from PyPI still fetches `ALFWORLD_GAMES_2_1_2`."""

ALFWORLD_GAMES_2_1_2 = Archive(
    url="https://github.com/alfworld/alfworld/releases/download/0.4.0/json_2.1.2_tw-pddl.zip",
)


def data_folder() -> Path:
    """Where ALFWorld keeps its data: ``$ALFWORLD_DATA``, else ``~/.cache/alfworld``."""
    return Path(os.environ.get("ALFWORLD_DATA") or Path.home() / ".cache" / "alfworld")


def download_alfworld(
    target: Path | None = None,
    *,
    force: bool = False,
    archive: Archive = ALFWORLD_GAMES,
    progress: Progress | None = None,
) -> Path:
    """Fetch and unpack ALFWorld's games; returns the folder that holds ``json_2.1.1``.

    Where games are there already nothing is fetched, unless ``force``, which replaces game files and leaves others. An
    interrupted download is resumed; the games appear only when all of them have been unpacked.

    Raises `DownloadError`: no network, a damaged or changed archive, an archive with files that point outside.
    """
    target = target or data_folder()
    if not force and next(target.glob("json_*/*/*/*/game.tw-pddl"), None) is not None:
        return target
    try:
        target.mkdir(parents=True, exist_ok=True)
        file = target / (archive.name + ".part")
        digest = _fetch(archive, file, progress)
        _verify(archive, file, digest, _recorded(target))
        try:
            _unpack(file, target)
            record = {"url": archive.url, "size": file.stat().st_size, "sha256": digest}
            (target / RECORD).write_text(json.dumps(record, indent=1) + "\n", "utf-8")
        finally:
            file.unlink()  # whole, so there is nothing to resume
    except OSError as error:
        raise DownloadError(f"cannot write the data to {target}: {error}") from error
    return target


def _fetch(archive: Archive, file: Path, progress: Progress | None) -> str:
    """Download to ``file``, going on from what is there, and return the sha256."""
    done = file.stat().st_size if file.exists() and archive.sha256 else 0  # only a known checksum makes resuming safe
    if archive.size is not None and done >= archive.size:
        return _sha256(file)
    request = urllib.request.Request(archive.url, headers={"User-Agent": "selfgym"})
    if done:
        request.add_header("Range", f"bytes={done}-")
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            if answer.status != 206:
                done = 0
            length = answer.headers.get("Content-Length")
            total = done + int(length) if length else archive.size
            done = _copy(answer, file, done, total, progress)
    except (urllib.error.URLError, http.client.HTTPException, ConnectionError, TimeoutError) as error:
        reason = getattr(error, "reason", None) or error
        raise DownloadError(
            f"cannot download {archive.url}: {reason}; where there is no network, copy the folder json_2.1.1 from "
            "elsewhere and set ALFWORLD_DATA to the folder above it"
        ) from error
    if total is not None and done != total:
        raise DownloadError(f"{archive.url} broke off after {done} of {total} bytes; try again to go on from there")
    return _sha256(file)


def _copy(answer: Any, file: Path, done: int, total: int | None, progress: Progress | None) -> int:
    with file.open("ab" if done else "wb") as out:
        while chunk := answer.read(_CHUNK):
            out.write(chunk)
            done += len(chunk)
            if progress is not None:
                progress(done, total)
    return done


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _recorded(target: Path) -> dict[str, Any]:
    record = target / RECORD
    if not record.exists():
        return {}
    try:
        found = json.loads(record.read_text("utf-8"))
    except ValueError as error:
        raise DownloadError(f"{record} is damaged ({error}); delete it to download without a known checksum") from error
    return found if isinstance(found, dict) else {}


def _verify(archive: Archive, file: Path, digest: str, recorded: dict[str, Any]) -> None:
    known = archive.sha256
    since = "is published"
    if known is None and recorded.get("url") == archive.url:
        known, since = recorded.get("sha256"), "was downloaded before"
    if known is not None and digest != known:
        size = file.stat().st_size
        file.unlink()
        raise DownloadError(
            f"{archive.url} is not what {since}: sha256 {digest} instead of {known} ({size} bytes); it was deleted"
        )


def _unpack(file: Path, target: Path) -> None:
    """Unpack beside the data first, so that a folder of games is whole or absent."""
    with tempfile.TemporaryDirectory(prefix=".unpacking-", dir=target) as folder:
        try:
            with zipfile.ZipFile(file) as archive:
                _check_members(archive)
                archive.extractall(folder)
        except (zipfile.BadZipFile, EOFError, NotImplementedError) as error:
            raise DownloadError(f"{file.name} is no whole zip file ({error})") from error
        if next(Path(folder).rglob("game.tw-pddl"), None) is None:
            raise DownloadError(f"{file.name} holds no game files")
        for path in Path(folder).iterdir():
            _put(path, target / path.name)


def _put(source: Path, target: Path) -> None:
    """Move a file or folder into place, into what is there already if need be."""
    if source.is_dir() and target.exists():
        for path in source.iterdir():
            _put(path, target / path.name)
    elif source.is_dir():
        shutil.move(source, target)
    else:
        source.replace(target)


def _check_members(archive: zipfile.ZipFile) -> None:
    """Refuse an archive that would write outside its folder, make links, or fill the disk."""
    size = 0
    for member in archive.infolist():
        path = PurePosixPath(member.filename.replace("\\", "/"))
        linked = stat.S_ISLNK(member.external_attr >> 16)
        if path.is_absolute() or ".." in path.parts or ":" in member.filename or linked:
            raise DownloadError(f"{archive.filename}: refused, its member {member.filename!r} points outside")
        size += member.file_size
    if size > _MOST_UNPACKED:
        raise DownloadError(f"{archive.filename}: refused, it would unpack to {size >> 20} MiB")
