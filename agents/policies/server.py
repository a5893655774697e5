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

from selfgym.agents.policies.engine import Answer, Request, complete, end_ids
from selfgym.agents.policies.json_http import Refused, Server
from selfgym.agents.policies.policy import Completion, PolicyError, Prompt

_MAX_STOPS = 4  # the protocol's limit


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
        served = {} if model and tokenizer else self._served(model)
        self.name = self._model = model or str(served["id"])
        self.tokenizer = _tokenizer(str(tokenizer or served.get("root") or self.name))
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
        """Have the server read other weights of the same architecture from a folder that it can see.

        vLLM's server does that when started with VLLM_SERVER_DEV_MODE=1. What is missing in the folder stays as it was.
        """
        self._server.tell("/collective_rpc", {"method": "reload_weights", "kwargs": {"weights_path": str(folder)}})
        self._server.tell("/reset_prefix_cache", {})
        self.version += 1

    def load_adapter(self, folder: str | Path) -> None:
        """Have the server answer with the LoRA adapter in a PEFT folder that it can see, in place of an earlier one.

        vLLM's server does that when started with --enable-lora and VLLM_ALLOW_RUNTIME_LORA_UPDATING=1.
        """
        name = f"{self._model}-version-{self.version + 1}"
        self._server.tell("/v1/load_lora_adapter", {"lora_name": name, "lora_path": str(folder)})
        old, self._adapter = self._adapter, name
        self.version += 1
        if old:
            self._server.tell("/v1/unload_lora_adapter", {"lora_name": old})

    def sleep(self) -> None:
        """Have the server give the GPU's memory back until `wake`.

        vLLM's does that when started with --enable-sleep-mode and VLLM_SERVER_DEV_MODE=1.
        """
        self._server.tell("/sleep?level=1", {})

    def wake(self) -> None:
        """Have the server answer again after `sleep`."""
        self._server.tell("/wake_up", {})

    def _served(self, model: str) -> dict[str, Any]:
        """What the server says of ``model``, or of its only one."""
        listed = self._server.get("/v1/models").get("data") or []
        fitting = [entry for entry in listed if (entry["id"] == model if model else not entry.get("parent"))]
        if len(fitting) != 1:
            names = ", ".join(str(entry["id"]) for entry in listed)
            raise PolicyError(f"the server at {self._server.url} serves {names or 'no model'}: say which with model=")
        return dict(fitting[0])

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
            answer = self._ids_answer(Request(Prompt((only,)), (only,), 1, 0, (only,)))
        except Refused:
            return False, False, False
        restricts = answer.ids == (only,)
        exact = restricts and len(answer.logprobs) == 1 and abs(answer.logprobs[0]) < 1e-6
        return bool(answer.ids), restricts, exact

    def _complete(self, request: Request) -> Answer:
        if request.allowed and not self._restricts:
            raise PolicyError(f"the server at {self._server.url} cannot restrict an answer to choices of token ids")
        answer = self._ids_answer(request) if self._speaks_ids else self._text_answer(request)
        if self.evaluation:
            return Answer(answer.ids, (), answer.finish)
        if len(answer.logprobs) != len(answer.ids):
            raise PolicyError(f"the server gave {len(answer.ids)} tokens and {len(answer.logprobs)} log-probabilities")
        return answer

    def _settings(self, request: Request) -> dict[str, Any]:
        prompt = request.prompt
        return {
            "model": self._adapter or self._model,
            "max_tokens": request.max_tokens,
            "temperature": prompt.temperature,
            "top_p": prompt.top_p,
            "seed": request.seed,
        }

    def _ids_answer(self, request: Request) -> Answer:
        """From a server that speaks token ids, which is vLLM's."""
        choice = self._ask(
            self._settings(request)
            | {
                "prompt": list(request.ids),
                "stop": list(request.prompt.stop) if not request.allowed else [],
                "stop_token_ids": self._ends,
                "allowed_token_ids": list(request.allowed) or None,
                "logprobs": 0,
                "return_token_ids": True,
                "skip_special_tokens": False,
            }
        )
        logprobs = (choice.get("logprobs") or {}).get("token_logprobs") or ()
        return Answer(tuple(choice.get("token_ids") or ()), tuple(logprobs), _finish(choice))

    def _text_answer(self, request: Request) -> Answer:
        """From a server that speaks text; its token ids are ours."""
        stop = [*request.prompt.stop, *self.tokenizer.batch_decode([[token] for token in self._ends[:1]])]
        choice = self._ask(
            self._settings(request) | {"prompt": self.tokenizer.decode(request.ids), "stop": stop[:_MAX_STOPS]}
        )
        ids = tuple(self.tokenizer.encode(str(choice.get("text", "")), add_special_tokens=False))
        ended = _finish(choice) == "stop" and not request.prompt.stop
        return Answer((*ids, *self._ends[:1]) if ended else ids, (), _finish(choice))

    def _score(self, question: tuple[tuple[int, ...], int]) -> float:
        """The log-probability of one token after ``ids``."""
        ids, token = question
        if not ids:
            raise PolicyError("the prompt is empty")
        choice = self._ask(
            {
                "model": self._adapter or self._model,
                "prompt": list(ids),
                "max_tokens": 1,
                "temperature": 0.0,
                "logprobs": 1,
                "logprob_token_ids": [token],
                "return_tokens_as_token_ids": True,
            }
        )
        [table, *_] = (choice.get("logprobs") or {}).get("top_logprobs") or [{}]
        if (logprob := table.get(f"token_id:{token}")) is None:
            raise PolicyError(f"the server at {self._server.url} gives no log-probability of a token asked for")
        return float(logprob)

    def _ask(self, body: dict[str, Any]) -> dict[str, Any]:
        reply = self._server.post("/v1/completions", body)
        choices = reply.get("choices") if isinstance(reply, dict) else None
        if not choices or not isinstance(choices[0], dict):
            raise PolicyError(f"the server at {self._server.url} answered without a choice: {str(reply)[:200]}")
        return dict(choices[0])


def _finish(choice: dict[str, Any]) -> str:
    return "length" if choice.get("finish_reason") == "length" else "stop"


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
