"""``selfgym bench``: suites for any agent; what memories are worth, and what becomes of them among attackers."""

from __future__ import annotations

import json as jsonlib
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from selfgym.cli import suites
from selfgym.cli.console import AsJson, Quiet, hush_transformers, print_json, progress_bar

if TYPE_CHECKING:
    from selfgym.benchmarks.memory.protocol import Plan, Played

bench = typer.Typer(cls=suites.SuiteGroup, no_args_is_help=True)


@bench.callback()
def _group() -> None:
    """Measure what an agent or a method is worth, with intervals.

    The name of a suite is a command too: [bold]selfgym bench quick --agent my_package:MyAgent[/] is
    [bold]selfgym bench run quick --agent my_package:MyAgent[/].
    """


suites.add_to(bench)


@bench.command()
def memory(
    method: Annotated[
        list[str] | None, typer.Option(help="A method; repeatable. All of them unless given.", show_default="all")
    ] = None,
    world: Annotated[str, typer.Option(help="household, or code: a scripted programmer mends packages.")] = "household",
    seeds: Annotated[int, typer.Option(min=1, help="Repetitions with other agents and other orders of the tasks.")] = 3,
    practice: Annotated[int, typer.Option(min=1, help="Tasks to learn from.")] = 60,
    held_out: Annotated[int, typer.Option(min=1, help="Tasks that nobody practised on.")] = 100,
    orders: Annotated[int, typer.Option(min=0, help="Orders of the practice tasks; 0 leaves the online arm out.")] = 2,
    competence: Annotated[
        float,
        typer.Option(
            min=0.0, max=1.0, help="Of the household's scripted pupil: the share of steps in which it errs not."
        ),
    ] = 0.9,
    tries: Annotated[int, typer.Option(min=1, help="Of the scripted programmer: how many changes it tries.")] = 40,
    model: Annotated[
        str | None, typer.Option(help="A language model plays instead: nano, smollm2, a folder, a hub id.")
    ] = None,
    writer: Annotated[str | None, typer.Option(help="A language model writes the lessons; else rules do.")] = None,
    workers: Annotated[int, typer.Option(min=1, help="Processes.")] = 1,
    out: Annotated[Path | None, typer.Option(help="Write the whole result there, as JSON.")] = None,
    json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Does memory help? Frozen and online memories beside none, on held-out, larger and practised tasks.

    Differences in success (percentage points) and steps, with 95% intervals; * where they leave out zero.

    Examples:

      selfgym bench memory --method expel --method awm

      selfgym bench memory --workers 2 --out memory.json

      selfgym bench memory --world code --method expel --seeds 1
    """
    from selfgym.agents.methods.method import METHODS, find_method
    from selfgym.benchmarks.memory.report import table
    from selfgym.benchmarks.memory.worlds import plan

    names = method or list(METHODS)
    for name in names:
        find_method(name)
    numbers = {"practice": practice, "held_out": held_out, "orders": orders, "batch": max(1, practice // 3)}
    if model or writer:
        hush_transformers()
    planned = plan(world, competence=competence, tries=tries, model=model, writer=writer, **numbers)
    bare, rows = _measured(planned, names, seeds, workers, quiet=quiet or json)
    result = {
        "date": str(date.today()), "world": world, "seeds": seeds, **numbers, "model": model, "writer": writer,
        "competence": None if model else competence, "tries": None if model else tries, "methods": rows,
    }  # fmt: skip
    if out is not None:
        _write(out, result)
    if json:
        print_json(result)
    else:
        print(table(rows, bare))


@bench.command()
def poison(
    method: Annotated[
        list[str] | None, typer.Option(help="A method; repeatable. All of them unless given.", show_default="all")
    ] = None,
    practice: Annotated[int, typer.Option(min=1, help="Poisoned episodes to learn from.")] = 18,
    later: Annotated[int, typer.Option(min=1, help="Clean episodes after them.")] = 18,
    workers: Annotated[int, typer.Option(min=1, help="Processes.")] = 1,
    out: Annotated[Path | None, typer.Option(help="Write every attempt there, as JSON.")] = None,
    json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Does what an attacker writes into observations get into memory? Every kind of attack on every method.

    The lessons are written by a model that copies whatever the attacker wants; the same without taint, ladder and gate
    stands beside it.

    Example:

      selfgym bench poison --method expel --workers 2
    """
    from selfgym.agents.methods.method import METHODS, find_method
    from selfgym.benchmarks.memory.attacked import Siege, besiege, table
    from selfgym.benchmarks.memory.worlds import plan

    names = method or list(METHODS)
    for name in names:
        find_method(name)
    siege = Siege(plan(), practice=practice, later=later)
    rows = []
    with progress_bar(quiet=quiet or json) as progress:
        for done, total, row in besiege(siege, names, workers=workers):
            rows.append(row)
            progress(f"attempts ({row['method']})", done, total)
    if out is not None:
        _write(out, {"date": str(date.today()), "practice": practice, "later": later, "attempts": rows})
    if json:
        print_json(rows)
    else:
        print(table(rows))


def _write(path: Path, result: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(jsonlib.dumps(result, indent=1) + "\n", encoding="utf-8")


def _measured(
    planned: Plan, names: list[str], seeds: int, workers: int, *, quiet: bool
) -> tuple[Played, dict[str, dict[str, Any]]]:
    from selfgym.benchmarks.memory.protocol import run
    from selfgym.benchmarks.memory.report import report

    played: dict[str, Played] = {}
    facts: dict[str, dict[str, float]] = {}
    total = seeds * (len(names) + 1)
    with progress_bar(quiet=quiet) as progress:
        for done, (name, _, episodes, known) in enumerate(run(planned, names, range(seeds), workers=workers), 1):
            mine = played.setdefault(name, {})
            for key, those in episodes.items():
                mine.setdefault(key, []).extend(those)
            for fact, value in known.items():
                facts.setdefault(name, {})[fact] = facts.get(name, {}).get(fact, 0.0) + value / seeds
            progress(f"units ({name})", done, total)
    bare = played.pop("none")
    return bare, {name: report(bare, episodes, facts.get(name, {})) for name, episodes in played.items()}
