"""The files of a repository at one commit, read from a git clone or from a folder of files, as plain bytes.

Git is only asked for objects (``ls-tree``, ``cat-file``). There is no checkout and no ``git archive``, so no hook,
filter or ``.gitattributes`` has a say in what comes out, and ``export-ignore`` hides no tests. Nothing is written,
fetched, or read outside the repository. Symbolic links become copies of the file they lead to; links that lead
elsewhere, to folders or nowhere are left out, as are submodules and permissions.
"""

from __future__ import annotations

import os
import posixpath
import re
import stat
import subprocess
from pathlib import Path

from selfgym.envs.code.patches import safe_path

_COMMIT = re.compile(r"[0-9a-f]{7,64}")
_NAME = re.compile(r"[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+")
_LINKS_IN_A_ROW = 8
_GIT_SETTINGS = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_ALLOW_PROTOCOL": "none",  # stronger than what the repository's own configuration allows
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "LC_ALL": "C",
}


class RepositoryError(ValueError):
    """A repository or a commit that is not there or cannot be read."""


def read_repository(folder: Path, repository: str, commit: str, location: str | None = None) -> dict[str, bytes]:
    """All files of ``repository`` (``owner/name``) at ``commit``: paths with ``/`` to contents.

    Looked for below ``folder``, in this order: at ``location`` if there is one (relative to ``folder``), then
    ``owner__name/commit`` (a folder of files), ``owner__name``, ``owner__name.git``, ``owner/name`` and
    ``owner/name.git`` (clones, bare or ordinary). Raises `RepositoryError`.
    """
    if not _COMMIT.fullmatch(commit):
        raise RepositoryError(f"{commit!r} is not the hash of a commit")
    if not _NAME.fullmatch(repository) or ".." in repository:
        raise RepositoryError(f"{repository!r} is not the name of a repository (owner/name)")
    flat = repository.replace("/", "__")
    places = [f"{flat}/{commit}", flat, f"{flat}.git", repository, f"{repository}.git"]
    for place in [location] if location else places:
        found = (folder / place).resolve()
        if not found.is_relative_to(folder.resolve()):
            raise RepositoryError(f"{place!r} lies outside {folder}; put it there or name another folder")
        git = next((one for one in (found / ".git", found) if _is_git(one)), None)
        if git is not None:
            return read_commit(git, commit)
        if (found / ".git").is_file():
            raise RepositoryError(f"{found} is a worktree or a submodule; put a clone there")
        if found.is_dir() and place in (location, places[0]):
            return read_folder(found)
    looked = location or f"{places[0]} (files), {places[1]} or {places[2]} (clones)"
    raise RepositoryError(f"{repository} is not in {folder}: looked for {looked}")


def read_folder(folder: Path) -> dict[str, bytes]:
    """All files below ``folder``, except git's own."""
    root = folder.resolve()
    files: dict[str, bytes] = {}
    for above, folders, names in os.walk(root):
        folders[:] = sorted(one for one in folders if one != ".git")
        for name in sorted(names):
            path = Path(above, name)
            target = path.resolve()
            if target.is_relative_to(root) and target.exists() and stat.S_ISREG(target.stat().st_mode):
                files[path.relative_to(root).as_posix()] = target.read_bytes()
    files.pop(".git", None)
    return files


def read_commit(git: Path, commit: str) -> dict[str, bytes]:
    """All files of ``commit`` in the git directory ``git`` (a bare clone, or the ``.git`` of an ordinary one)."""
    listing = _git(git, ["ls-tree", "-r", "-z", "--full-tree", f"{commit}^{{commit}}"])
    blobs: dict[str, tuple[bytes, bytes]] = {}
    for entry in listing.split(b"\0")[:-1]:
        about, _, raw_path = entry.partition(b"\t")
        mode, kind, name = about.split(b" ")
        if kind == b"blob":
            blobs[safe_path(os.fsdecode(raw_path))] = (mode, name)
    contents = _contents(git, sorted({name for _, name in blobs.values()}))
    files: dict[str, bytes] = {}
    for path in blobs:
        target = path
        for _ in range(_LINKS_IN_A_ROW):
            if target not in blobs or blobs[target][0] != b"120000":
                break
            aim = os.fsdecode(contents[blobs[target][1]])
            target = posixpath.normpath(posixpath.join(posixpath.dirname(target), aim))
        if target in blobs and blobs[target][0] != b"120000":
            files[path] = contents[blobs[target][1]]
    return files


def _contents(git: Path, names: list[bytes]) -> dict[bytes, bytes]:
    """The contents of blobs, by the protocol of ``git cat-file --batch``."""
    answer = _git(git, ["cat-file", "--batch"], b"".join(name + b"\n" for name in names))
    contents: dict[bytes, bytes] = {}
    place = 0
    for name in names:
        line_end = answer.index(b"\n", place)
        header = answer[place:line_end].split(b" ")
        if len(header) != 3 or header[1] != b"blob":
            raise RepositoryError(f"{git}: the object {name.decode()} is missing; a partial clone has to be completed")
        size = int(header[2])
        contents[name] = answer[line_end + 1 : line_end + 1 + size]
        place = line_end + 1 + size + 1
    return contents


def _is_git(folder: Path) -> bool:
    return (folder / "HEAD").is_file() and (folder / "objects").is_dir()


def _git(git: Path, arguments: list[str], given: bytes = b"") -> bytes:
    # --git-dir: a repository that is found by looking around would be refused where somebody else owns it
    command = ["git", f"--git-dir={git}", *arguments]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    try:
        done = subprocess.run(command, input=given, capture_output=True, check=False, env=environment | _GIT_SETTINGS)
    except FileNotFoundError:
        raise RepositoryError(f"{git} is a git repository, but git is not installed") from None
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise RepositoryError(f"{git}: git {arguments[0]} {arguments[-1]}: {said[0] if said else 'failed'}")
    return done.stdout
