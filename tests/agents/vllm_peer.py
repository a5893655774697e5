"""Does what it is told with a `VllmPolicy`, under the Python that has vLLM: steps as JSON in, what came out as JSON.

`python vllm_peer.py STEPS RESULTS`: ``STEPS`` holds the options of `VllmPolicy.load` and a list of steps, each a
method of this file with its arguments.
"""

from __future__ import annotations

import json
import random
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

from selfgym.agents.policies.policy import PolicyError, Prompt
from selfgym.agents.policies.vllm import VllmPolicy
from selfgym.agents.react import ReactAgent
from selfgym.agents.rollout import Job, rollout
from selfgym.envs.household.env import HouseholdEnv


class Peer:
    def __init__(self, options: dict[str, Any]) -> None:
        self.policy = VllmPolicy.load(**options)

    def generate(self, prompts: list[dict[str, Any]]) -> list[Any]:
        answers = self.policy.generate([prompt_of(prompt) for prompt in prompts])
        return [
            {"error": str(answer)}
            if isinstance(answer, PolicyError)
            else {"ids": answer.ids, "logprobs": answer.logprobs, "text": answer.text, "finish": answer.finish}
            for answer in answers
        ]

    def score(self, prompts: list[list[int]], continuations: list[list[int]]) -> Any:
        return self.policy.score(prompts, continuations)

    def load_weights(self, folder: str) -> int:
        self.policy.load_weights(folder)
        return self.policy.version

    def load_state(self, folder: str, without: str = "", rename: str = "", nan: bool = False) -> int:
        from safetensors.torch import load_file

        state = load_file(Path(folder) / "model.safetensors")
        if nan:
            state["model.norm.weight"].fill_(float("nan"))
        if rename:
            state["unheard.of"] = state.pop(rename)
        self.policy.load_weights({name: tensor for name, tensor in state.items() if name != without})
        return self.policy.version

    def load_adapter(self, folder: str) -> int:
        self.policy.load_adapter(folder)
        return self.policy.version

    def sleep(self) -> None:
        self.policy.sleep()

    def interrupt(self, prompts: list[dict[str, Any]]) -> bool:
        """Generate, with Control-C while vLLM is at it."""
        inner = self.policy.engine.llm_engine
        step, steps = inner.step, iter(range(3))

        def interrupted() -> Any:
            if next(steps, None) is None:
                raise KeyboardInterrupt
            return step()

        inner.step = interrupted
        try:
            self.generate(prompts)
        except KeyboardInterrupt:
            return True
        finally:
            inner.step = step
        return False

    def draw(self) -> float:
        return random.random()

    def rollout(self, episodes: int, restrict: bool) -> list[Any]:
        jobs = [
            Job(
                f"e{n}",
                partial(HouseholdEnv, size="tiny", admissible_commands=True, max_steps=6),
                partial(ReactAgent, self.policy, seed=n, restrict=restrict, instruction="", max_new_tokens=8),
                seed=n,
                record={"env": "selfgym/Household-v0"},
            )
            for n in range(episodes)
        ]
        return [
            {
                "outcome": str(episode.outcome.value),
                "steps": [
                    {"ids": step.response_ids, "logprobs": step.logprobs, "action": step.action, "valid": step.valid}
                    for step in episode.steps
                ],
            }
            for _, episode in rollout(jobs, self.policy)
        ]


def prompt_of(options: dict[str, Any]) -> Prompt:
    given = {name: tuple(value) if isinstance(value, list) else value for name, value in options.items()}
    given["choices"] = tuple(map(tuple, given.get("choices", ())))
    return Prompt(**given)


def main(steps: Path, results: Path) -> None:
    told = json.loads(steps.read_text())
    random.seed(5)
    peer, found = Peer(told["options"]), []
    for name, options in told["steps"]:
        begun = time.perf_counter()
        try:
            value = getattr(peer, name)(**options)
        except PolicyError as error:
            value = {"error": str(error)}
        found.append({"value": value, "seconds": time.perf_counter() - begun})
    results.write_text(json.dumps(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
