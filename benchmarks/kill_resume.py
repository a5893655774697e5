"""kill -9 at random moments of a run of every recipe: does each one resume to the weights of a run left alone?

    python benchmarks/kill_resume.py [--recipes all] [--kills 4]

For each case one run is left alone. Another, with the same settings, is killed with SIGKILL at random moments and
started again each time, until it has been killed ``--kills`` times; then it is left to finish. Compared are the bytes
of the weights after every update, all episodes with their contents, the notes and the metrics. A moment is a number
of reports of progress, fewer than half of those of a run, and some time after. Exits with 1 on any difference, and
where a stage of the run left alone was not gone through twice: an update without rows, for one, would resume whatever
happens. The results of a day are one file: what is measured again takes the place of what was there.

A case is a recipe, with the environment where that is not the household. All cases of an environment begin with a
model that has learned by heart how a teacher solves the very tasks they collect on: a fresh one wins nothing, and
groups without differences teach nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import tempfile
import time
from collections import Counter
from datetime import date
from multiprocessing import get_context
from multiprocessing.context import ForkServerProcess as Process
from pathlib import Path
from typing import Any

import torch

from selfgym.agents.policies.nano import make_nano
from selfgym.agents.policies.transformers import TransformersPolicy
from selfgym.memory.store import EpisodeStore
from selfgym.trainers.checkpoints import checkpoint
from selfgym.trainers.evolve import evolve
from selfgym.trainers.recipe import RECIPES, find_recipe
from selfgym.trainers.rows import rows_from
from selfgym.trainers.stage import EvolveConfig, Stage, task_seed
from selfgym.trainers.update import UpdateConfig, update

SETTINGS: dict[str, Any] = {
    "env_options": {"size": "tiny", "max_steps": 12},
    "agent": {"instruction": "", "max_new_tokens": 12, "temperature": 1.4},
    "demos": 6,
    "tasks": 4,
    "evaluations": 4,
    "iterations": 2,
    "unit": 2,
    "search": {"simulations": 3, "branch": 2, "max_depth": 12},
    "splice": {"pairs": "any"},
    "clone": {"steps": 6, "batch_tokens": 1024, "learning_rate": 2e-4, "checkpoint_every": 2},
    "update": {"steps": 6, "batch_tokens": 1024, "learning_rate": 1e-4, "checkpoint_every": 2},
}
_CHAINS: dict[str, Any] = {"tasks": 2, "demos": 2, "evaluations": 1, "unit": 1, "chain": {"samples": 6}}
_GROUPS: dict[str, Any] = {"group": {"size": 4}}
_SEQUENCES: dict[str, Any] = {
    **_CHAINS,
    "env_options": {"size": "tiny", "max_steps": 9},
    "agent": {"instruction": "", "max_new_tokens": 48, "temperature": 1.4},
    "expert": "skilled-expert",
}
_FUNCTIONS: dict[str, Any] = {
    **_CHAINS,
    "env": "selfgym/Apps-v0",
    "env_options": {"level": 1, "max_steps": 3},
    "held_out": {"split": "test-normal"},
    "agent": {"instruction": "", "code": True, "max_new_tokens": 80, "temperature": 1.4},
    "expert": "clerk",
    "expert_options": {"skills": True},
}
_DESKTOP: dict[str, Any] = {
    "env": "selfgym/MiniDesktop-v0",
    "env_options": {"task": "files-delete,settings-switch", "marks": True, "width": 640, "height": 400, "max_steps": 8},
    "held_out": {},
    "agent": {"instruction": "", "max_new_tokens": 24, "temperature": 1.4},
    "expert": "typist",
}
CASES: dict[str, dict[str, Any]] = {
    **{name: {} for name in ("direct-revision", "good-only", "more-cloning")},
    "agent-r": {"workers": 2},
    "gui-reflection": _DESKTOP,
    **dict.fromkeys(("grpo", "dr-grpo", "rloo", "starpo", "nft", "reinforce"), _GROUPS),
    "dpo": {**_GROUPS, "update": SETTINGS["update"] | {"batch_tokens": 2048}},  # a pair has to fit
    "dapo": {"group": {"size": 4, "refill": 2}},
    "gigpo": {**_GROUPS, "workers": 2},
    "sage": {**_SEQUENCES, "workers": 2},
    **dict.fromkeys(("sage-without-library", "sage-more-cloning"), _SEQUENCES),
    "sage selfgym/Apps-v0": _FUNCTIONS,
}
# started once, with everything imported: a kill takes a run in its work, not Python in its imports
_PROCESSES = get_context("forkserver")
_PROCESSES.set_forkserver_preload(["selfgym.trainers.evolve", "selfgym.trainers.recipes.sage", "matplotlib.pyplot"])


def settings_of(case: str, starts: Path) -> dict[str, Any]:
    """The settings of a case; its start is made in ``starts`` if it is not there."""
    settings = SETTINGS | CASES[case] | {"recipe": case.partition(" ")[0]}
    start = starts / f"{settings.get('expert', 'expert')}"
    if not start.exists():
        learn_by_heart(EvolveConfig(**settings), start)
    return settings | {"model": str(start)}


def learn_by_heart(config: EvolveConfig, folder: Path) -> None:
    """Clone the teacher on the tasks that runs with these settings collect on."""
    recipe = find_recipe(config.recipe)
    seeds = [task_seed(config.seed, number + 1, i) for number in range(config.iterations) for i in range(config.tasks)]
    model, tokenizer = make_nano(_texts(config, seeds), seed=config.seed, layers=2, vocab_size=2048)
    stage = Stage(config, Path("start"), TransformersPolicy(model, tokenizer, name="start"))
    rows = [row for e in recipe.demonstrate(stage, [stage.task(seed) for seed in seeds]) for row in rows_from(e)]
    how = UpdateConfig(steps=200, batch_tokens=1024, learning_rate=3e-3)
    update(model, rows, how, seed=config.seed, pad_id=tokenizer.pad_token_id)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def _texts(config: EvolveConfig, seeds: list[int]) -> list[str] | None:
    """What the teacher sees and does, where a household's words are not enough."""
    if config.expert == "expert":
        return None
    stage = Stage(config, Path("start"), TransformersPolicy(*make_nano(), name="words"))
    played = find_recipe(config.recipe).demonstrate(stage, [stage.task(seed) for seed in seeds])
    return [text for e in played for step in e.steps for text in (step.observation, step.thought, step.action)]


