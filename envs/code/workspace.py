"""The files of a task as a tree that a sandbox can be given: the same files give the same tree, times included."""

from __future__ import annotations

from collections.abc import Mapping

from selfgym.envs.sandbox.guest.tree import digest
from selfgym.envs.sandbox.limits import SCRATCH, WORK
from selfgym.envs.sandbox.snapshot import Node, Snapshot

_BEGINNING = 1_700_000_000_000_000_000  # when every file was last written, in nanoseconds


def laid_out(files: Mapping[str, bytes]) -> Snapshot:
    """Files by path relative to the workspace, the folders above them, and empty scratch space."""
    nodes: list[Node] = []
    folders = {WORK, SCRATCH}
    for path in files:
        parts = path.split("/")
        folders |= {"/".join([WORK, *parts[:count]]) for count in range(1, len(parts))}
    for folder in folders:
        nodes.append((folder, "folder", 0o1777 if folder == SCRATCH else 0o755, _BEGINNING, ""))
    nodes += [(f"{WORK}/{path}", "file", 0o644, _BEGINNING, digest(data)) for path, data in files.items()]
    return Snapshot(tuple(sorted(nodes)), {digest(data): data for data in files.values()})
