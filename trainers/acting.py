"""Who plays in a process of a run: the policy of a checkpoint, one at a time.

With Transformers it is loaded anew for each checkpoint. vLLM's engine takes long to start, so a process keeps one and
hands it the weights of each checkpoint in turn; where it may sleep, it does so whenever it has nothing to play.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from selfgym.agents.policies.load import load_policy
from selfgym.agents.policies.policy import Policy

if TYPE_CHECKING:
    from selfgym.trainers.stage import EvolveConfig


def device_of(config: EvolveConfig) -> str:
    """What a run's model is to be on, as PyTorch names it."""
    if config.device != "auto":
        return config.device
    return "cuda" if torch.cuda.is_available() else "cpu"


def acting_policy(config: EvolveConfig, folder: Path, version: int) -> Policy:
    """The policy of the checkpoint in ``folder``; its cache is empty: nothing depends on what was done before."""
    if config.sampler == "vllm":
        policy = _served(folder, json.dumps(config.sampler_options, sort_keys=True))
    else:
        device = device_of(config)
        usual = {"device": device, "dtype": "float32" if device == "cpu" else "bfloat16"}
        policy = _loaded(folder, json.dumps(usual | config.sampler_options, sort_keys=True))
    policy.name, policy.version = config.model, version
    policy.forget(None)
    return policy


def rest(config: EvolveConfig, policy: Any) -> None:
    """Have an engine that may sleep leave the GPU to the trainer until it acts again."""
    if _sleeps(config.sampler, config.sampler_options):
        policy.sleep()


def _sleeps(sampler: str, options: dict[str, Any]) -> bool:
    return sampler == "vllm" and bool(options.get("enable_sleep_mode"))


@lru_cache(maxsize=1)
def _loaded(folder: Path, options: str) -> Policy:
    return load_policy(str(folder), **json.loads(options))


@dataclass
class _Engine:
    policy: Any
    holds: Path
    """The checkpoint whose weights it has."""


def _served(folder: Path, options: str) -> Policy:
    engine = _engine(folder.with_name("start"), options)
    if _sleeps("vllm", json.loads(options)):
        engine.policy.wake()
    if engine.holds != folder:
        engine.policy.load_weights(folder)
        engine.holds = folder
    return engine.policy  # type: ignore[no-any-return]


@lru_cache(maxsize=1)
def _engine(start: Path, options: str) -> _Engine:
    """This process's engine, for the run whose first model is ``start``: the later ones have its architecture."""
    return _Engine(load_policy(f"vllm:{start}", **json.loads(options)), start)
