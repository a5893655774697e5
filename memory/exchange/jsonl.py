"""JSON lines: one `Episode` a line, nothing lost; what ``selfgym export`` writes unless told otherwise."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from selfgym.memory.episode import Episode
from selfgym.memory.exchange.files import naming, read_lines, write_lines


def write(episodes: Iterable[Episode], path: Path) -> int:
    """Write every episode; `read` gives equal ones back."""
    return write_lines(path, (episode.model_dump_json() for episode in episodes))


def read(path: Path) -> Iterator[Episode]:
    """The episodes of a file that `write` made."""
    for number, line in read_lines(path):
        with naming(f"{path}, line {number}", "an episode"):
            episode = Episode.model_validate_json(line)
        yield episode
