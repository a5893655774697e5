"""Every file format that episodes can be written to or read from, by name.

    export_episodes(store.episodes(run="first"), "first.jsonl", "jsonl")
    store.append(import_episodes("alfworld_train.json", "agentgym", run="experts"))

Both are streams. An export appears whole or not at all. `EpisodeStore.append` is one transaction, so a file that turns
out to be damaged in its last line leaves the store as it was.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from selfgym.envs.core import Outcome
from selfgym.memory.episode import Episode
from selfgym.memory.exchange import agentgym, alfworld, atif, conversations, jsonl, minari, parquet


@dataclass(frozen=True, slots=True)
class Format:
    """One file format and what can be done with it."""

    name: str
    description: str
    """One line, for people who choose."""
    write: Callable[[Iterable[Episode], Path], int] | None = None
    read: Callable[[Path], Iterator[Episode]] | None = None


FORMATS: dict[str, Format] = {
    one.name: one
    for one in (
        Format("jsonl", "one Episode a line, lossless (.jsonl or .jsonl.gz)", jsonl.write, jsonl.read),
        Format("parquet", "one row an episode, steps as a list of structs", parquet.write, parquet.read),
        Format("sharegpt", "conversations for LLaMA-Factory and the like, one a line", conversations.write_sharegpt),
        Format("messages", "chat messages for TRL and OpenAI fine-tuning, one a line", conversations.write_messages),
        Format(
            "atif", "Agent Trajectory Interchange Format of Harbor: .json, .jsonl or a folder", atif.write, atif.read
        ),
        Format(
            "minari", "a Minari dataset of text episodes of one environment: a folder such as name-v0", minari.write
        ),
        Format("agentgym", "trajectories of AgentGym and ETO: conversations with item_id", read=agentgym.read),
        Format(
            "alfworld", "ALFWorld recordings (.jsonl, .jsonl.gz), or ReAct and Reflexion text logs", read=alfworld.read
        ),
    )
}
"""By name; a format without ``write`` can only be imported, one without ``read`` only exported."""


class UnknownFormatError(LookupError):
    """No format has that name, or it cannot be used in that direction."""


def export_episodes(
    episodes: Iterable[Episode], path: str | os.PathLike[str], format: str, *, only_successful: bool = False
) -> int:
    """Write ``episodes`` to ``path`` and return the number written; the file appears only when it is complete.

    Raises `UnknownFormatError`, or `CannotWriteError` where path or packages do not fit the format.
    """
    write = _find(format, "write").write
    assert write is not None
    if only_successful:
        episodes = (episode for episode in episodes if episode.outcome is Outcome.SUCCESS)
    return write(episodes, Path(path))


def import_episodes(path: str | os.PathLike[str], format: str, **fields: Any) -> Iterator[Episode]:
    """The episodes in ``path``, one after the other; ``fields`` of `Episode` replace what the file says or leaves open.

    Raises `UnknownFormatError` at once; while iterating, `DamagedFileError` naming file and line, or `OSError`.
    """
    read = _find(format, "read").read
    assert read is not None
    for name in fields:
        if name not in Episode.model_fields or name in ("id", "steps"):
            known = [field for field in Episode.model_fields if field not in ("id", "steps")]
            raise ValueError(f"an import cannot set {name!r}.{_hint(name, known)} It can set: {', '.join(known)}.")
    if not Path(path).exists():
        raise FileNotFoundError(f"there is no {path} to import")
    return _with(read(Path(path)), fields) if fields else read(Path(path))


def _with(episodes: Iterator[Episode], fields: dict[str, Any]) -> Iterator[Episode]:
    for episode in episodes:
        try:
            changed = Episode.model_validate({**dict(episode), **fields})
        except ValidationError as error:
            raise ValueError(f"an import cannot set these fields: {error}") from error
        yield changed


def _find(name: str, direction: str) -> Format:
    able = [known for known, one in FORMATS.items() if getattr(one, direction) is not None]
    if name not in able:
        verb = "written" if direction == "write" else "read"
        problem = f"the format {name!r} cannot be {verb}" if name in FORMATS else f"there is no format {name!r}"
        raise UnknownFormatError(f"{problem}.{_hint(name, able)} Formats that can be {verb}: {', '.join(able)}.")
    return FORMATS[name]


def _hint(name: str, known: Iterable[str]) -> str:
    near = get_close_matches(name, known, n=1)
    return f" Did you mean {near[0]!r}?" if near else ""
