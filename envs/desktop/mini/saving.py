"""The small desktop's world as plain data and back: what a snapshot holds."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from pydantic import TypeAdapter

from selfgym.envs.desktop.mini.program import Program
from selfgym.envs.desktop.mini.programs.catalogue import PROGRAMS
from selfgym.envs.desktop.mini.world import Window, World

_ADAPTERS: dict[str, TypeAdapter[Any]] = {kind: TypeAdapter(program) for kind, program in PROGRAMS.items()}


def plain(world: World) -> dict[str, Any]:
    """The world as dictionaries, lists, texts and numbers; without the count of edits, which only caches ask for."""
    found = asdict(world)
    del found["edits"]
    return found


def world_from(data: dict[str, Any]) -> World:
    """The world that `plain` gave. Raises `ValueError` or `TypeError` for anything else."""
    windows = [Window(**{**one, "program": _program(one["program"])}) for one in data["windows"]]
    return World(**{**data, "windows": windows, "pointer": tuple(data["pointer"])})


def _program(data: dict[str, Any]) -> Program:
    adapter = _ADAPTERS.get(data["kind"])
    if adapter is None:
        raise ValueError(f"there is no program {data['kind']!r}")
    found: Program = adapter.validate_python(data)
    return found
