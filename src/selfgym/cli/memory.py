"""``selfgym memory``: look into a library of items, go back to a snapshot, take items in and out."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from selfgym.cli.console import AsJson, CommandError, print_json, print_table

if TYPE_CHECKING:
    from selfgym.memory.item import Item
    from selfgym.memory.library import Library

memory = typer.Typer(no_args_is_help=True, rich_markup_mode="rich")
StorePath = Annotated[Path, typer.Argument(metavar="STORE", help="A file with a library, e.g. runs/memory.db.")]
ItemId = Annotated[str, typer.Argument(metavar="ITEM", help="The id of an item, or its first digits.")]


@memory.callback()
def _root() -> None:
    """Look into what agents remember.

    Examples:

      selfgym memory list runs/memory.db --status active

      selfgym memory why runs/memory.db 3f2a
    """


@memory.command("list")
def list_(
    store: StorePath,
    status: Annotated[str, typer.Option(help="candidate, trial, active, rejected, retired or quarantined.")] = "",
    kind: Annotated[str, typer.Option(help="reflection, insight, workflow, skill, principle or doc.")] = "",
    env: Annotated[str, typer.Option(help="Only items for this environment.")] = "",
    json: AsJson = False,
) -> None:
    """List the items of a library, with what each was worth."""
    with _opened(store) as library:
        lines = [_line(library, item) for item in library.items(status=status, kind=kind, env=env)]
    if json:
        print_json(lines)
        return
    columns = ("id", "kind", "status", "shown", "withheld", "uplift", "title")
    print_table(columns, [[_cell(line[column]) for column in columns] for line in lines])


@memory.command()
def show(store: StorePath, item: ItemId, json: AsJson = False) -> None:
    """Print one item, whole."""
    with _opened(store) as library:
        found = library.get(item)
        line = _line(library, found)
    if json:
        print_json(found.model_dump(mode="json") | {"id": found.id, "standing": line})
        return
    print(f"{found.id}  {found.kind}  {line['status']}\n{found.title}")
    for name, text in (("When", found.when), ("Env", found.scope.env), ("Task", found.scope.task)):
        if text:
            print(f"{name}: {text}")
    if found.body:
        print(f"\n{found.body}")
    if found.code is not None:
        caps = ", ".join(found.code.caps)
        print(f"\n{found.code.runtime} {found.code.entry}({', '.join(found.code.parameters)}), may: {caps}")
        print(found.code.source.rstrip())
        for check in found.checks:
            print(f"\nCheck by {check.rung}: {check.source.strip() or f'{check.env}, seeds {list(check.seeds)}'}")
    origin = found.origin.model_dump(mode="json", exclude_defaults=True)
    print("\nOrigin: " + "; ".join(f"{name} {value}" for name, value in origin.items()))


@memory.command()
def why(store: StorePath, item: ItemId, json: AsJson = False) -> None:
    """Tell an item's whole history: where it comes from, every check, every change and why."""
    with _opened(store) as library:
        found = library.get(item)
        events = library.events(found.id)
        line = _line(library, found)
    if json:
        print_json([asdict(event) for event in events])
        return
    print(f"{found.id}  {found.title}")
    quiet = {"shown", "withheld", "used", "reward"}
    for event in events:
        if event.what not in quiet:
            value = "" if event.value is None else f" {event.value:g}"
            print(f"{_when(event.at)}  {event.what}{value}  {event.note}  {event.episode}".rstrip())
    counts = {what: sum(event.what == what for event in events) for what in sorted(quiet)}
    print("; ".join(f"{what} {count} times" for what, count in counts.items()) + f"; uplift {_cell(line['uplift'])}")


@memory.command()
def snapshots(store: StorePath, json: AsJson = False) -> None:
    """List the snapshots of a library and their scores; the one it stands on is marked."""
    from selfgym.memory import snapshots as kept

    with _opened(store) as library:
        here = kept.standing_on(library)
        lines: list[dict[str, Any]] = []
        for id in kept.snapshots(library):
            one = kept.snapshot(library, id)
            told = {name: sum(values) / len(values) for name, values in kept.scores(library, id).items()}
            lines.append({"id": id, "parent": one.parent, "items": len(one.items), "scores": told, "here": id == here})
    if json:
        print_json(lines)
        return
    print_table(("id", "parent", "items", "scores"), [
        (f"{line['id']}{' *' * line['here']}", line["parent"], str(line["items"]),
         ", ".join(f"{name} {value:.3g}" for name, value in line["scores"].items()))
        for line in lines
    ])  # fmt: skip


@memory.command()
def snapshot(store: StorePath, why: Annotated[str, typer.Option(help="A note.")] = "") -> None:
    """Keep which items can be shown now, to go back to."""
    from selfgym.memory.snapshots import take

    with _opened(store, write=True) as library:
        print(take(library, why=why))


