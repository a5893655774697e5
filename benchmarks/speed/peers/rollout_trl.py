"""TRL's multi-turn path as a peer of benchmarks/speed/rollouts.py: under its own Python, a JSON object a line.

    python rollout_trl.py SETTING          # a JSON object, see `rollouts.Setting`

`GRPOTrainer` with ``environment_factory``, which its documentation recommends for environments with state. What a
nano model says is no JSON, so its tokenizer is given a response template under which every answer is one call of the
tool `act`; tools are not described in the prompt. TRL asks for one more answer after its last round of calls: there
is one round less than the episode has steps, and the last answer is acted on where rewards are computed.
"""

import json
import os
import sys
import time
import warnings

os.environ["TRL_EXPERIMENTAL_SILENCE"] = "1"
warnings.simplefilter("ignore")

import gymnasium  # noqa: E402
import torch  # noqa: E402
from transformers import AutoModelForCausalLM, AutoTokenizer  # noqa: E402
from trl import GRPOConfig, GRPOTrainer  # noqa: E402

import selfgym  # noqa: E402, F401

CHAT = (
    "{% for message in messages %}{% if message['role'] != 'assistant' %}<|im_start|>{% endif %}"
    "{{ message['content'] }}"
    "{% for call in message.get('tool_calls') or [] %}{{ call['function'] | tojson }}{% endfor %}"
    "<|im_end|>{% endfor %}"
)
"""Nano's own, which also writes out calls; only TRL's check of the template ever sees those."""
EVERY_ANSWER_A_CALL = {
    "defaults": {"role": "assistant", "content": ""},
    "start_anchor": "<|im_end|>",
    "fields": {
        "tool_calls": {
            "open_pattern": r"\A",
            "close": "<|im_end|>",
            "repeats": True,
            "content": "text",
            "transform": {"type": "function", "function": {"name": "act", "arguments": {"command": "{content}"}}},
        }
    },
}
setting = json.loads(sys.argv[1])
torch.set_num_threads(setting["threads"])


class Household:
    """The environment as TRL wants it: a tool and a reset that tells what is seen."""

    steps = 0

    def __init__(self):
        self._env = gymnasium.make("selfgym/Household-v0", **setting["env"]).unwrapped
        self._ended = True

    def reset(self, seed, **row):
        observation, info = self._env.reset(seed=seed)
        self._ended = False
        return shown(observation, info)

    def act(self, command: str) -> str:
        """
        Do a command.

        Args:
            command: The command.

        Returns:
            What is seen then.
        """
        if self._ended:
            return "The episode has ended."
        observation, _, terminated, truncated, info = self._env.step(command.strip().split("\n")[0])
        self._ended = terminated or truncated
        Household.steps += 1
        return shown(observation, info)


def shown(observation, info):
    """The text that selfgym's agent shows to the model."""
    text = observation.split("=-\n\n", 1)[-1]
    if setting["admissible"]:
        text += "\nYou can: " + "; ".join(info["admissible_commands"])
    return text


def last_answer(completions, environments, **more):
    """Acts on the answers that TRL's loop leaves, and rewards nothing."""
    for messages, environment in zip(completions, environments, strict=True):
        for call in messages[-1].get("tool_calls") or []:
            environment.act(**call["function"]["arguments"])
    return [0.0] * len(completions)


def make_trainer():
    """A trainer whose batch is all episodes of a call."""
    tokenizer = AutoTokenizer.from_pretrained(setting["model"])
    tokenizer.chat_template, tokenizer.response_template = CHAT, EVERY_ANSWER_A_CALL
    model = AutoModelForCausalLM.from_pretrained(setting["model"], dtype=torch.float32)
    return GRPOTrainer(
        model=model,
        processing_class=tokenizer,
        reward_funcs=[last_answer],
        environment_factory=Household,
        args=GRPOConfig(
            output_dir=setting["scratch"], per_device_train_batch_size=setting["episodes"],
            num_generations=setting["samples"], max_completion_length=model.config.max_position_embeddings,
            max_tool_calling_iterations=setting["env"]["max_steps"] - 1, temperature=1.0, max_steps=1,
            generation_kwargs={"max_new_tokens": setting["new_tokens"]}, gradient_checkpointing=False,
            use_cpu=True, bf16=False, report_to="none", disable_tqdm=True,
        ),
    )  # fmt: skip


def main():
    trainer = make_trainer()
    trainer.model.train()  # as it is while the trainer asks for rollouts
    fed = [0]
    trainer.model.register_forward_pre_hook(
        lambda model, given, named: fed.__setitem__(0, fed[0] + named["input_ids"].numel()), with_kwargs=True
    )
    opening = [{"role": "system", "content": setting["instruction"]}] if setting["instruction"] else []
    for line in sys.stdin:
        call = json.loads(line)
        rows = [{"prompt": [*opening, {"role": "user", "content": ""}], "seed": seed} for seed in call["seeds"]]
        inputs = [row for row in rows for _ in range(setting["samples"])]
        Household.steps, fed[0] = 0, 0
        begun, busy = time.perf_counter(), time.process_time()
        out = trainer._generate_and_score_completions(inputs)
        told = {
            "seconds": time.perf_counter() - begun,
            "cpu": time.process_time() - busy,
            "env_steps": Household.steps,
            "sampled": int((out["completion_mask"] * out["tool_mask"]).sum()),
            "context": int(out["prompt_mask"].sum() + out["completion_mask"].sum()),
            "fed": fed[0],
        }
        print("RESULT", json.dumps(told), flush=True)


if __name__ == "__main__":
    main()
