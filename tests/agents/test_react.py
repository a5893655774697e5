"""The language-model agent: turns appended as the tokens that were sampled, with every kind of chat template."""

import copy
import logging
from functools import partial

import pytest
from transformers import AutoTokenizer

from selfgym.agents.chat import Chat, TemplateError
from selfgym.agents.policies.nano import make_nano_tokenizer
from selfgym.agents.policies.policy import Completion
from selfgym.agents.policies.pretrained import smollm2_folder
from selfgym.agents.policies.scripted import CharacterTokenizer, ScriptedPolicy
from selfgym.agents.react import ReactAgent, parse_answer


@pytest.fixture(params=["nano", "smollm2", "characters"], scope="module")
def tokenizer(request):
    if request.param == "nano":
        return make_nano_tokenizer()
    if request.param == "smollm2":
        return AutoTokenizer.from_pretrained(smollm2_folder())
    return CharacterTokenizer()


def test_turns_appended_equal_the_whole_chat_rendered_at_once(tokenizer):
    chat = Chat(tokenizer)
    talk = [("You see a desk 1.", "go to desk 1"), ("On the desk 1, you see a mug 2.", "take mug 2 from desk 1")]
    messages = [{"role": "system", "content": "Act."}, {"role": "user", "content": talk[0][0]}]
    context = chat.open(messages)
    for (_, answer), (following, _) in zip(talk, [*talk[1:], ("Nothing happens.", "")], strict=True):
        sampled = chat.answer(answer)
        context += sampled + chat.follow(following, sampled)
        messages += [{"role": "assistant", "content": answer}, {"role": "user", "content": following}]
    assert context == chat.open(messages)


def test_an_answer_cut_short_is_closed_before_the_next_turn(tokenizer):
    chat = Chat(tokenizer)
    whole = chat.answer("look")
    assert whole[-1:] == chat.end
    cut = whole[:-1]
    assert cut + chat.follow("x", cut) == whole + chat.follow("x", whole)


def test_a_template_that_drops_messages_is_refused():
    class Forgetful(CharacterTokenizer):
        def apply_chat_template(self, conversation, **options):
            return super().apply_chat_template(conversation[-1:], **options)

    with pytest.raises(TemplateError, match="cannot be appended"):
        Chat(Forgetful())


def answered(agent, observation, text):
    prompt = agent.ask(observation, {})
    tokens = agent.chat.answer(text)
    return prompt, agent.decide(observation, prompt, Completion(tokens, (0.0,) * len(tokens), text))


def test_the_record_of_each_turn_is_what_was_added_to_the_context():
    agent = ReactAgent(ScriptedPolicy(["look"]))
    prompt, first = answered(agent, "A room.", "Thought: dark.\nAction: look")
    assert (first.action, first.thought, first.fresh) == ("look", "dark.", True)
    assert first.prompt_ids == prompt.ids
    prompt, second = answered(agent, "A desk.", "go to desk 1")
    assert not second.fresh
    assert prompt.ids == first.prompt_ids + first.response_ids + second.prompt_ids


def test_a_fork_leaves_the_original_as_it_was():
    agent = ReactAgent(ScriptedPolicy(["look"]))
    answered(agent, "A room.", "look")
    fork = copy.copy(agent)
    before = agent.context
    answered(fork, "A desk.", "go to desk 1")
    assert agent.context == before != fork.context


def test_a_context_at_its_limit_is_rebuilt_from_task_and_latest_turns():
    agent = ReactAgent(ScriptedPolicy(["look"]), instruction="", max_context=300, max_new_tokens=20)
    fresh = []
    for turn in range(12):
        prompt, decision = answered(agent, "Your task is to: wait." if turn == 0 else f"Turn {turn}.", "look")
        fresh.append(decision.fresh)
        assert len(prompt.ids) <= 280
        text = agent.chat.tokenizer.decode(prompt.ids)
        assert "Your task is to: wait." in text
        assert turn == 0 or f"Turn {turn}." in text
    assert fresh[0]
    assert sum(fresh) in range(2, 9)


def test_restriction_offers_exactly_the_admissible_commands():
    agent = ReactAgent(ScriptedPolicy(["look"]), restrict=True)
    prompt = agent.ask("A room.", {"admissible_commands": ["look", "go to desk 1"]})
    assert prompt.choices == (agent.chat.answer("look"), agent.chat.answer("go to desk 1"))


def test_the_banner_is_not_shown_to_the_model():
    agent = ReactAgent(ScriptedPolicy(["look"]), instruction="")
    text = agent.chat.tokenizer.decode(agent.ask("-= Welcome to TextWorld, ALFRED! =-\n\nYou are here.", {}).ids)
    assert "Welcome" not in text
    assert "You are here." in text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("look", ("", "look")),
        ("  look \nand more", ("", "look")),
        ("Thought: a.\nAction: look", ("a.", "look")),
        ("thought: a. Action: b?\nACTION:  go to desk 1\nObservation: x", ("a. Action: b?", "go to desk 1")),
        ("Thought: only thinking", ("only thinking", "")),
        ("", ("", "")),
    ],
)
def test_answers_are_split_into_thought_and_action(text, expected):
    assert parse_answer(text) == expected


def test_seeds_differ_by_turn_and_draw_and_repeat_otherwise():
    make = partial(ReactAgent, ScriptedPolicy(["look"]))
    one, same, other = make(seed=1), make(seed=1), make(seed=2)
    seeds = [agent.ask("o", {}, draw=draw).seed for agent in (one, other) for draw in range(3)]
    assert len(set(seeds)) == 6
    assert same.ask("o", {}).seed == seeds[0]


def test_a_context_that_must_be_shortened_is_no_reason_to_warn(monkeypatch):
    said = []
    monkeypatch.setattr(logging.getLogger("transformers.tokenization_utils_base"), "handle", said.append)
    policy = ScriptedPolicy([""])
    policy.tokenizer = make_nano_tokenizer(max_positions=64)
    agent = ReactAgent(policy, instruction="", max_new_tokens=8, max_context=56)
    seen = "You see a desk 1, and a mug 2."
    for _ in range(8):
        prompt = agent.ask(seen, {})
        agent.decide(seen, prompt, Completion(agent.chat.answer("look"), (), "look"))
    assert len(prompt.ids) <= 48
    assert said == []
