"""What the key-value cache kept per episode is worth: the same model on the same texts, with it and without.

    python benchmarks/cache_speed.py [--model nano] [--episodes 32] [--turns 30] [--answer 5] [--runs 3]

Household episodes are recorded once with random commands and then replayed: at every turn the model answers, greedily,
to the recorded history of each episode. ``cached`` asks our policy. ``full history`` does as people do: the whole
history of every episode, padded on the left to one batch, into the model's own ``generate`` at every turn. Also
printed: tokens computed per episode as a function of its length, and how far the log-probabilities of the answers are
from those of one plain forward over history and answer, and from those that ``generate`` reports.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import time
from pathlib import Path
from typing import Any

import torch

from selfgym.agents.chat import Chat
from selfgym.agents.policies.policy import Completion, Prompt
from selfgym.agents.policies.pretrained import load_pretrained
from selfgym.agents.policies.transformers import TransformersPolicy
from selfgym.envs.household.env import HouseholdEnv

Context = tuple[int, ...]
Answer = tuple[Context, list[float]]


def histories(tokenizer: Any, episodes: int, turns: int, size: str) -> list[list[Context]]:
    """For each turn the context of each episode, as the agent's chat would have it."""
    chat = Chat(tokenizer)
    table: list[list[Context]] = [[] for _ in range(turns)]
    env = HouseholdEnv(size=size, admissible_commands=True, max_steps=turns + 1)
    for seed in range(episodes):
        rng = random.Random(seed)
        observation, info = env.reset(seed=seed)
        context = chat.open([{"role": "user", "content": observation}])
        for turn in range(turns):
            table[turn].append(context)
            command = rng.choice([command for command in info["admissible_commands"] if command != "help"])
            observation, _, terminated, _, info = env.step(command)
            answer = chat.answer(command)
            context += answer + chat.follow(observation, answer)
            if terminated:
                observation, info = env.reset(seed=seed)
    return table


def cached(policy: TransformersPolicy, table: list[list[Context]], new: int) -> tuple[float, list[Answer], list[int]]:
    """Seconds, every answer, and the tokens computed up to each turn."""
    policy.forget(None)
    answers: list[Answer] = []
    computed, start = [], policy.tokens_computed
    before = time.perf_counter()
    for contexts in table:
        prompts = [
            Prompt(context, key=str(episode), max_new_tokens=new, temperature=0)
            for episode, context in enumerate(contexts)
        ]
        for reply in policy.generate(prompts):
            if not isinstance(reply, Completion):
                raise reply
            answers.append((reply.ids, list(reply.logprobs)))
        computed.append(policy.tokens_computed - start)
    return time.perf_counter() - before, answers, computed


@torch.inference_mode()
def full_history(model: Any, tokenizer: Any, table: list[list[Context]], new: int) -> tuple[float, list[Answer]]:
    """Seconds and every answer of the model's own ``generate`` on whole, left-padded histories."""
    answers: list[Answer] = []
    pad = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else tokenizer.eos_token_id
    before = time.perf_counter()
    for contexts in table:
        width = max(map(len, contexts))
        ids = torch.tensor([[pad] * (width - len(context)) + list(context) for context in contexts])
        mask = torch.tensor([[0] * (width - len(context)) + [1] * len(context) for context in contexts])
        output = model.generate(
            input_ids=ids,
            attention_mask=mask,
            max_new_tokens=new,
            do_sample=False,
            pad_token_id=pad,
            eos_token_id=tokenizer.eos_token_id,
            output_logits=True,
            return_dict_in_generate=True,
        )
        logprobs = torch.stack(output.logits, dim=1).log_softmax(-1)
        for said, lines in zip(output.sequences[:, width:].tolist(), logprobs, strict=True):
            end = said.index(tokenizer.eos_token_id) + 1 if tokenizer.eos_token_id in said else len(said)
            answers.append((tuple(said[:end]), [float(lines[place, said[place]]) for place in range(end)]))
    return time.perf_counter() - before, answers


