"""Parquet: one row an episode, its steps a list of structs; for data frames and ``datasets``.

Nothing is lost, but three columns are text that a reader must parse: ``env_options`` and ``info`` (of the episode and
of each step) are JSON, and ``seed`` is decimal digits, because a seed may be larger than 64 bits. The columns have the
names and meanings of the fields of `Episode` and `Step`, their types are those of `schema`. Written in row groups, so
that memory stays small however many episodes there are. Needs pyarrow.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from selfgym.memory.episode import Episode
from selfgym.memory.exchange.files import CannotWriteError, DamagedFileError, naming, parse_json, replacing

ROW_GROUP = 256
"""Episodes in memory at once."""

_STEP = {
    "observation": "string",
    "prompt_ids": "list<int64>",
    "response_ids": "list<int64>",
    "logprobs": "list<float64>",
    "fresh": "bool",
    "action": "string",
    "thought": "string",
    "valid": "bool",
    "reward": "float64",
    "state_key": "string",
    "source": "string",
    "trainable": "bool",
    "policy_version": "int64",
    "info": "string",
}
_EPISODE = {
    "id": "string",
    "env": "string",
    "env_version": "string",
    "env_options": "string",
    "seed": "string",
    "task": "string",
    "task_id": "string",
    "agent": "string",
    "policy": "string",
    "run": "string",
    "phase": "string",
    "split": "string",
    "group": "string",
    "chain": "string",
    "chain_position": "int64",
    "role": "string",
    "items": "list<string>",
    "steps": "list<struct>",
    "final_observation": "string",
    "outcome": "string",
    "error": "string",
    "parent": "string",
    "branch_step": "int64",
    "created": "float64",
    "info": "string",
}


def schema() -> Any:
    """The ``pyarrow.Schema`` of the files that `write` makes."""
    import pyarrow as pa

    plain = {"string": pa.string(), "int64": pa.int64(), "float64": pa.float64(), "bool": pa.bool_()}

    def kind(name: str) -> Any:
        if name == "list<struct>":
            return pa.list_(pa.struct([(field, kind(inner)) for field, inner in _STEP.items()]))
        return pa.list_(plain[name[5:-1]]) if name.startswith("list<") else plain[name]

    return pa.schema([(field, kind(name)) for field, name in _EPISODE.items()])


def write(episodes: Iterable[Episode], path: Path) -> int:
    """Write every episode; their number."""
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError as error:
        raise CannotWriteError("Parquet needs pyarrow: pip install pyarrow") from error

    number, rest, columns = 0, iter(episodes), schema()
    with replacing(path) as partial, parquet.ParquetWriter(partial, columns, compression="zstd") as writer:
        while group := [_row(episode) for episode in islice(rest, ROW_GROUP)]:
            writer.write_table(pa.Table.from_pylist(group, schema=columns))
            number += len(group)
    return number


def _row(episode: Episode) -> dict[str, Any]:
    row = episode.model_dump(mode="json")
    for part in (row, *row["steps"]):
        part["info"] = json.dumps(part["info"], ensure_ascii=False)
    row["env_options"] = json.dumps(row["env_options"], ensure_ascii=False)
    row["seed"] = None if episode.seed is None else str(episode.seed)
    return row


def read(path: Path) -> Iterator[Episode]:
    """The episodes of a file that `write` made, a row group at a time."""
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError as error:
        raise DamagedFileError(f"{path} cannot be read: Parquet needs pyarrow: pip install pyarrow") from error

    try:
        with parquet.ParquetFile(path) as file:
            if not file.schema_arrow.equals(schema()):
                raise DamagedFileError(f"{path}: its columns are not those of episodes")
            for group in range(file.num_row_groups):
                for number, row in enumerate(file.read_row_group(group).to_pylist()):
                    yield _episode(row, f"{path}, row group {group}, row {number}")
    except pa.ArrowException as error:
        raise DamagedFileError(f"{path}: not a Parquet file: {error}") from error


def _episode(row: dict[str, Any], where: str) -> Episode:
    for part in (row, *(row["steps"] or ())):
        part["info"] = parse_json(part["info"] or "", where)
    row["env_options"] = parse_json(row["env_options"] or "", where)
    with naming(where, "an episode"):
        return Episode.model_validate(row)
