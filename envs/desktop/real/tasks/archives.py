"""Archives as contents of files: made for the beginning of a task, and read at its end."""

from __future__ import annotations

import io
import tarfile
import zipfile
from collections.abc import Callable, Mapping

_DATE = (2023, 11, 14, 0, 0, 0)
_PLAIN = 0o100644 << 16  # without it, unzip shows "?" where programs look for the kind of file
_UNIX = 3


def zipped(members: Mapping[str, bytes]) -> bytes:
    """A zip archive of these files."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            entry = zipfile.ZipInfo(name, _DATE)
            entry.external_attr, entry.create_system, entry.compress_type = _PLAIN, _UNIX, zipfile.ZIP_DEFLATED
            archive.writestr(entry, content)
    return file.getvalue()


def zips(members: Mapping[str, bytes]) -> Callable[[bytes], bool]:
    """Whether a zip archive has just these files in it."""

    def right(content: bytes) -> bool:
        try:
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                names = [name for name in archive.namelist() if not name.endswith("/")]
                return len(names) == len(members) and {name: archive.read(name) for name in names} == members
        except (zipfile.BadZipFile, OSError, EOFError, RuntimeError, NotImplementedError):
            return False

    return right


def tars(members: Mapping[str, bytes]) -> Callable[[bytes], bool]:
    """Whether a tar archive that gzip has compressed has just these files in it."""

    def right(content: bytes) -> bool:
        try:
            with tarfile.open(fileobj=io.BytesIO(content), mode="r:gz") as archive:
                files = [member for member in archive.getmembers() if member.isfile()]
                found = {member.name.removeprefix("./"): archive.extractfile(member) for member in files}
                return {name: file.read() for name, file in found.items() if file} == members
        except (tarfile.TarError, OSError, EOFError):
            return False

    return right