@torch.inference_mode()
def plain_gap(model: Any, table: list[list[Context]], answers: list[Answer], every: int) -> float:
    """The largest difference between reported log-probabilities and those of plain forwards, over every n-th answer."""
    contexts = [context for turn in table for context in turn]
    worst = 0.0
    for context, (ids, logprobs) in list(zip(contexts, answers, strict=True))[::every]:
        logits = model(input_ids=torch.tensor([context + ids]), use_cache=False).logits[0].double()
        lines = logits.log_softmax(-1)[len(context) - 1 : -1]
        exact = [float(line[token]) for line, token in zip(lines, ids, strict=True)]
        worst = max(worst, max(abs(a - b) for a, b in zip(exact, logprobs, strict=True)))
    return worst


def agreement(ours: list[Answer], theirs: list[Answer]) -> tuple[float, float]:
    """The share of equal answers, and the largest difference of log-probabilities among these."""
    equal = [(a[1], b[1]) for a, b in zip(ours, theirs, strict=True) if a[0] == b[0]]
    gaps = [abs(x - y) for first, second in equal for x, y in zip(first, second, strict=True)]
    return len(equal) / len(ours), max(gaps, default=0.0)


def growth(table: list[list[Context]], computed: list[int], new: int) -> list[dict[str, float]]:
    """Mean tokens computed per episode of 1, 5, 10 ... turns: with the cache, and with the full history each turn."""
    rows, whole = [], 0
    episodes = len(table[0])
    for turn, contexts in enumerate(table):
        whole += sum(len(context) + new - 1 for context in contexts)
        if turn in (0, len(table) - 1) or (turn + 1) % 5 == 0:
            length = sum(map(len, contexts)) / episodes
            rows.append(
                {
                    "turns": turn + 1,
                    "context": round(length, 1),
                    "cached": round(computed[turn] / episodes, 1),
                    "cached_per_context_token": round(computed[turn] / episodes / length, 2),
                    "full_history": round(whole / episodes, 1),
                }
            )
    return rows


def main() -> None:
    """Measure, print, and keep the numbers."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="nano")
    parser.add_argument("--episodes", type=int, default=32)
    parser.add_argument("--turns", type=int, default=30)
    parser.add_argument("--answer", type=int, default=5, help="most tokens in an answer")
    parser.add_argument("--size", default="medium", help="of the households")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    chosen = parser.parse_args()
    torch.set_num_threads(chosen.threads)
    model, tokenizer = load_pretrained(chosen.model, dtype="float32")
    if chosen.model == "nano":
        # Untrained, it would repeat the end-of-turn token it saw last and so answer nothing; the other way round it
        # says arbitrary words, up to the limit.
        model.model.norm.weight.data.neg_()
    policy = TransformersPolicy(model, tokenizer, name=chosen.model, max_batch=chosen.episodes)
    table = histories(tokenizer, chosen.episodes, chosen.turns, chosen.size)
    with_cache, without = [], []
    for _ in range(chosen.runs):
        seconds, ours, computed = cached(policy, table, chosen.answer)
        with_cache.append(chosen.episodes / seconds)
        seconds, theirs = full_history(model, tokenizer, table, chosen.answer)
        without.append(chosen.episodes / seconds)
    equal, gap = agreement(ours, theirs)
    result = {
        "date": time.strftime("%Y-%m-%d"),
        "command": "python benchmarks/cache_speed.py "
        + " ".join(f"--{name} {value}" for name, value in vars(chosen).items()),
        "episodes_per_second_cached": round(statistics.median(with_cache), 3),
        "episodes_per_second_full_history": round(statistics.median(without), 3),
        "ratio": round(statistics.median(a / b for a, b in zip(with_cache, without, strict=True)), 2),
        "logprob_gap_to_plain_forward": plain_gap(model, table, ours, max(1, len(ours) // 100)),
        "logprob_gap_to_generate": gap,
        "answers_equal_to_generate": round(equal, 4),
        "tokens_per_answer": round(statistics.mean(len(ids) for ids, _ in ours), 2),
    }
    for key, value in result.items():
        print(f"{key:34} {value}")
    result["tokens_per_episode"] = growth(table, computed, chosen.answer)
    for row in result["tokens_per_episode"]:
        print("  ".join(f"{key} {value:>8}" for key, value in row.items()))
    out = Path(__file__).resolve().parent / "results" / f"cache_speed-{chosen.model}-{result['date']}.json"
    out.write_text(json.dumps(result, indent=2) + "\n")
    print(f"written to {out}")


if __name__ == "__main__":
    main()
