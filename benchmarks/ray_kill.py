"""kill -9 of Ray workers at random moments: is anything lost that was acknowledged, or anything there twice?

    python benchmarks/ray_kill.py [--kills 20] [--commands 3] [--seed 0]

Households are played three ways by one process and by two actors of a local Ray cluster: whole episodes (a random
agent), environments far from their policy (a language-model agent whose scripted policy is here), and the collecting of
a training run (trees, two iterations). While the actors play, a worker process of the cluster is drawn and killed with
SIGKILL, again and again after a random time, until ``--kills`` have been hit; a run that ends before that is compared
and begun again with other seeds. An episode is acknowledged once it is in the store. After each kill the store's
episodes are written down: all of them must be there in the end as they were. Compared with one process are all
episodes with their contents and their order, of the training run the weights too.

Then `selfgym run --ray` itself is killed ``--commands`` times, each time after the next episodes were stored, and given
again; its cluster must end with it. Exits with 1 on any difference.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import gymnasium

import selfgym  # noqa: F401  (registers the ids)
from selfgym.agents.cluster import RayExecutor, connected, rollout_on
from selfgym.agents.policies.scripted import ScriptedPolicy
from selfgym.agents.random import RandomAgent
from selfgym.agents.ray_workers import LOSSES, RayPool
from selfgym.agents.react import ReactAgent
from selfgym.agents.rollout import Job, rollout
from selfgym.memory.episode import Episode
from selfgym.memory.store import EpisodeStore

WORKERS = 2
TRAINING: dict[str, Any] = {
    "env_options": {"size": "tiny", "max_steps": 12},
    "agent": {"instruction": "", "restrict": True},
    "demos": 8, "tasks": 8, "evaluations": 2, "iterations": 2, "unit": 2, "workers": WORKERS,
    "search": {"simulations": 4, "branch": 2, "max_depth": 12},
    "clone": {"steps": 2, "batch_tokens": 1024}, "update": {"steps": 2, "batch_tokens": 1024},
}  # fmt: skip


def household() -> Any:
    """What is played; episodes of some tenths of a second."""
    return gymnasium.make("selfgym/Household-v0", size="large", max_steps=120).unwrapped


def answer(text: str) -> str:
    """A policy that depends on all it has seen."""
    return ("look", "inventory", "help", "go to cabinet 1", "go to drawer 1")[sum(map(ord, text)) % 5]


def descendants(ancestor: int) -> list[int]:
    """The processes below another."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:  # it has ended meanwhile
                continue

    def below(process: int) -> bool:
        while process in parents:
            process = parents[process]
            if process == ancestor:
                return True
        return False

    return sorted(filter(below, parents))


def worker_processes() -> list[int]:
    """The actors below this process."""
    return [process for process in descendants(os.getpid()) if _is_actor(process)]


def _is_actor(process: int) -> bool:
    try:
        return b"ray::_Actor" in Path(f"/proc/{process}/cmdline").read_bytes()
    except OSError:
        return False


class Killer(threading.Thread):
    """Kills a worker after a random time, ``kills`` times or until it is stopped, and keeps what the store has then."""

    def __init__(self, store: Path, kills: int, moments: random.Random, between: tuple[float, float]) -> None:
        super().__init__(daemon=True)
        self.store, self.kills, self.moments, self.between = store, kills, moments, between
        self.hits: list[dict[str, Any]] = []
        self.acknowledged: dict[str, str] = {}
        self._over = threading.Event()

    def run(self) -> None:
        """Kill."""
        begun = time.monotonic()
        while len(self.hits) < self.kills and not self._over.wait(self.moments.uniform(*self.between)):
            if not (workers := worker_processes()):
                continue
            os.kill(self.moments.choice(workers), signal.SIGKILL)
            there = contents(self.store)
            self.hits.append({"second": round(time.monotonic() - begun, 2), "stored": len(there)})
            self.acknowledged |= there

    def stop(self) -> None:
        """Kill nothing further."""
        self._over.set()
        self.join()


def contents(path: Path) -> dict[str, str]:
    """Id -> episode with everything in it, in the order of the store."""
    if not path.exists():
        return {}
    with EpisodeStore(path, readonly=True) as store:
        return {episode.id: episode.model_dump_json() for episode in store.episodes()}


