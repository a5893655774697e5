"""A policy by name, as the command line gives it."""

from __future__ import annotations

import importlib
from typing import Any

from selfgym.agents.policies.policy import Policy


def load_policy(spec: str, **options: Any) -> Policy:
    """The policy that ``spec`` names.

    ``nano``, ``smollm2``, a folder, a ``.gguf`` file or a hub id give a `TransformersPolicy` (``options`` are those of
    its `load`); ``scripted:module:function`` a `ScriptedPolicy` that answers with that function; ``vllm:`` and any of
    the names above but a ``.gguf`` file a `VllmPolicy`; ``server:http://HOST:PORT`` a `ServerPolicy`, see its
    `from_spec`.
    """
    kind, _, rest = spec.partition(":")
    if kind == "scripted":
        from selfgym.agents.policies.scripted import ScriptedPolicy

        module, _, function = rest.partition(":")
        try:
            answer = getattr(importlib.import_module(module), function)
        except (ImportError, AttributeError, ValueError) as error:
            raise LookupError(f"{spec!r} does not name a function as scripted:module:function: {error}") from error
        return ScriptedPolicy(answer, **options)
    if kind == "vllm":
        from selfgym.agents.policies.vllm import VllmPolicy

        return VllmPolicy.load(rest, **options)
    if kind == "server":
        from selfgym.agents.policies.server import ServerPolicy

        return ServerPolicy.from_spec(rest, **options)
    try:
        from selfgym.agents.policies.transformers import TransformersPolicy
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f"language models need the package {error.name}: pip install 'selfgym[train]'", name=error.name
        ) from error
    return TransformersPolicy.load(spec, **options)
