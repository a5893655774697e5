"""``selfgym run``: play episodes with any agent and log them."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from functools import partial
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from selfgym.cli.console import (
    AsJson,
    CommandError,
    OnRay,
    Quiet,
    hush_transformers,
    parse_options,
    print_json,
    progress_bar,
)
from selfgym.cli.play import EnvOptions, make_env

if TYPE_CHECKING:
    from selfgym.agents.agent import Agent
    from selfgym.agents.policies.policy import Policy
    from selfgym.agents.rollout import Job
    from selfgym.envs.core import AgentEnv
    from selfgym.memory.episode import Episode
    from selfgym.memory.store import EpisodeStore

    Roll = Callable[[Sequence[Job]], Iterator[tuple[int, Episode]]]

_BATCH = 32
"""Episodes stored in one transaction: what a killed run may have to play again."""

AgentOptions = Annotated[
    list[str] | None,
    typer.Option("--agent-option", "-a", metavar="NAME=VALUE", help="A keyword argument of the agent; repeatable."),
]


def run(
    env: Annotated[str, typer.Option(help="Environment id; `selfgym envs` lists them.")] = "selfgym/Household-v0",
    agent: Annotated[str, typer.Option(help="A name from `selfgym agents`, or module:Class.")] = "react",
    model: Annotated[
        str | None, typer.Option(help="For agents that ask one: nano, smollm2, a folder, a .gguf file or a hub id.")
    ] = None,
    episodes: Annotated[int, typer.Option(min=1, help="How many; each plays the task of its own seed.")] = 10,
    seed: Annotated[int, typer.Option(help="Of the first episode; the next has the next.")] = 0,
    store: Annotated[Path, typer.Option(help="The file to log to; made if need be.")] = Path("runs/episodes.db"),
    name: Annotated[
        str | None, typer.Option("--run", help="The run's name; given again, it plays only what is not stored yet.")
    ] = None,
    max_steps: Annotated[int | None, typer.Option(min=1, help="Steps after which an episode is cut.")] = None,
    parallel: Annotated[int, typer.Option(min=1, help="Episodes played at once, over one model.")] = 64,
    processes: Annotated[
        bool, typer.Option("--processes", help="Each environment in a process of its own, for heavy ones.")
    ] = False,
    ray: OnRay = False,
    temperature: Annotated[float | None, typer.Option(min=0.0, help="Of the agent's sampling; 0 is greedy.")] = None,
    screenshots: Annotated[
        bool, typer.Option("--screenshots", help="Keep a picture of the screen with each step, for `selfgym view`.")
    ] = False,
    option: EnvOptions = None,
    agent_option: AgentOptions = None,
    json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Play episodes with an agent and log every one of them.

    Examples:

      selfgym run --agent expert --episodes 100

      selfgym run --agent react --model smollm2 --episodes 20 --temperature 0.7

      selfgym run --agent my_package:MyAgent --store mine.db --json

      RAY_ADDRESS=10.0.0.1:6379 selfgym run --agent expert --episodes 10000 --ray
    """
    from selfgym.agents.agent import agent_maker, find_agent
    from selfgym.memory.store import EpisodeStore

    if ray and processes:
        raise CommandError("--ray and --processes are two ways to play elsewhere: give one")
    env_options = parse_options(option or []) | ({"max_steps": max_steps} if max_steps else {})
    with closing(make_env(env, env_options)) as tried:  # so that a wrong option is one error and not one an episode
        drawn = env_options | (_drawing(env, tried) if screenshots else {})
    look_here_for(agent)
    factory = find_agent(agent)
    policy = policy_of(model)
    options = parse_options(agent_option or []) | ({"temperature": temperature} if temperature is not None else {})
    maker = agent_maker(agent, factory, policy, options)
    store.parent.mkdir(parents=True, exist_ok=True)
    table = _table(partial(make_env, env, drawn), policy, min(parallel, episodes), processes=processes, ray=ray)
    with (
        table as (make, roll),
        EpisodeStore(store) as episode_store,
        progress_bar(quiet=quiet or json) as progress,
    ):
        run_name = name or _fresh_name(agent, episode_store.runs())
        record = {
            "run": run_name, "phase": "run", "env": env, "env_options": env_options, "agent": agent,
            "policy": model or "",
        }  # fmt: skip
        jobs = list(_jobs(range(seed, seed + episodes), make, maker, record, screenshots))
        played = _play(jobs, roll, episode_store, partial(progress, "episodes"))
    _report(played, run_name, store, as_json=json, quiet=quiet)


