"""Minari datasets: the real package reads back every step, from real episodes and from difficult text."""

from __future__ import annotations

import re
from pathlib import Path

import gymnasium
import numpy as np
import pytest

from selfgym.cli import main
from selfgym.envs.core import Outcome
from selfgym.memory.episode import Episode, Step
from selfgym.memory.exchange.files import CannotWriteError
from selfgym.memory.exchange.formats import export_episodes
from selfgym.memory.store import EpisodeStore

minari = pytest.importorskip("minari", reason="pip install 'selfgym[minari]'")
HARD = "line\u2028separator\x85 \x0b\x1c\r\n\ttab \U0001f600 \x00 naïve"


def made(number: int, length: int = 2, **fields: object) -> Episode:
    """An episode of as many steps, with text that formats stumble over."""
    steps = tuple(
        Step(observation=f"{HARD} {number}.{at}", action=f"go {at} {HARD}", thought="hm" * at, reward=0.25 * at)
        for at in range(length)
    )
    base: dict[str, object] = {"id": f"e{number}", "env": "selfgym/Household-v0", "seed": number, "task": "tidy up"}
    return Episode(**(base | {"outcome": Outcome.SUCCESS, "final_observation": "done", "steps": steps} | fields))  # type: ignore[arg-type]


def check(dataset: object, episodes: list[Episode]) -> None:
    """Compare every step and what is told of each episode."""
    read = list(dataset.iterate_episodes())  # type: ignore[attr-defined]
    told = list(dataset.storage.get_episode_metadata(range(len(read))))  # type: ignore[attr-defined]
    assert len(read) == len(episodes) == dataset.total_episodes  # type: ignore[attr-defined]
    assert dataset.total_steps == sum(len(episode.steps) for episode in episodes)  # type: ignore[attr-defined]
    for one, facts, episode in zip(read, told, episodes, strict=True):
        steps, last = episode.steps, len(episode.steps) - 1
        assert one.observations == [*(step.observation for step in steps), episode.final_observation]
        assert one.actions == [step.action for step in steps]
        assert one.rewards.tolist() == [step.reward for step in steps]
        ended = episode.outcome in (Outcome.SUCCESS, Outcome.FAILURE)
        assert one.terminations.tolist() == [ended and at == last for at in range(len(steps))]
        assert one.truncations.tolist() == [not ended and at == last for at in range(len(steps))]
        assert one.infos["thought"].tolist() == [*(step.thought for step in steps), ""]
        assert one.infos["valid"].tolist() == [*(step.valid for step in steps), True]
        assert one.infos["state_key"].tolist() == [*(step.state_key for step in steps), ""]
        assert facts.get("seed") == episode.seed
        assert facts["total_steps"] == len(steps)
        for name in ("task", "task_id", "agent", "env_options", "outcome", "error", "run", "split"):
            assert facts[name] == getattr(episode, name), name
        assert facts["episode_id"] == episode.id
        for text in one.observations:
            assert dataset.observation_space.contains(text)  # type: ignore[attr-defined]
        for text in one.actions:
            assert dataset.action_space.contains(text)  # type: ignore[attr-defined]


def test_real_episodes_are_loaded_by_id_and_the_environment_with_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    store, root = tmp_path / "e.db", tmp_path / "datasets"
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(root))
    (root / "selfgym").mkdir(parents=True)
    for agent, steps in (("expert", "50"), ("random", "4")):
        command = ["run", "--agent", agent, "-o", "size=tiny", "--episodes", "3", "--max-steps", steps]
        assert main([*command, "--store", str(store), "--seed", "5", "--quiet"]) == 0
    out = str(root / "selfgym/household-v0")
    assert main(["export", str(store), "--format", "minari", "--out", out]) == 0
    assert f"6 episodes written to {out} (minari)" in capsys.readouterr().out
    with EpisodeStore(store, readonly=True) as opened:
        episodes = list(opened.episodes())
    assert {episode.outcome for episode in episodes} == {Outcome.SUCCESS, Outcome.TRUNCATED}
    dataset = minari.load_dataset("selfgym/household-v0")
    check(dataset, episodes)
    env = dataset.recover_environment()
    assert env.spec.id == "selfgym/Household-v0"
    seeded = next(iter(dataset.storage.get_episode_metadata([0])))
    assert seeded["env_options"] == {"size": "tiny", "max_steps": 50}
    again = gymnasium.make("selfgym/Household-v0", **seeded["env_options"])
    observation, _ = again.reset(seed=seeded["seed"])
    first = dataset[0]
    rewards = []
    for action, seen in zip(first.actions, first.observations, strict=False):
        assert observation == seen
        observation, reward, *_ = again.step(action)
        rewards.append(reward)
    assert rewards == first.rewards.tolist()
    assert list(minari.list_local_datasets()) == ["selfgym/household-v0"]


def test_difficult_text_and_ends_of_every_kind_come_back(tmp_path: Path) -> None:
    episodes = [made(number, 1 + number, outcome=outcome) for number, outcome in enumerate(Outcome)]
    episodes.append(made(50, 0, outcome=Outcome.ENV_ERROR, error="it broke", final_observation="", seed=None))
    episodes.append(made(51, 1, seed=2**70, env_options={"deep": {"x": [1, None]}}))
    assert export_episodes(iter(episodes), tmp_path / "hard-v3", "minari") == len(episodes)
    dataset = minari.MinariDataset(tmp_path / "hard-v3" / "data")
    assert (dataset.spec.dataset_id, dataset.spec.version) == ("hard-v3", 3)
    check(dataset, episodes)
    assert [path.name for path in tmp_path.iterdir()] == ["hard-v3"]
    sampled = dataset.filter_episodes(lambda episode: bool(np.any(episode.terminations)))
    assert {len(episode) for episode in sampled} == {2, 3, 1}


def test_a_path_may_be_relative(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    export_episodes([made(0), made(1)], "near-v0", "minari")
    check(minari.MinariDataset(tmp_path / "near-v0" / "data"), [made(0), made(1)])


def test_what_is_no_dataset_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    for name in ("house", "house-v", "-v0", "a b-v1"):
        with pytest.raises(CannotWriteError, match=f"{re.escape(repr(name))} is no id of a Minari dataset"):
            export_episodes([made(0)], tmp_path / name, "minari")
    with pytest.raises(CannotWriteError, match="there are no episodes to write"):
        export_episodes([], tmp_path / "none-v0", "minari")
    two = [made(0), made(1, env="selfgym/Code-v0")]
    with pytest.raises(CannotWriteError, match=r"episodes of selfgym/Household-v0 and selfgym/Code-v0: choose some"):
        export_episodes(two, tmp_path / "two-v0", "minari")
    assert list(tmp_path.iterdir()) == []
    export_episodes([made(0)], tmp_path / "one-v0", "minari")
    with pytest.raises(CannotWriteError, match="exists and is not an empty folder"):
        export_episodes([made(0)], tmp_path / "one-v0", "minari")


def test_an_environment_that_is_not_registered_here_can_be_written(tmp_path: Path) -> None:
    export_episodes([made(0, env="elsewhere/Thing-v0")], tmp_path / "thing-v0", "minari")
    dataset = minari.MinariDataset(tmp_path / "thing-v0" / "data")
    assert dataset.env_spec is None
    check(dataset, [made(0, env="elsewhere/Thing-v0")])
