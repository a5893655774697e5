"""Minari datasets of text episodes (Farama; Younis et al.), for whoever learns from offline data.

The folder written is the dataset's; its name is the dataset's id, so it ends in a version: ``household-v0``. Inside
Minari's own folder (``$MINARI_DATASETS_PATH``) the id is the path from there, and ``minari.load_dataset`` finds it;
elsewhere ``minari.MinariDataset`` opens the folder ``data`` in it, by an absolute path. Observations and actions are
text; the spaces hold exactly the characters that occur. The last step of an episode is a termination where the outcome
is success or failure, else a truncation. ``infos`` has, for each action, ``thought``, ``valid``, ``source`` and
``state_key``, and an empty entry after the last. An episode's metadata has its seed, outcome, task, names and
``env_options``. Lost are tokens, log-probabilities, single steps' ``info``, and links between episodes. Needs minari
and pyarrow.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from selfgym.envs.core import Outcome
from selfgym.memory.episode import Episode
from selfgym.memory.exchange.files import CannotWriteError, replacing_folder

_ENDS = (Outcome.SUCCESS, Outcome.FAILURE)
_TOLD = ("id", "env_version", "env_options", "task", "task_id", "agent", "policy", "run", "phase", "split", "group")


class _Texts:
    """The characters of all texts and the length of the longest, for a space that holds just these."""

    def __init__(self) -> None:
        self.characters: set[str] = set()
        self.longest = 1

    def seen(self, texts: list[str]) -> list[str]:
        for text in texts:
            self.characters.update(text)
            self.longest = max(self.longest, len(text))
        return texts

    def space(self) -> Any:
        from gymnasium.spaces import Text

        return Text(self.longest, min_length=0, charset="".join(sorted(self.characters)) or " ")


def write(episodes: Iterable[Episode], path: Path) -> int:
    """Write episodes of one environment as a dataset; their number.

    Raises `CannotWriteError` without minari, for a name that is no id, for no episodes and for several environments.
    """
    try:
        from minari import MinariDataset, __version__
        from minari.dataset.minari_storage import MinariStorage
    except ImportError as error:
        raise CannotWriteError("Minari datasets need minari: pip install 'selfgym[minari]'") from error

    rest = iter(episodes)
    first = next(rest, None)
    if first is None:
        raise CannotWriteError("there are no episodes to write: a Minari dataset has at least one")
    id, path = _dataset_id(path), path.absolute()  # Minari cannot read what has a relative path
    observed, acted = _Texts(), _Texts()
    with replacing_folder(path) as folder:
        (folder / "data").mkdir()
        storage = MinariStorage.new(
            folder / "data", observed.space(), acted.space(), env_spec=_spec(first.env), data_format="arrow"
        )
        number = 0
        for episode in _of_one_environment(first, rest):
            storage.update_episodes([_buffer(episode, number, observed, acted)])
            storage.update_episode_metadata([_metadata(episode)], [number])
            number += 1
        storage.update_metadata(
            {
                "dataset_id": id,
                "minari_version": __version__,
                "description": f"Episodes of {first.env}, recorded by selfgym.",
            }
        )
        _say_spaces(folder / "data", observed, acted)
        assert MinariDataset(folder / "data").total_episodes == number
    return number


def _say_spaces(data: Path, observed: _Texts, acted: _Texts) -> None:
    """Put the spaces into the dataset's file of facts: only now are they known, and Minari does not change them."""
    from minari.dataset.minari_storage import METADATA_FILE_NAME
    from minari.serialization import serialize_space

    facts = json.loads((data / METADATA_FILE_NAME).read_text("utf-8"))
    spaces = {"observation_space": serialize_space(observed.space()), "action_space": serialize_space(acted.space())}
    (data / METADATA_FILE_NAME).write_text(json.dumps(facts | spaces), "utf-8")


def _buffer(episode: Episode, number: int, observed: _Texts, acted: _Texts) -> Any:
    import numpy as np
    from minari.data_collector import EpisodeBuffer

    steps = episode.steps
    ended = np.zeros(len(steps), bool)
    ended[-1:] = True
    terminated = episode.outcome in _ENDS
    return EpisodeBuffer(
        id=number,
        seed=episode.seed,
        observations=observed.seen([*(step.observation for step in steps), episode.final_observation]),
        actions=acted.seen([step.action for step in steps]),
        rewards=np.array([step.reward for step in steps], float),
        terminations=ended & terminated,
        truncations=ended & (not terminated),
        infos={
            "thought": [*(step.thought for step in steps), ""],
            "valid": [*(step.valid for step in steps), True],
            "source": [*(str(step.source) for step in steps), ""],
            "state_key": [*(step.state_key for step in steps), ""],
        },
    )


def _metadata(episode: Episode) -> dict[str, Any]:
    """What is kept of an episode as a whole; Minari has the number of an episode as its ``id``."""
    told = episode.model_dump(mode="json", include={*_TOLD})
    return {"episode_id": told.pop("id"), **told, "outcome": str(episode.outcome), "error": episode.error}


def _of_one_environment(first: Episode, rest: Iterator[Episode]) -> Iterator[Episode]:
    yield first
    for episode in rest:
        if episode.env != first.env:
            raise CannotWriteError(
                f"a Minari dataset is of one environment, but there are episodes of {first.env} and {episode.env}: "
                "choose some with --run or --phase"
            )
        yield episode


def _dataset_id(path: Path) -> str:
    from minari.dataset.minari_dataset import DATASET_ID_RE
    from minari.storage import get_dataset_path

    root, here = Path(get_dataset_path()).resolve(), path.resolve()
    id = here.relative_to(root).as_posix() if here.is_relative_to(root) else here.name
    found = DATASET_ID_RE.fullmatch(id)
    if not found or found["version"] is None:
        raise CannotWriteError(
            f"{id!r} is no id of a Minari dataset: name the folder like household-v0, with a version"
        )
    return id


def _spec(env: str) -> Any:
    import gymnasium

    return gymnasium.registry.get(env)
