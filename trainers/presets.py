"""Settings that suit a model: what ``selfgym evolve --model NAME`` starts from. What the user gives comes on top.

The figures of ``nano`` are from the runs in benchmarks/LOG.md: one thread (two only wait for each other at this size),
small batches (they learn to copy names from fewer tokens), bfloat16 for training (1.3x) and float32 for sampling (2x).
Where the processor has no bfloat16 it is emulated, 47 times slower than float32, so training is in float32 there.
"""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import Any

from selfgym.trainers.recipe import RECIPES

_NANO: dict[str, Any] = {
    "env_options": {"size": "tiny", "max_steps": 20},
    "agent": {"instruction": "", "max_new_tokens": 24, "max_context": 1024, "temperature": 0.7},
    "evaluation": {"temperature": 0.0},
    "demos": 500,
    "clone": {"steps": 1000, "batch_tokens": 1024, "learning_rate": 3e-3, "bf16": True},
    "clone_context": 0.3,
    "tasks": 240,
    "unit": 120,
    "search": {"simulations": 4, "branch": 3, "max_depth": 20},
    "splice": {"pairs": "any", "max_pairs": 4},
    "update": {"steps": 500, "batch_tokens": 1024, "learning_rate": 1.5e-3, "bf16": True},
    "replay": 0.8,
    "workers": 2,
}
_PRETRAINED: dict[str, Any] = {
    "env_options": {"size": "tiny", "max_steps": 20},
    "agent": {"max_new_tokens": 40, "temperature": 0.7},
    "evaluation": {"temperature": 0.0},
    "iterations": 1,
    "demos": 60,
    "clone": {"steps": 40, "batch_tokens": 1024, "learning_rate": 2e-4, "bf16": True, "checkpoint_every": 10},
    "tasks": 12,
    "unit": 6,
    "evaluations": 24,
    "search": {"simulations": 2, "branch": 2, "max_depth": 20},
    "splice": {"pairs": "any", "max_pairs": 4},
    "update": {"steps": 20, "batch_tokens": 1024, "learning_rate": 1e-4, "bf16": True, "checkpoint_every": 10},
}


_MINIWOB: dict[str, Any] = {
    "env_options": {"task": "click-button", "max_steps": 6},
    "expert": "surfer",
    "words": 60,
    "width": 8,
    "workers": 1,
    "demos": 300,
    "clone": {"steps": 300, "batch_tokens": 1024, "learning_rate": 3e-3, "bf16": True},
    "tasks": 120,
    "unit": 40,
    "evaluations": 100,
    "search": {"simulations": 2, "branch": 3, "max_depth": 6},
    "update": {"steps": 300, "batch_tokens": 1024, "learning_rate": 1.5e-3, "bf16": True},
    "iterations": 1,
}
"""What differs for `selfgym/MiniWoB-v0`: few browser contexts at once, and words of its pages for ``nano``."""