def timeless(episodes: dict[str, str]) -> list[str]:
    """The same without the times at which they were played."""
    return [json.dumps(json.loads(text) | {"created": 0.0}) for text in episodes.values()]


def jobs(number: int, make: Callable[[], Any], agent: Callable[[int], Any]) -> list[Job]:
    """The 60 episodes of a run."""
    seeds = range(60 * number, 60 * number + 60)
    return [Job(f"run/{n}", make, partial(agent, n), n, record={"env": "selfgym/Household-v0"}) for n in seeds]


Way = Callable[[Path, int, bool], "tuple[int, Any]"]
"""(folder, number of the run, whether on Ray) -> workers lost, and what must agree beside the episodes."""


def whole_episodes(folder: Path, number: int, ray: bool) -> tuple[int, Any]:
    """Each episode is played on an actor from its beginning to its end."""
    these = jobs(number, household, RandomAgent)
    if not ray:
        return _store(folder, rollout(these)), None
    with RayExecutor(WORKERS) as executor:
        _store(folder, rollout_on(executor, these))
        return executor.pool.lost, None


def environments(folder: Path, number: int, ray: bool) -> tuple[int, Any]:
    """Only the environments are on actors: each action goes there, each observation comes from there."""
    policy = ScriptedPolicy(answer)
    agent = partial(ReactAgent, policy)
    if not ray:
        these = jobs(number, household, lambda seed: agent(key=f"{seed}", seed=seed))
        return _store(folder, rollout(these, policy, width=WORKERS)), None
    with RayPool(household, ready=WORKERS) as pool:
        these = jobs(number, pool.lease, lambda seed: agent(key=f"{seed}", seed=seed))
        _store(folder, rollout(these, policy, width=WORKERS))
        return pool.lost, None


def training(folder: Path, number: int, ray: bool) -> tuple[int, Any]:
    """A run of `selfgym evolve`; the weights must agree as well."""
    from selfgym.trainers.checkpoints import checkpoint
    from selfgym.trainers.evolve import evolve
    from selfgym.trainers.stage import EvolveConfig

    config = EvolveConfig(**TRAINING, seed=number)
    lost = 0
    if ray:
        with RayExecutor(WORKERS) as executor:
            evolve(config, folder / "run", executor=executor)
            lost = executor.pool.lost
    else:
        evolve(config.model_copy(update={"workers": 1}), folder / "run")
    numbers = range(config.iterations + 1)
    return lost, [(checkpoint(folder / "run", n) / "model.safetensors").read_bytes() for n in numbers]


WAYS: dict[str, tuple[Way, str, tuple[float, float]]] = {
    "whole episodes": (whole_episodes, "episodes.db", (0.2, 3.0)),
    "environments": (environments, "episodes.db", (0.2, 3.0)),
    "training": (training, "run/episodes.db", (1.0, 20.0)),
}
"""The way to play, where its store is, and the least and greatest number of seconds between two kills."""
MOST = {"training": LOSSES - 1}
"""Kills in one run, where any of its few pieces of work might be hit by all of them, and end as what kills workers."""


def _store(folder: Path, episodes: Iterator[tuple[int, Episode]]) -> int:
    """Acknowledge each episode as it ends."""
    with EpisodeStore(folder / "episodes.db") as store:
        for _, episode in episodes:
            store.append([episode])
    return 0


def measure(name: str, kills: int, moments: random.Random, parent: Path) -> dict[str, Any]:
    """Play one way until so many workers were killed, each run beside one that was left alone in one process."""
    play, where, between = WAYS[name]
    hits: list[dict[str, Any]] = []
    found = {"runs": 0, "episodes": 0, "replaced": 0, "lost": 0, "doubled": 0, "errors": 0, "same": True}
    while len(hits) < kills:
        number = found["runs"]
        alone, killed = (parent / f"{number}-{kind}" for kind in ("alone", "killed"))
        alone.mkdir(parents=True)
        killed.mkdir()
        _, expected = play(alone, number, False)
        killer = Killer(killed / where, min(kills - len(hits), MOST.get(name, kills)), moments, between)
        killer.start()
        try:
            replaced, got = play(killed, number, True)
        finally:
            killer.stop()
        hits += killer.hits
        one, other = contents(alone / where), contents(killed / where)
        found["runs"] += 1
        found["episodes"] += len(other)
        found["replaced"] += replaced
        found["lost"] += sum(other.get(id) != text for id, text in killer.acknowledged.items())
        found["doubled"] += _rows(killed / where) - len(other) + max(0, len(other) - len(one))
        found["errors"] += sum(json.loads(text)["outcome"] == "env_error" for text in other.values())
        found["same"] = bool(found["same"] and got == expected and timeless(one) == timeless(other))
    return {"kills": len(hits), **found, "hits": hits}


