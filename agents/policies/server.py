"""A model behind an OpenAI-compatible server as a `Policy`, over ``/v1/completions``.

For training, tokens must be kept as they were sampled, with the log-probabilities they were sampled with. Of the
protocol's many servers vLLM's says both: it takes token ids, returns token ids, and with
``vllm serve MODEL --logprobs-mode processed_logprobs`` the log-probabilities are those of the distribution that was
sampled from. That is asked of a server when the policy is made, and one that falls short is refused, unless for
``evaluation``: then any server will do, completions carry no log-probabilities, and where the server speaks only text
their token ids are its text tokenised anew.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

from selfgym.agents.policies.completions_api import Served, models, sample_ids, sample_text, token_logprob
from selfgym.agents.policies.engine import Answer, Request, complete, end_ids, tensor_shapes
from selfgym.agents.policies.json_http import Refused, Server
from selfgym.agents.policies.policy import Completion, PolicyError, Prompt


class ServerPolicy:
    """Completes prompts with the server at ``url``, many requests at once.

    Args:
        url: where the server is, with or without the ``/v1``.
        model: the name the server gives the model; by default the only one it serves.
        tokenizer: the folder or hub id of the model's tokenizer; by default what vLLM says it serves.
        evaluation: make do without token ids and log-probabilities.
        api_key: sent as the bearer token.
        width: requests in flight at once.
        timeout: seconds that one request may take.
        retries: further attempts after a request that timed out, was cut off, or met an error of the server's own.
        pause: seconds before the first retry, doubled before each further one.

    Raises `PolicyError` where the server does not answer or cannot do what is asked of it.
    """

    def __init__(
        self,
        url: str,
        *,
        model: str = "",
        tokenizer: str | Path = "",
        evaluation: bool = False,
        api_key: str = "",
        width: int = 64,
        timeout: float = 120.0,
        retries: int = 4,
        pause: float = 0.5,
    ) -> None:
        self._server = Server(url, api_key=api_key, timeout=timeout, retries=retries, pause=pause)
        self.version = 0
        self.evaluation = evaluation
        self.width = width
        served = Served(id=model) if model and tokenizer else self._served(model)
        self.name = self._model = served.id
        self.tokenizer = _tokenizer(str(tokenizer or served.root or served.id))
        self._ends = end_ids(self.tokenizer)
        self._adapter = ""
        self._speaks_ids, restricts, exact = self._probe()
        self._restricts = restricts
        if not (exact or evaluation):
            raise PolicyError(
                f"the server at {url} does not give the token ids it sampled with the log-probabilities they were "
                "sampled with: start `vllm serve` with --logprobs-mode processed_logprobs, or ask for evaluation only"
            )

    @classmethod
    def from_spec(cls, spec: str, **options: Any) -> Self:
        """The policy for ``URL?model=NAME&tokenizer=FOLDER&evaluation=1``; each of the three may be left out.

        Raises `LookupError` for anything else after the question mark.
        """
        parts = urlsplit(spec)
        asked: dict[str, Any] = {
            name: values[-1] for name, values in parse_qs(parts.query, keep_blank_values=True).items()
        }
        unknown = asked.keys() - {"model", "tokenizer", "evaluation"}
        if unknown or parts.scheme not in ("http", "https"):
            raise LookupError(
                f"{spec!r} is not server:http://HOST:PORT?model=NAME&tokenizer=FOLDER&evaluation=1"
                + (f": what is {', '.join(sorted(unknown))}?" if unknown else "")
            )
        if "evaluation" in asked:
            asked["evaluation"] = asked["evaluation"] not in ("", "0", "false")
        return cls(parts._replace(query="", fragment="").geturl(), **asked, **options)

    def generate(self, prompts: Sequence[Prompt]) -> list[Completion | PolicyError]:
        """Complete every prompt, in order. A prompt that cannot be answered gives a `PolicyError` in its place."""
        return complete(prompts, partial(self._each, self._complete), self.tokenizer, self._ends)

    def score(
        self, prompts: Sequence[Sequence[int]], continuations: Sequence[Sequence[int]]
    ) -> list[tuple[float, ...]]:
        """Log-probabilities in nats of each continuation's tokens after its prompt, at temperature 1.

        Each token is a request. Only vLLM's server answers it; raises `PolicyError` for what a server refuses.
        """
        questions = [
            ((*prompt, *rest[:n]), rest[n])
            for prompt, rest in zip(prompts, continuations, strict=True)
            for n in range(len(rest))
        ]
        scores = iter(self._each(self._score, questions))
        found = [[next(scores) for _ in rest] for rest in continuations]
        for index, values in enumerate(found):
            for value in values:
                if isinstance(value, PolicyError):
                    raise PolicyError(f"question {index} of {len(found)} cannot be scored: {value}")
        return list(map(tuple, found))

    def forget(self, key: str | None) -> None:
        """Nothing is kept here; the server's prefix cache is its own."""

    def load_weights(self, folder: str | Path) -> None:
        """Have the server read other weights of the same architecture from a folder, in place of what it serves.

        The folder is one that both can see. vLLM's server does that when started with VLLM_SERVER_DEV_MODE=1; on a CPU
        only where the output head has weights of its own: vLLM 0.32 would go on with the old head.
        """
        info = self._info()
        if info["device_config"]["device"] == "cpu" and "lm_head.weight" not in tensor_shapes(folder):
            raise PolicyError("on a CPU vLLM's server cannot replace an output head that is tied to the embedding")
        command = {"method": "reload_weights", "kwargs": {"weights_path": str(folder)}}
        self._server.tell("/collective_rpc", command)
        self._updated("")

    def load_adapter(self, folder: str | Path) -> None:
        """Have the server answer with the LoRA adapter in a PEFT folder that it can see, in place of an earlier one.

        vLLM's server does that when started with --enable-lora and VLLM_ALLOW_RUNTIME_LORA_UPDATING=1.
        """
        name = f"{self._model}-version-{self.version + 1}-{uuid4().hex[:8]}"  # not one it has seen
        self._server.tell("/v1/load_lora_adapter", {"lora_name": name, "lora_path": str(folder)})
        self._updated(name)

    def sleep(self) -> None:
        """Have the server give the GPU's memory back until `wake`.

        vLLM's does that when started with --enable-sleep-mode, which needs a GPU, and VLLM_SERVER_DEV_MODE=1.
        """
        if not self._info()["model_config"]["enable_sleep_mode"]:
            raise PolicyError("the server cannot sleep: start it with --enable-sleep-mode, which needs a GPU")
        self._server.tell("/sleep?level=1", {})

    def wake(self) -> None:
        """Have the server answer again after `sleep`."""
        self._server.tell("/wake_up", {})

    def _info(self) -> dict[str, Any]:
        """How vLLM's server is set up."""
        try:
            return dict(self._server.get("/server_info?config_format=json")["vllm_config"])
        except Refused as error:
            raise PolicyError(f"this needs a vLLM server started with VLLM_SERVER_DEV_MODE=1: {error}") from error

    def _updated(self, adapter: str) -> None:
        old, self._adapter = self._adapter, adapter
        self.version += 1
        if old:
            self._server.tell("/v1/unload_lora_adapter", {"lora_name": old})
        if not adapter:
            self._server.tell("/reset_prefix_cache", {})

    def _served(self, model: str) -> Served:
        """What the server says of ``model``, or of its only one."""
        listed = models(self._server)
        fitting = [entry for entry in listed if (entry.id == model if model else not entry.parent)]
        if len(fitting) != 1:
            names = ", ".join(entry.id for entry in listed)
            raise PolicyError(f"the server at {self._server.url} serves {names or 'no model'}: say which with model=")
        return fitting[0]

    def _each(self, function: Callable[[Any], Any], questions: Sequence[Any]) -> list[Any]:
        """``function`` of each question, many at once, or the `PolicyError` it raised."""

        def answer(question: Any) -> Any:
            try:
                return function(question)
            except PolicyError as error:
                return error

        with ThreadPoolExecutor(max(1, min(self.width, len(questions)))) as pool:
            return list(pool.map(answer, questions))

    def _probe(self) -> tuple[bool, bool, bool]:
        """Whether the server takes and gives token ids, restricts them, and gives their true log-probabilities.

        A token drawn from a set of one has log-probability 0, and no other way of counting says so.
        """
        [only, *_] = self.tokenizer.encode("a", add_special_tokens=False)
        try:
            answer = sample_ids(self._server, self._model, Request(Prompt((only,)), (only,), 1, 0, (only,)), self._ends)
        except Refused:
            return False, False, False
        restricts = answer.ids == (only,)
        exact = restricts and len(answer.logprobs) == 1 and abs(answer.logprobs[0]) < 1e-6
        return bool(answer.ids), restricts, exact

    def _complete(self, request: Request) -> Answer:
        if request.allowed and not self._restricts:
            raise PolicyError(f"the server at {self._server.url} cannot restrict an answer to choices of token ids")
        model = self._adapter or self._model
        if not self._speaks_ids:
            return sample_text(self._server, model, request, self.tokenizer, self._ends)
        answer = sample_ids(self._server, model, request, self._ends)
        if self.evaluation:
            return Answer(answer.ids, (), answer.finish)
        if len(answer.logprobs) != len(answer.ids):
            raise PolicyError(f"the server gave {len(answer.ids)} tokens and {len(answer.logprobs)} log-probabilities")
        return answer

    def _score(self, question: tuple[tuple[int, ...], int]) -> float:
        return token_logprob(self._server, self._adapter or self._model, *question)


def _tokenizer(name: str) -> Any:
    try:
        from transformers import AutoTokenizer
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            "a tokenizer needs transformers: pip install 'selfgym[train]'", name=error.name
        ) from error
    try:
        return AutoTokenizer.from_pretrained(name, **({"local_files_only": True} if Path(name).is_dir() else {}))
    except (OSError, ValueError) as error:
        raise PolicyError(
            f"no tokenizer could be read from {name!r}: give its folder with tokenizer=. {error}"
        ) from error