def _drawing(name: str, env: AgentEnv[Any]) -> dict[str, Any]:
    """Options that make an environment draw its screen. Raises `CommandError` where it has none."""
    modes = env.metadata["render_modes"]
    if "rgb_array" not in modes:
        raise CommandError(f"{name} can give no screenshots: it has no screen, its render modes are {', '.join(modes)}")
    return {"render_mode": "rgb_array"}


@contextmanager
def _table(
    make: Callable[[], Any], policy: Policy | None, width: int, *, processes: bool, ray: bool
) -> Iterator[tuple[Callable[[], Any], Roll]]:
    """What makes an episode's environment, and what plays jobs: here, in processes, or on the actors of a cluster.

    There whole episodes are played if no model here has to be asked, else their environments are.
    """
    from selfgym.agents.cluster import RayExecutor, connected, cpus, rollout_on
    from selfgym.agents.ray_workers import RayPool
    from selfgym.agents.rollout import rollout
    from selfgym.agents.workers import EnvPool

    here = partial(rollout, policy=policy, width=width)
    if not ray:
        with EnvPool(make) as pool:
            yield pool.lease if processes else make, here
        return
    with connected():
        if policy is None:
            with RayExecutor(min(width, cpus())) as executor:
                yield make, partial(rollout_on, executor)
        else:
            with RayPool(make, ready=width) as actors:
                yield actors.lease, here


def look_here_for(agent: str) -> None:
    """Let ``module:Class`` be in a file beside the person, as with ``python -m``."""
    if ":" in agent:
        sys.path.append(os.getcwd())


def policy_of(model: str | None) -> Policy | None:
    """The model that ``--model`` names; None where it names none."""
    from selfgym.agents.policies.load import load_policy

    if model and not model.startswith("scripted:"):
        hush_transformers()
    return load_policy(model) if model else None


def _fresh_name(agent: str, runs: list[str]) -> str:
    return next(name for number in count(1) if (name := f"{agent}-{number}") not in runs)


def _jobs(
    seeds: range,
    make: Callable[[], Any],
    maker: Callable[[int, str], Agent],
    record: dict[str, Any],
    screenshots: bool,
) -> Iterator[Job]:
    from selfgym.agents.rollout import Job

    for seed in seeds:
        identity = f"{record['run']}/{seed}"
        task = {"task_id": f"{record['env']}:{seed}"}
        yield Job(identity, make, partial(maker, seed, identity), seed, record=record | task, screenshots=screenshots)


def _play(jobs: list[Job], roll: Roll, store: EpisodeStore, progress: Callable[[int, int], None]) -> list[Episode]:
    """Play what is not stored yet, storing as it goes; all episodes of the jobs, in order."""
    missing = [job for job in jobs if job.id not in store]
    done = len(jobs) - len(missing)
    progress(done, len(jobs))

    def stored() -> Iterator[int]:
        batch: list[Episode] = []
        for _, episode in roll(missing):
            batch.append(episode)
            if len(batch) == _BATCH:
                yield store.append(batch)
                batch = []
        yield store.append(batch)

    for new in stored():
        done += new
        progress(done, len(jobs))
    return [store.get(job.id) for job in jobs]


def _report(played: list[Episode], run_name: str, store: Path, *, as_json: bool, quiet: bool) -> None:
    from selfgym.trainers.metrics import summarise

    summary = summarise(played)
    if as_json:
        print_json({"run": run_name, "store": str(store), **summary})
        return
    low, high = summary["success_low"], summary["success_high"]
    print(
        f"success {100 * summary['success']:.1f}% [{100 * low:.1f}, {100 * high:.1f}] of {len(played)} episodes, "
        f"{summary['steps']:.1f} steps each, {100 * summary['errors']:.1f}% lost to errors"
    )
    for error in sorted({episode.error for episode in played if episode.error})[:3]:
        print(f"an error: {error}")
    if not quiet:
        print(f"Logged as run {run_name!r} in {store}; read it with: selfgym episodes {store} --run {run_name}")