@memory.command()
def diff(
    store: StorePath,
    old: Annotated[str, typer.Argument(help="A snapshot's id, or its first digits.")],
    new: Annotated[str, typer.Argument(help="Another.")],
    json: AsJson = False,
) -> None:
    """Tell what changed from one snapshot to another."""
    from selfgym.memory.snapshots import difference
    from selfgym.memory.snapshots import snapshot as load

    with _opened(store) as library:
        gap = difference(library, old, new)
        before, after = load(library, old).items, load(library, new).items
        lines = [("+", id, after[id]) for id in gap.added] + [("-", id, before[id]) for id in gap.removed]
        lines += [("~", id, f"{before[id]} -> {after[id]}") for id in gap.changed]
        titles = {id: library.get(id).title for _, id, _ in lines}
    if json:
        print_json({"added": gap.added, "removed": gap.removed, "changed": gap.changed})
        return
    for sign, id, status in lines:
        print(f"{sign} {id}  {status}  {titles[id]}")


@memory.command()
def rollback(
    store: StorePath,
    snapshot: Annotated[str, typer.Argument(help="The snapshot's id, or its first digits.")],
    why: Annotated[str, typer.Option(help="A note for the log.")] = "by hand",
) -> None:
    """Make what can be shown that of a snapshot again. Quarantined items stay out."""
    from selfgym.memory.snapshots import rollback as go_back

    with _opened(store, write=True) as library:
        gap = go_back(library, snapshot, why=why)
    print(f"{len(gap.added)} items back, {len(gap.removed)} out, {len(gap.changed)} in another status")


@memory.command()
def quarantine(store: StorePath, item: ItemId, why: Annotated[str, typer.Option(help="A note.")] = "by hand") -> None:
    """Take out an item and everything that was made from it."""
    from selfgym.memory.credit import quarantine as take_out

    with _opened(store, write=True) as library:
        print("\n".join(take_out(library, library.get(item).id, why)))


@memory.command()
def export(
    store: StorePath,
    target: Annotated[
        Path, typer.Argument(help="A file that ends in .jsonl or .jsonl.gz, or a folder for SKILL.md folders.")
    ],
    status: Annotated[str, typer.Option(help="Only items in this status.")] = "",
) -> None:
    """Write items to a JSONL file, or skills as SKILL.md folders."""
    from selfgym.memory.exchange.items import export_items
    from selfgym.memory.exchange.skill_folders import export_skill

    with _opened(store) as library:
        items = list(library.items(status=status))
    if target.name.endswith((".jsonl", ".jsonl.gz")):
        print(f"{export_items(items, target)} items written to {target}")
        return
    if not target.is_dir():
        raise CommandError(f"{target} is no folder; name one, or a file that ends in .jsonl")
    skills = [item for item in items if item.code is not None]
    for item in skills:
        print(export_skill(item, target))


@memory.command("import")
def import_(
    store: StorePath,
    source: Annotated[Path, typer.Argument(help="A JSONL file, a SKILL.md folder, or a folder of those.")],
) -> None:
    """Read items as candidates. They are tainted as imported: nothing is shown before it has been borne out."""
    from selfgym.memory.exchange.items import import_items
    from selfgym.memory.exchange.skill_folders import import_skill

    if source.is_dir():
        folders = [source] if (source / "SKILL.md").exists() else sorted(p.parent for p in source.glob("*/SKILL.md"))
        if not folders:
            raise CommandError(f"{source} holds no SKILL.md, nor does a folder in it")
        items = [import_skill(folder) for folder in folders]
    else:
        items = list(import_items(source))
    with _opened(store, write=True, make=True) as library, library.transaction():
        for item in items:
            print(f"{library.propose(item, why=f'imported from {source}')}  {item.title}")


@memory.command()
def serve(
    store: StorePath,
    env: Annotated[str, typer.Option(help="Only tools for this environment.")] = "",
) -> None:
    """Serve the library's tools over the Model Context Protocol, on standard input and output.

    For a client's configuration: {"command": "selfgym", "args": ["memory", "serve", "runs/memory.db"]}
    """
    import asyncio

    from selfgym.envs.sandbox.opening import open_sandbox
    from selfgym.memory.exchange.tool_server import serve as go

    with _opened(store, write=True) as library, open_sandbox() as sandbox:
        asyncio.run(go(library, sandbox, env))


def _opened(store: Path, *, write: bool = False, make: bool = False) -> Library:
    from selfgym.memory.library import Library

    return Library(store, readonly=not write or not (make or store.exists()))


def _line(library: Library, item: Item) -> dict[str, Any]:
    standing = library.standing(item.id)
    return {
        "id": item.id,
        "kind": str(item.kind),
        "status": str(standing.status),
        "shown": standing.shown,
        "withheld": standing.withheld,
        "uplift": standing.uplift,
        "title": item.title,
    }


def _cell(value: Any) -> str:
    return "" if value is None else f"{value:+.3f}" if isinstance(value, float) else str(value)


def _when(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S")