def run(settings: dict[str, Any], folder: Path, report: Path) -> None:
    """Start, or go on with, the run in ``folder``, and write what it says of its progress into ``report``."""
    with report.open("w") as file:
        evolve(EvolveConfig(**settings), folder, progress=lambda *what: print(*what, file=file, flush=True))


def start(settings: dict[str, Any], folder: Path) -> Process:
    """The run in ``folder``, in a process of its own."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    report = folder.with_suffix(".told")
    report.unlink(missing_ok=True)
    process = _PROCESSES.Process(target=run, args=(settings, folder, report))
    process.start()
    return process


def told(folder: Path) -> list[str]:
    """What the last process of the run in ``folder`` has told of its progress so far."""
    report = folder.with_suffix(".told")
    return report.read_text().splitlines() if report.exists() else []


def finish(process: Process) -> None:
    """Wait for a run that must succeed."""
    process.join()
    if process.exitcode:
        raise SystemExit(f"the run failed with exit code {process.exitcode}")


def state(folder: Path, iterations: int) -> dict[str, Any]:
    """Everything that must agree: the weights after each update, episodes without their times, notes, metrics."""
    with EpisodeStore(folder / "episodes.db", readonly=True) as store:
        episodes = [episode.model_copy(update={"created": 0.0}).model_dump_json() for episode in store.episodes()]
        notes = {key: store.notes(key) for key in ("done", "updates")}
    weights = [(checkpoint(folder, number) / "model.safetensors").read_bytes() for number in range(iterations + 1)]
    return {"weights": weights, "episodes": episodes, **notes, "metrics": (folder / "metrics.jsonl").read_text()}


def gone_through(settings: dict[str, Any], left_alone: dict[str, Any]) -> dict[str, Any]:
    """How often each stage was gone through. Exits where it was less than twice."""
    played = [json.loads(text) for text in left_alone["episodes"]]
    phases = Counter(episode["phase"] for episode in played)
    pieces = Counter(note["piece"].partition("-")[0].partition("/")[0] for note in left_alone["done"])
    updates = [{name: note[name] for name in ("rows", "steps")} for note in left_alone["updates"]]
    kept = [(note["steps"] - 1) // settings["clone" if i == 0 else "update"]["checkpoint_every"]
            for i, note in enumerate(updates)]  # fmt: skip
    found: dict[str, Any] = {
        "pieces": pieces,
        "episodes": phases,
        "updates": updates,
        "checkpoints_within_updates": kept,
    }
    if "refill" in settings.get("group", {}):  # see `collect_groups`: seeds of another half
        found["refilled"] = len({e["group"] for e in played if e["seed"] % 1_000_000 >= 500_000})
    counts = [*(pieces[piece] for piece in ("demo", "tree", "update", "eval")), *kept, found.get("refilled", 2)]
    if min(counts) < 2:
        raise SystemExit(f"a stage was gone through less than twice: {json.dumps(found)}")
    return found


def measure(kills: int, seed: int, settings: dict[str, Any], parent: Path) -> dict[str, Any]:
    """Do the run that is left alone and as many killed ones as it takes, and compare every one that ended."""
    alone, killed = parent / "alone" / "run", parent / "killed" / "run"
    iterations = int(settings["iterations"])
    begun = time.monotonic()
    finish(start(settings, alone))
    seconds, reports = time.monotonic() - begun, len(told(alone))
    expected = state(alone, iterations)
    found = gone_through(settings, expected)
    moments = random.Random(seed)
    hit: list[str] = []
    ended = []
    while len(hit) < kills:
        process = start(settings, killed)
        wanted = moments.randrange(reports // 2)
        while process.is_alive() and len(told(killed)) < wanted:
            time.sleep(0.01)
        process.join(moments.uniform(0.0, 2 * seconds / reports))
        if process.is_alive():
            process.kill()
            process.join()
            hit.append(" ".join(told(killed)[-1:]))
            continue
        finish(process)  # it ended before the moment came: compare it, and kill another one from the start
        ended.append(state(killed, iterations))
        shutil.rmtree(killed)
    finish(start(settings, killed))
    ended.append(state(killed, iterations))
    ids = [json.loads(text)["id"] for other in ended for text in other["episodes"]]
    return {
        "kills": len(hit),
        "killed_after": hit,
        "runs": len(ended),
        "seconds_left_alone": round(seconds, 1),
        "gone_through": found,
        "doubled": len(ids) - len(ended) * len(set(ids)),
        "same": {name: all(other[name] == expected[name] for other in ended) for name in expected},
    }


def chosen(names: str) -> list[str]:
    """The cases of the recipes that are asked for. Exits on an unknown name, and where a recipe has no case."""
    if missing := RECIPES.keys() - {case.partition(" ")[0] for case in CASES}:
        raise SystemExit(f"no case for {', '.join(sorted(missing))}")
    wanted = list(RECIPES) if names == "all" else names.split(",")
    for name in wanted:
        find_recipe(name)
    return [case for name in wanted for case in CASES if case.partition(" ")[0] == name]


def main() -> None:
    """Measure, print, and write the result after each case."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recipes", default="all", help="names with commas between them; default: all")
    parser.add_argument("--kills", type=int, default=4, help="of each case")
    parser.add_argument("--seed", type=int, default=0, help="of the moments")
    arguments = parser.parse_args()
    os.environ |= {"HF_HUB_OFFLINE": "1", "HF_HUB_DISABLE_PROGRESS_BARS": "1"}
    torch.set_num_threads(1)
    path = Path(__file__).parent / "results" / f"kill_resume-{date.today()}.json"
    results: dict[str, Any] = json.loads(path.read_text())["cases"] if path.exists() else {}
    wrong = []
    with tempfile.TemporaryDirectory() as folder:
        for number, case in enumerate(chosen(arguments.recipes)):
            settings = settings_of(case, Path(folder) / "starts")
            result = measure(arguments.kills, arguments.seed + number, settings, Path(folder) / str(number))
            settings |= {"model": Path(settings["model"]).name}
            results[case] = {"settings": settings, "seed": arguments.seed + number, **result}
            print(case, json.dumps(result), flush=True)
            path.write_text(json.dumps({"cases": results}, indent=2) + "\n")
            if result["doubled"] or not all(result["same"].values()):
                wrong.append(case)
    if wrong:
        raise SystemExit(f"killed runs differ from the ones that were left alone: {', '.join(wrong)}")


if __name__ == "__main__":
    main()
