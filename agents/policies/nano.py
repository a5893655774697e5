"""The nano model: a small Llama with a tokenizer of household words, made from scratch in seconds.

It exists so that every loop of selfgym can be run and tested on a laptop with no download. It knows nothing until it
is trained. Both parts are ordinary Hugging Face objects and save as an ordinary folder.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from selfgym.agents.policies.nano_text import MARKS, PHRASES, household_sentences

if TYPE_CHECKING:
    from transformers import LlamaForCausalLM, PreTrainedTokenizerFast

PAD, START, END = "<|pad|>", "<|im_start|>", "<|im_end|>"

CHAT_TEMPLATE = (
    "{% for message in messages %}{% if message['role'] != 'assistant' %}<|im_start|>{% endif %}"
    "{{ message['content'] }}<|im_end|>{% endfor %}"
)
"""A message of the assistant is what stands outside ``<|im_start|> ... <|im_end|>``: a turn costs three tokens."""

_PHRASES = sorted(PHRASES + MARKS, key=len, reverse=True)
_PHRASE = "|".join(re.escape(phrase) + ("(?![A-Za-z0-9])" if phrase[-1].isalnum() else "") for phrase in _PHRASES)
_PIECES = rf"{_PHRASE}| ?[A-Za-z]+| ?[0-9]+|[^\sA-Za-z0-9]|\s+(?!\S)|\s"


def make_nano(
    texts: Iterable[str] | None = None,
    *,
    seed: int = 0,
    hidden_size: int = 128,
    layers: int = 4,
    heads: int = 4,
    vocab_size: int = 1024,
    max_positions: int = 2048,
) -> tuple[LlamaForCausalLM, PreTrainedTokenizerFast]:
    """A fresh model in float32 and its tokenizer; the same arguments give the same bytes.

    ``texts`` replaces the household sentences that the words come from; ``vocab_size`` is an upper limit and has room
    for at least the 256 bytes and the special tokens. The global random state is left as it was.
    """
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    tokenizer = make_nano_tokenizer(texts, vocab_size=vocab_size, max_positions=max_positions)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=hidden_size,
        intermediate_size=3 * hidden_size,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        num_key_value_heads=max(1, heads // 2),
        max_position_embeddings=max_positions,
        tie_word_embeddings=True,
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
        dtype="float32",
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = LlamaForCausalLM(config)
    return model.eval(), tokenizer


def nano_folder(path: str | Path, seed: int = 0, **options: Any) -> Path:
    """Write a fresh nano model to the folder ``path``; ``options`` are those of `make_nano`."""
    folder = Path(path)
    model, tokenizer = make_nano(seed=seed, **options)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def make_nano_tokenizer(
    texts: Iterable[str] | None = None, *, vocab_size: int = 1024, max_positions: int = 2048
) -> PreTrainedTokenizerFast:
    """A tokenizer with one token for each frequent word, its leading blank included, and bytes for everything else."""
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    special = [PAD, START, END]
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    if vocab_size < len(special) + len(alphabet):
        raise ValueError(f"vocab_size is {vocab_size}; the bytes and special tokens alone need {len(special) + 256}")
    splitter = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(_PIECES), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    counts: Counter[str] = Counter()
    for text in household_sentences() if texts is None else texts:
        counts.update(piece for piece, _ in splitter.pre_tokenize_str(text) if len(piece) > 1)
    words = sorted(counts, key=lambda word: (-counts[word], word))[: vocab_size - len(special) - len(alphabet)]
    vocabulary = {token: index for index, token in enumerate([*special, *alphabet, *words])}
    # Without merges a piece is one token if it is in the vocabulary and single bytes if not: nothing is left to chance.
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[], ignore_merges=True))
    tokenizer.pre_tokenizer = splitter
    tokenizer.decoder = decoders.ByteLevel()
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token=PAD,
        eos_token=END,
        additional_special_tokens=[START],
        chat_template=CHAT_TEMPLATE,
        model_max_length=max_positions,
        clean_up_tokenization_spaces=False,
    )