_APPS: dict[str, Any] = {
    "env_options": {"level": 1, "max_steps": 6},
    "expert": "clerk",
    "expert_options": {"skills": True},
    "demos": 100,
    "unit": 20,
    "width": 32,
    "evaluations": 44,
}
"""What differs for `selfgym/Apps-v0`, besides ``code`` and the room for it."""
_APPS_NANO: dict[str, Any] = {
    "env_options": {
        "scenario": "archive_about,favorite_by_city,complete_list,pin_tag,like_artist",
        "max_steps": 4,
        "explain": False,
    },
    "words": 60,
    "held_out": {},
    "first_evaluation": 999_000_000,
    "demos": 150,
    "clone": {"steps": 800, "batch_tokens": 512, "learning_rate": 3e-3, "bf16": True},
    "clone_context": 0.0,
    "unit": 10,
    "evaluations": 30,
}
"""What differs for ``nano`` there: five scenarios of level 1 whose parameter is one of four to eight words, and no
explanation, which it learns by heart and pays for with each episode. It learns these scenarios and no others: held out
are other worlds, by seeds that no training task reaches. With all of level 1 and the explanation it had learned the
functions after 600 steps and which parameter to give in one task of seven (benchmarks/LOG.md)."""
_DESKTOP: dict[str, Any] = {
    "env_options": {"level": 1, "marks": True, "max_steps": 12},
    "expert": "typist",
    "held_out": {},
    "first_evaluation": 999_000_000,
    "width": 64,
}
"""What differs for `selfgym/MiniDesktop-v0`: marks, and held-out tasks by seeds that no training task reaches."""
_DESKTOP_NANO: dict[str, Any] = {
    "env_options": {"task": "files-count", "marks": True, "width": 640, "height": 400, "max_steps": 6},
    "words": 100,
    "workers": 1,
    "demos": 100,
    "clone": {"steps": 600, "batch_tokens": 1024, "learning_rate": 1e-3, "bf16": True},
    "clone_context": 0.0,
    "tasks": 32,
    "unit": 16,
    "iterations": 10,
    "evaluate_every": 5,
    "average": 4,
    "evaluations": 150,
}
"""What differs for ``nano`` there: one kind of task, whose episodes have 300 tokens, and few demonstrations."""
_REFLECTION_NANO: dict[str, Any] = {
    "agent": {"instruction": "", "max_new_tokens": 40, "max_context": 1024, "temperature": 0.7},
    "iterations": 4,
    "evaluate_every": 1,
    "average": 1,
    "tasks": 200,
    "unit": 50,
    "replay": 0.5,
    "update": {"steps": 120, "batch_tokens": 1024, "learning_rate": 1.5e-3, "bf16": True},
}
"""What differs for GUI-Reflection there: it says what it thinks, and collects more, which costs no sampling."""
_CHAINS_NANO: dict[str, Any] = {
    "iterations": 6,
    "evaluate_every": 3,
    "tasks": 20,
    "group": {"replay": 0.6, "negative": 0.3},
    "update": {"epochs": 1, "batch_tokens": 1024, "learning_rate": 5e-4, "tree": True, "bf16": True},
}
"""What differs for SAGE there: rows are short, so that larger batches would be few. Without demonstrations beside the
chains it fell apart at this rate: 57, 47 and 31% of the sampled tasks were done in the first three iterations
(benchmarks/LOG.md)."""
_SKILLED: dict[str, Any] = {"expert": "skilled-expert", "words": 60, "env_options": {"size": "tiny", "max_steps": 30}}
"""What differs for SAGE in a household."""
_GAME: dict[str, Any] = {"env_options": {}, "expert": "solver", "words": 60}
"""What differs for a game and for somebody else's environment: its own limits, the words that its solutions show."""
_WORLDS: dict[str, dict[str, Any]] = {
    "selfgym/Household": {},
    "selfgym/AlfWorld": {},
    "selfgym/Code": {},
    "selfgym/Web": {},
    "selfgym/BrowserGym": {},
    "selfgym/MiniWoB": _MINIWOB,
    "selfgym/Apps": _APPS,
    "selfgym/Desktop": {},
    "selfgym/MiniDesktop": _DESKTOP,
}
"""What differs by world: nothing where the settings of a model suit; in any that is not here, what a game needs."""
_GROUPS: dict[str, dict[str, Any]] = {
    "nano": {
        "iterations": 12,
        "evaluate_every": 6,
        "average": 6,
        "clone": {"steps": 1000, "batch_tokens": 1024, "learning_rate": 1e-3, "bf16": True},
        "tasks": 48,
        "unit": 24,
        "agent": {"instruction": "", "max_new_tokens": 24, "max_context": 1024, "temperature": 1.0},
        "update": {"epochs": 1, "batch_tokens": 2048, "learning_rate": 5e-4, "tree": True, "bf16": True},
    },
    "": {
        "agent": {"max_new_tokens": 40, "temperature": 1.0},
        "iterations": 2,
        "tasks": 6,
        "unit": 3,
        "group": {"size": 4},
        "update": {"epochs": 1, "batch_tokens": 2048, "learning_rate": 2e-5, "tree": True, "bf16": True},
    },
}
"""What differs for methods on groups: many small updates, each on episodes of the policy it updates."""
_HELD = {"refused": 0.5, "replay": 0.6, "negative": 0.3}
"""What keeps ``nano`` from falling apart under advantages: with a plain loss it did, within three iterations at
1e-3 and within fifteen at 3e-4 (benchmarks/LOG.md)."""
_ADVANTAGES = ("grpo", "dr-grpo", "rloo", "dapo", "gigpo", "starpo", "sage", "sage-without-library")


def preset(model: str = "nano", env: str = "", recipe: str = "agent-r") -> dict[str, Any]:
    """Settings of `EvolveConfig` for ``model`` in ``env``; small for a pretrained model, so that a CPU can finish."""
    settings = {"model": model, **deepcopy(_NANO if model == "nano" else _PRETRAINED)}
    if RECIPES.get(recipe, "").rpartition(":")[0].endswith((".groups", ".sage")):
        settings |= deepcopy(_GROUPS["nano" if model == "nano" else ""])
        if model == "nano" and recipe in _ADVANTAGES:
            settings["group"] = dict(_HELD)
    name = env.rpartition(":")[2] or "selfgym/Household-v0"
    world = name.partition("-")[0]
    settings |= deepcopy(_WORLDS.get(world, _GAME))
    if world == "selfgym/Apps":
        settings["agent"] |= {"code": True, "max_new_tokens": 120, "max_context": 2000}
        if model == "nano":
            settings |= deepcopy(_APPS_NANO | (_CHAINS_NANO if recipe.startswith("sage") else {}))
        else:
            settings["held_out"] = {"split": "test-normal"}
    elif world == "selfgym/MiniDesktop":
        if model == "nano":
            settings |= deepcopy(_DESKTOP_NANO | (_REFLECTION_NANO if recipe == "gui-reflection" else {}))
    elif recipe.startswith("sage"):
        settings |= deepcopy(_SKILLED)
        settings["agent"] |= {"max_new_tokens": 64}
    for update in ("clone", "update"):
        settings[update]["bf16"] = settings[update]["bf16"] and _has_bf16()
    return settings


def _has_bf16() -> bool:
    """Whether a GPU or the processor computes in bfloat16 itself."""
    import torch

    flags = Path("/proc/cpuinfo")
    known = flags.exists() and {"avx512_bf16", "amx_bf16"} & set(flags.read_text().split())
    return bool(known) or (torch.cuda.is_available() and torch.cuda.is_bf16_supported())
