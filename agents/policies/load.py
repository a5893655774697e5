"""A policy by name, as the command line gives it."""

from __future__ import annotations

import importlib
from typing import Any

from selfgym.agents.policies.policy import Policy


def load_policy(spec: str, **options: Any) -> Policy:
    """The policy that ``spec`` names.

    ``nano``, ``smollm2``, a folder, a ``.gguf`` file or a hub id give a `TransformersPolicy` (``options`` are those of
    its `load`); ``scripted:module:function`` a `ScriptedPolicy` that answers with that function.
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
    try:
        from selfgym.agents.policies.transformers import TransformersPolicy
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f"language models need the package {error.name}: pip install 'selfgym[train]'", name=error.name
        ) from error
    return TransformersPolicy.load(spec, **options)
