"""What evaluators may look at: the true state of a screen's home folder, its clipboard, its windows and elements."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from selfgym.envs.desktop.node import Node
from selfgym.envs.desktop.real.session import HOME, Session
from selfgym.envs.sandbox.limits import SandboxFileError

Check = Callable[[bytes], bool]
"""Whether the contents of a file are right."""
Wanted = bytes | Check | None
"""What a file is to be: these bytes, such as a check accepts, or gone."""
_SECONDS = 5.0
_ELEMENTS = 2000
_LARGEST = 2**24


class Room:
    """The state of one episode, beside the files that it began with."""

    def __init__(self, session: Session, before: Mapping[str, bytes]) -> None:
        """``before``: by path in the home folder; those whose path begins with a dot are settings."""
        self.session = session
        self._before = dict(before)

    def read(self, path: str) -> bytes | None:
        """A file of the home folder, or ``None`` where there is none that can be read."""
        try:
            return self.session.sandbox.get(f"{HOME}/{path}", limit=_LARGEST)
        except SandboxFileError:
            return None

    def files(self) -> dict[str, bytes]:
        """The files and, with a slash behind, the folders that the user sees in the home folder."""
        found = {}
        for entry in self.session.sandbox.list(HOME, recursive=True):
            if not any(part.startswith(".") for part in entry.path.split("/")):
                content = None if entry.kind == "folder" else self.read(entry.path)
                found[entry.path + "/" * (entry.kind == "folder")] = content or b""
        return found

    def changed(self, wanted: Mapping[str, Wanted]) -> bool:
        """Whether exactly these files and folders differ from the beginning, and as they are wanted."""
        now, before = self.files(), _with_folders(self._before)
        for path in now.keys() | before.keys() | wanted.keys():
            want = wanted.get(path, before.get(path))
            have = now.get(path)
            if callable(want):
                if have is None or not want(have):
                    return False
            elif want != have:
                return False
        return True

    def setting(self, group: str, key: str) -> str | None:
        """A value that a program keeps in GSettings, as it is written there; ``None`` where it has the usual one."""
        lines = (self.read(".config/glib-2.0/settings/keyfile") or b"").decode("utf-8", "replace").splitlines()
        here = False
        for line in lines:
            if line.startswith("["):
                here = line == f"[{group}]"
            elif here and line.startswith(f"{key}="):
                return line.partition("=")[2]
        return None

    def clipboard(self) -> str | None:
        """The text that was copied last."""
        return self.session.display.clipboard(_SECONDS)

    def nodes(self) -> list[Node]:
        """The elements on the screen."""
        return self.session.tree(_ELEMENTS, _SECONDS).nodes


def _with_folders(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """The visible ones of these files, and the folders that they lie in."""
    found = {}
    for path, content in files.items():
        parts = path.split("/")
        if any(part.startswith(".") for part in parts):
            continue
        for depth in range(1, len(parts)):
            found["/".join(parts[:depth]) + "/"] = b""
        if not path.endswith("/"):
            found[path] = content
    return found
