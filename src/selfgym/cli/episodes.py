"""``selfgym episodes``: look into a store."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from selfgym.cli.console import AsJson, print_json, print_table

if TYPE_CHECKING:
    from selfgym.memory.episode import Episode

StorePath = Annotated[Path, typer.Argument(metavar="STORE", help="A file of episodes, e.g. runs/episodes.db.")]
RunName = Annotated[str | None, typer.Option("--run", help="Only episodes of this run.")]
Phase = Annotated[str | None, typer.Option(help="Only episodes of this phase (eval-0, demo, tree-1 ...).")]
OutcomeName = Annotated[str | None, typer.Option(help="Only episodes that ended so (success, failure ...).")]


def episodes(
    store: StorePath,
    show: Annotated[str | None, typer.Option(metavar="ID", help="Print one episode, step by step.")] = None,
    run: RunName = None,
    phase: Phase = None,
    outcome: OutcomeName = None,
    limit: Annotated[int, typer.Option(min=1, help="List at most this many.")] = 20,
    json: AsJson = False,
) -> None:
    """List the episodes of a store, or read one.

    Examples:

      selfgym episodes runs/episodes.db --outcome success --limit 5

      selfgym episodes runs/episodes.db --show react-20260101-120000/0
    """
    from selfgym.memory.store import EpisodeStore

    with EpisodeStore(store, readonly=True) as opened:
        if show:
            episode = opened.get(show)
            print_json(episode.model_dump(mode="json")) if json else _print_episode(episode)
            return
        filters = chosen(run, phase, outcome)
        found = list(opened.episodes(limit=limit, **filters))
        total = opened.count(**filters)
    if json:
        print_json([_line(episode) for episode in found])
        return
    lines = [_line(episode) | {"task": episode.task.partition("\n")[0]} for episode in found]
    rows = [tuple(map(str, line.values())) for line in lines]
    print_table(("id", "agent", "outcome", "reward", "steps", "task"), rows)
    if total > len(found):
        print(f"... and {total - len(found)} more (--limit)")


def chosen(run: str | None, phase: str | None, outcome: str | None) -> dict[str, Any]:
    """The filters that were given."""
    given = {"run": run, "phase": phase, "outcome": outcome}
    return {name: value for name, value in given.items() if value is not None}


def _line(episode: Episode) -> dict[str, object]:
    return {
        "id": episode.id,
        "agent": episode.agent,
        "outcome": str(episode.outcome),
        "reward": episode.total_reward,
        "steps": len(episode.steps),
        "task": episode.task,
    }


def _print_episode(episode: Episode) -> None:
    print(f"{episode.id}: {episode.env} seed {episode.seed}, {episode.agent} {episode.policy}".rstrip())
    print(f"Task: {episode.task}\n")
    for step in episode.steps:
        print(step.observation.strip())
        if step.thought:
            print(f"\n({step.thought})")
        print(f"\n> {step.action}" + ("" if step.valid else "   [not admitted]"))
    print(episode.final_observation.strip())
    print(f"\n{episode.outcome}, total reward {episode.total_reward:g}" + (f": {episode.error}" * bool(episode.error)))
