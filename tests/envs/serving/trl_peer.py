"""Trains a tiny model with TRL's GRPOTrainer on a game, under the Python that has TRL, and prints what happened.

The model is made from a configuration with random weights and is then taught, in the test, to bet or to pass at even
odds by calling the tool; so what is played is real tool calls, and rewards differ within a group.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from selfgym.envs.serving.trl_environment import Episode, environment_factory, rows

GAME, SEEDS, ACTIONS = "selfgym/KuhnPoker-v0", [1, 2], ["bet", "check"]


def tokenizer(texts: list[str]) -> Any:
    """A vocabulary made of the texts, so that they are short, with the marks and the chat template of Qwen3."""
    import trl
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    marks = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<tool_call>", "</tool_call>", "<think>", "</think>"]
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    made.decoder = decoders.ByteLevel()
    letters = pre_tokenizers.ByteLevel.alphabet()
    made.train_from_iterator(texts, trainers.BpeTrainer(vocab_size=2000, initial_alphabet=letters, show_progress=False))
    fast = PreTrainedTokenizerFast(tokenizer_object=made, eos_token="<|im_end|>", pad_token="<|endoftext|>")
    fast.add_special_tokens({"additional_special_tokens": marks[:3]})
    fast.add_tokens(marks[3:])
    fast.chat_template = (Path(trl.__file__).parent / "chat_templates/qwen3.jinja").read_text("utf-8")
    return fast


def call(action: str) -> str:
    return f'<tool_call>\n{{"name": "act", "arguments": {{"action": "{action}"}}}}\n</tool_call>'


def prompts(words: Any, episode: Episode, answers: list[str]) -> list[tuple[str, str]]:
    """What the model is shown at first, with each of the answers."""
    shown = [
        words.apply_chat_template(
            [{"role": "user", "content": row["prompt"][0]["content"] + episode.reset(seed=row["seed"])}],
            tools=[episode.act],  # type: ignore[attr-defined]
            add_generation_prompt=True,
            tokenize=False,
        )
        for row in rows(SEEDS)
    ]
    return [(prompt, f"{answer}<|im_end|>") for prompt in shown for answer in answers]


def pupil(words: Any, texts: list[tuple[str, str]]) -> Any:
    """A model that gives one of the answers to any prompt, each as likely as the other."""
    import torch
    from transformers import Qwen3Config, Qwen3ForCausalLM

    torch.manual_seed(0)
    sizes = {"hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "head_dim": 16}
    heads = {"num_attention_heads": 4, "num_key_value_heads": 2}
    marks = {"eos_token_id": words.eos_token_id, "pad_token_id": words.pad_token_id}
    model = Qwen3ForCausalLM(
        Qwen3Config(vocab_size=len(words), max_position_embeddings=4096, **sizes, **heads, **marks)
    )
    optimiser = torch.optim.AdamW(model.parameters(), lr=5e-3)
    for _ in range(60):
        loss = torch.zeros(())
        for prompt, answer in texts:
            before, after = words(prompt)["input_ids"], words(answer)["input_ids"]
            labels = torch.tensor([[-100] * len(before) + after])
            loss = loss + model(input_ids=torch.tensor([before + after]), labels=labels).loss
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return model


def main() -> dict[str, Any]:
    os.environ["TRL_EXPERIMENTAL_SILENCE"] = "1"
    import torch
    from datasets import Dataset
    from trl import GRPOConfig, GRPOTrainer

    make = environment_factory(GAME)
    answers = [call(action) for action in ACTIONS]
    words = tokenizer([])
    words, seen = tokenizer(["".join(pair) for pair in prompts(words, make(), answers)]), []

    def watched(completions: Any, environments: Any, seed: Any, **columns: Any) -> list[float]:
        """What TRL hands to a reward function; counts for nothing."""
        for completion, environment, number in zip(completions, environments, seed, strict=True):
            actions = [one["function"]["arguments"]["action"] for m in completion for one in m.get("tool_calls") or []]
            said = [message["content"] for message in completion if message["role"] == "tool"]
            seen.append([number, actions, said, environment.get_reward()])
        return [0.0] * len(completions)

    model = pupil(words, prompts(words, make(), answers))
    before = [weight.detach().clone() for weight in model.parameters()]
    with tempfile.TemporaryDirectory() as folder:
        config = GRPOConfig(
            output_dir=folder, max_steps=2, per_device_train_batch_size=8, num_generations=4, max_completion_length=300,
            max_tool_calling_iterations=2, learning_rate=1e-3, logging_steps=1, report_to=[], save_strategy="no",
            use_cpu=True, bf16=False, gradient_checkpointing=False, disable_tqdm=True,
        )  # fmt: skip
        trainer = GRPOTrainer(
            model, watched, config, Dataset.from_list(rows(SEEDS)), processing_class=words, environment_factory=make
        )
        trainer.train()
    moved = any(not torch.equal(old, new) for old, new in zip(before, model.parameters(), strict=True))
    return {"seen": seen, "moved": moved, "log": trainer.state.log_history}


if __name__ == "__main__":
    result = main()
    json.dump(result, sys.stdout)
