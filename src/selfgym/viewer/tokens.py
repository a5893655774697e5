"""Tokens as they were sampled, each with its log-probability as heat."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from pathlib import Path

from selfgym.memory.episode import Step
from selfgym.viewer.html import Html, join, tag

Decoder = Callable[[Sequence[int]], list[str]]
"""Token ids -> the text of each."""

BOUNDS = (0.01, 0.1, 0.5, 1.0, 2.0, 4.0)
"""Nats below certainty at which the heat rises by one level."""

_PROMPT = 8000  # tokens of a prompt that are shown


def find_decoder(folder: Path) -> Decoder | None:
    """That of the tokenizer beside a checkpoint of the run in ``folder``: all of a run's checkpoints share one.

    None where there is none, or without the package tokenizers.
    """
    files = sorted(folder.glob("checkpoints/*/tokenizer.json"))
    if not files:
        return None
    try:
        from tokenizers import Tokenizer
    except ModuleNotFoundError:
        return None
    tokenizer = Tokenizer.from_file(str(files[-1]))

    size = tokenizer.get_vocab_size()

    def decode(ids: Sequence[int]) -> list[str]:
        known = [[one] if 0 <= one < size else [] for one in ids]
        texts = tokenizer.decode_batch(known, skip_special_tokens=False) if ids else []
        return [word if one else f"[{id}]" for one, id, word in zip(known, ids, texts, strict=True)]

    return decode


def heat(logprob: float) -> int:
    """0 where the token was all but certain, to 6 where it was a surprise.

    >>> heat(-0.001), heat(-0.7), heat(-9.0)
    (0, 3, 6)
    """
    return bisect_right(BOUNDS, -logprob)


def legend() -> Html:
    """What the heat means."""
    names = [f"p > {_share(BOUNDS[0])}", *(f"< {_share(bound)}" for bound in BOUNDS)]
    keys = [tag("span", name, class_=f"t h{level}") for level, name in enumerate(names)]
    return tag("p", "Probability of a token when it was sampled: ", *keys, class_="legend")


def _share(nats: float) -> str:
    from math import exp

    return f"{100 * exp(-nats):.0f}%"


def sampled(step: Step, decode: Decoder | None) -> Html | None:
    """The step's response, token by token, and its new prompt folded away; None for a step without tokens."""
    if not step.response_ids and not step.prompt_ids:
        return None
    heated = bool(step.logprobs)
    shown = []
    for at, (id, word) in enumerate(zip(step.response_ids, _texts(step.response_ids, decode), strict=True)):
        odds = f", log-prob {step.logprobs[at]:.3f}" if heated else ""
        level = f"t h{heat(step.logprobs[at])}" if heated else "t"
        shown.append(tag("span", _visible(word), class_=level, title=f"token {id}{odds}"))
    kind = "whole context" if step.fresh else "new context"
    prompt = tag("details", tag("summary", f"{kind}: {len(step.prompt_ids)} tokens"), _prompt(step, decode))
    return tag(
        "div",
        tag("p", _told(step, decode), class_="note"),
        tag("p", *shown, class_="tokens", dir="ltr") if shown else None,
        prompt if step.prompt_ids else None,
        class_="sampled",
    )


def _told(step: Step, decode: Decoder | None) -> Html:
    count = f"{len(step.response_ids)} tokens sampled"
    if not step.logprobs:
        return join([count, ", log-probs not kept"])
    least = min(range(len(step.logprobs)), key=step.logprobs.__getitem__)
    [word] = _texts(step.response_ids[least : least + 1], decode)
    mean = sum(step.logprobs) / len(step.logprobs)
    surprise = tag("span", _visible(word), class_="t")
    return join([count, f", mean log-prob {mean:.3f}, least {step.logprobs[least]:.3f} at ", surprise])


def _prompt(step: Step, decode: Decoder | None) -> Html:
    ids = step.prompt_ids[:_PROMPT]
    shown = " ".join(map(str, ids)) if decode is None else "".join(decode(ids))
    left = len(step.prompt_ids) - len(ids)
    return tag("pre", shown, f" ... and {left} tokens more" if left else None, class_="seen")


def _texts(ids: Sequence[int], decode: Decoder | None) -> list[str]:
    return [str(id) for id in ids] if decode is None else decode(ids)


def _visible(word: str) -> str:
    """A token's text with its blanks to be seen; one that has no text of its own is empty and still has a place."""
    return word.replace("\n", "⏎").replace("\t", "⇥").replace(" ", "·") or "∅"