def _rows(path: Path) -> int:
    with EpisodeStore(path, readonly=True) as store:
        return len(store)


COMMAND = "the command itself"


def kill_commands(kills: int, moments: random.Random, folder: Path) -> dict[str, Any]:
    """Kill the command that holds the store, and give it again."""
    path = folder / "episodes.db"
    command = ["run", "--agent", "random", "--option", "size=large", "--max-steps", "120", "--store", str(path)]
    stored: list[int] = []
    waited = []
    kept: dict[str, str] = {}
    lost = 0
    for _ in range(kills):
        given = [*command, "--run", "there", "--episodes", "100000", "--ray", "--quiet"]
        process = subprocess.Popen([sys.executable, "-c", _COMMAND, *given])
        while process.poll() is None and len(contents(path)) <= len(kept):
            time.sleep(0.1)
        time.sleep(moments.uniform(0.0, 3.0))
        cluster = descendants(process.pid)
        process.kill()
        process.wait()
        begun = time.monotonic()
        while any(map(_running, cluster)):
            time.sleep(0.1)
        waited.append(round(time.monotonic() - begun, 1))
        there = contents(path)
        lost += sum(there.get(id) != text for id, text in kept.items())
        stored.append(len(there))
        kept = there
    subprocess.run(
        [sys.executable, "-c", _COMMAND, *command, "--run", "alone", "--episodes", f"{len(kept)}"], check=True
    )
    with EpisodeStore(path, readonly=True) as store:
        episodes = {run: list(store.episodes(run=run)) for run in ("there", "alone")}
    plain = [
        [e.model_copy(update={"id": f"{e.seed}", "run": "", "created": 0.0}).model_dump_json() for e in those]
        for those in episodes.values()
    ]
    return {
        "kills": kills, "stored": stored, "seconds_until_the_cluster_was_gone": waited, "lost": lost,
        "doubled": len(plain[0]) - len(set(plain[0])), "errors": sum(e.outcome.is_error for e in episodes["there"]),
        "same": plain[0] == plain[1],
    }  # fmt: skip


_COMMAND = "import sys, selfgym.cli as cli; sys.exit(cli.main())"


def _running(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print and write the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=20, help="of each way")
    parser.add_argument("--commands", type=int, default=3, help="times that the command itself is killed")
    parser.add_argument("--seed", type=int, default=0, help="of the moments")
    parser.add_argument("--ways", default=",".join([*WAYS, COMMAND]), help="names with commas between them")
    given = parser.parse_args(arguments)
    path = Path(__file__).parent / "results" / f"ray_kill-{date.today()}.json"
    results: dict[str, Any] = json.loads(path.read_text())["ways"] if path.exists() else {}
    facts = {"kills": given.kills, "seed": given.seed, "workers": WORKERS, "cores": os.cpu_count()}
    wrong = []
    for number, name in enumerate(given.ways.split(",")):
        moments, begun = random.Random(given.seed + number), time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            if name == COMMAND:
                found = kill_commands(given.commands, moments, Path(folder))
            else:
                with connected():
                    found = measure(name, given.kills, moments, Path(folder))
        facts_now = {"minutes": round((time.monotonic() - begun) / 60, 1), "load": round(os.getloadavg()[0], 1)}
        results[name] = {**found, **facts_now}
        print(name, json.dumps({key: value for key, value in results[name].items() if key != "hits"}), flush=True)
        path.write_text(json.dumps({**facts, "ways": results}, indent=1) + "\n")
        if found["lost"] or found["doubled"] or found["errors"] or not found["same"]:
            wrong.append(name)
    if wrong:
        raise SystemExit(f"killed runs differ: {', '.join(wrong)}")


if __name__ == "__main__":
    main()
