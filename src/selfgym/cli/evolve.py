"""``selfgym evolve``: run a recipe, the loop of collecting, updating and evaluating; or go on with one."""

from __future__ import annotations

import json as jsonlib
import time
from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from selfgym.cli.console import (
    AsJson,
    CommandError,
    OnRay,
    Quiet,
    hush_transformers,
    print_json,
    print_table,
    progress_bar,
    set_options,
)
from selfgym.cli.play import make_env

if TYPE_CHECKING:
    from selfgym.trainers.stage import EvolveConfig


def evolve(
    recipe: Annotated[
        str | None,
        typer.Argument(
            help="agent-r, grpo, dr-grpo, rloo, dapo, gigpo, starpo, nft, dpo, reinforce, sage, gui-reflection, or a "
            "control: direct-revision, good-only, more-cloning, sage-without-library, sage-more-cloning; or any other "
            "of `selfgym recipes`, or module:ATTRIBUTE.",
            show_default="agent-r",
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="The run's folder; one that exists is gone on with.", show_default="runs/RECIPE")
    ] = None,
    env: Annotated[str | None, typer.Option(help="Environment id.", show_default="selfgym/Household-v0")] = None,
    task: Annotated[
        str | None, typer.Option(help="Of an environment with named tasks: one, or several separated by commas.")
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="nano, smollm2, a local folder or a hub id.", show_default="nano")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Of every random choice of the run.", show_default="0")] = None,
    iterations: Annotated[int | None, typer.Option(help="Rounds of collecting and updating.")] = None,
    demos: Annotated[int | None, typer.Option(help="Expert episodes cloned before the first round.")] = None,
    tasks: Annotated[
        int | None, typer.Option(help="Training tasks searched, or played by a group, in each round.")
    ] = None,
    evaluations: Annotated[int | None, typer.Option(help="Held-out tasks played after each update.")] = None,
    setting: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="Any setting, e.g. search.simulations=16; repeatable."),
    ] = None,
    ray: OnRay = False,
    config: Annotated[Path | None, typer.Option(help="A JSON file of settings, e.g. a run's config.json.")] = None,
    json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Let a model teach itself in an environment; resumable at any point.

    A run is a folder: its settings, every episode, checkpoints, metrics, a picture.
    The same command again goes on where the last one stopped or was killed.

    Examples:

      selfgym evolve agent-r --model nano --out runs/demo

      selfgym evolve --out runs/demo      (goes on with it)

      selfgym evolve agent-r --model smollm2 --set lora=16

      selfgym evolve agent-r --env selfgym/MiniWoB-v0 --task click-button

      selfgym evolve grpo --seed 1      (or gigpo, dapo ...: what differs, as --set group.size=16)

      selfgym evolve grpo --set lag=1 --set sampler=vllm      (rollouts beside the trainer, by vLLM)

      selfgym evolve grpo --set workers=16 --ray      (played on a cluster)
    """
    from selfgym.trainers.evolve import evolve as run
    from selfgym.trainers.recipe import find_recipe

    folder = out or Path("runs") / (recipe or "agent-r")
    given = {
        "recipe": recipe, "env": env, "model": model, "seed": seed, "iterations": iterations,
        "demos": demos, "tasks": tasks, "evaluations": evaluations,
    }  # fmt: skip
    pairs = [*([f"env_options.task={task}"] if task else []), *(setting or [])]
    settings = _settings(folder, config, {key: value for key, value in given.items() if value is not None}, pairs)
    find_recipe(settings.recipe)  # so that a slip of the pen leaves no folder behind
    make_env(settings.env, settings.env_options).close()
    hush_transformers()
    begun = time.monotonic()
    with _collectors(settings, ray=ray) as executor, progress_bar(quiet=quiet or json) as progress:
        metrics = run(settings, folder, progress=progress, executor=executor)
    minutes = (time.monotonic() - begun) / 60
    if json:
        print_json({"run": str(folder), "metrics": metrics})
        return
    print_table(("update", "episodes", "held-out success", "gain", "steps", "loops", "errors"), map(_row, metrics))
    if not quiet:
        print(f"\n{minutes:.1f} minutes. The run is in {folder}; its learning curve is {folder / 'curve.png'}")


@contextmanager
def _collectors(settings: EvolveConfig, *, ray: bool) -> Iterator[Executor | None]:
    """``settings.workers`` actors of a cluster, each with its share of the GPUs there are; None without ``ray``."""
    from selfgym.agents.cluster import RayExecutor, connected, gpus

    if not ray:
        yield None
        return
    with connected():
        share = 0.0 if settings.device == "cpu" else min(1.0, gpus() / settings.workers)
        with RayExecutor(settings.workers, gpus=share) as executor:
            yield executor


def _settings(folder: Path, config: Path | None, given: dict[str, Any], pairs: list[str]) -> EvolveConfig:
    """What suits the model, or the settings of the run that is gone on with or of ``config``; then what was given."""
    from pydantic import ValidationError

    from selfgym.trainers.presets import preset
    from selfgym.trainers.stage import EvolveConfig

    known = folder / "config.json"
    source = config or (known if known.exists() else None)
    chosen = {name: given[name] for name in ("model", "env", "recipe") if name in given}
    settings = _read(source) if source else preset(**chosen)
    settings |= given
    set_options(settings, pairs)
    try:
        return EvolveConfig.model_validate(settings)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(map(str, first["loc"]))
        raise CommandError(f"the setting {name!r} is wrong: {first['msg']} (given: {first['input']!r})") from error


def _read(path: Path) -> dict[str, Any]:
    try:
        found = jsonlib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CommandError(f"settings cannot be read from {path}: {error}") from error
    if not isinstance(found, dict):
        raise CommandError(f"{path} holds no settings: a JSON object is wanted")
    return found


def _row(metrics: dict[str, Any]) -> tuple[str, ...]:
    def share(name: str) -> str:
        low, high = metrics[f"{name}_low"], metrics[f"{name}_high"]
        return f"{100 * metrics[name]:.1f}% [{100 * low:.1f}, {100 * high:.1f}]"

    return (
        str(metrics["iteration"]),
        str(metrics["episodes"]),
        share("success"),
        share("gain") if metrics["iteration"] else "",
        f"{metrics['steps']:.1f}",
        f"{metrics['loops']:.2f}",
        f"{100 * metrics['errors']:.1f}%",
    )
