"""One tiny iteration: a new model plays, and is trained on the demonstrations and on what it won."""

import json

from selfgym.envs.core import Outcome
from selfgym.memory.store import EpisodeStore
from selfgym.trainers.evolve import evolve
from selfgym.trainers.stage import EvolveConfig

CONFIG = EvolveConfig(
    recipe="my_recipe",
    env="selfgym/KuhnPoker-v0",
    expert="solver",
    iterations=1,
    demos=2,
    tasks=4,
    evaluations=2,
    agent={"restrict": True},
    clone={"steps": 2},
    update={"steps": 2},
)


def test_one_iteration(tmp_path):
    run = tmp_path / "run"
    metrics = evolve(CONFIG, run)
    assert [record["iteration"] for record in metrics] == [0, 1]
    with EpisodeStore(run / "episodes.db", readonly=True) as store:
        tries = list(store.episodes(phase="group-0"))
    assert len(tries) == 4 * CONFIG.tasks
    assert not [episode.error for episode in tries if episode.outcome.is_error]
    won = [episode for episode in tries if episode.outcome is Outcome.SUCCESS]
    update = json.loads((run / "checkpoints" / "1" / "update.json").read_text())
    assert update["rows"] == CONFIG.demos + len(won)
