"""An agent with a memory: what it is shown, what its skills do, and what the record holds of it."""

from __future__ import annotations

import gymnasium
import pytest

import selfgym  # noqa: F401  (registers the ids)
from selfgym.agents.policies.scripted import ScriptedPolicy
from selfgym.agents.pupil import PupilAgent
from selfgym.agents.react import ReactAgent
from selfgym.agents.remembering import Recall, RememberingAgent, read_call
from selfgym.agents.rollout import Job, rollout
from selfgym.envs.core import Outcome
from selfgym.memory.episode import Source
from selfgym.memory.item import Check, Code, Item
from selfgym.memory.views import quoted

CHECK = Check(rung="unit", source="x")


def skill(entry, source, *names, runtime="actions"):
    code = Code(runtime=runtime, entry=entry, source=source, params={"properties": {name: {} for name in names}})
    return Item(kind="skill", title=entry, code=code, checks=(CHECK,))


def household(**options):
    return gymnasium.make("selfgym/Household-v0", **({"size": "small", "max_steps": 30} | options)).unwrapped


def play(agent, *, policy=None, seed=0, env=household):
    job = Job("r/0", env, agent, seed, record={"env": "selfgym/Household-v0"})
    [(_, episode)] = rollout([job], policy)
    return episode


def recalling(text="", skills=(), asked=None, items=()):
    def recall(goal, episode):
        if asked is not None:
            asked.append((goal, episode))
        return Recall(text, (*items, *(one.id for one in skills)), tuple(skills))

    return recall


def test_the_goal_is_what_it_is_asked_by_and_the_text_is_shown_once():
    asked, seen = [], []

    class Watcher:
        def act(self, observation, info):
            seen.append(observation)
            return "look"

    block = quoted("Notes", [("i1", "mugs are in cabinets")], 100)[0]
    episode = play(lambda: RememberingAgent(Watcher(), recalling(block, asked=asked, items=("i1",)), episode="r/0"))
    [(goal, name)] = asked
    assert (goal, name) == (episode.task, "r/0")
    assert "mugs are in cabinets" in seen[0]
    assert not any("mugs are in cabinets" in text for text in seen[1:])
    assert episode.items == ("i1",)
    assert "mugs are in cabinets" not in episode.steps[0].observation  # the record holds what the environment said


def test_without_a_memory_it_plays_as_the_agent_alone():
    alone = play(lambda: PupilAgent(seed=3, competence=0.8))
    same = play(lambda: RememberingAgent(PupilAgent(seed=3, competence=0.8), recalling(), episode="r/0"))
    assert [step.action for step in same.steps] == [step.action for step in alone.steps]
    assert same.items == ()


def test_notes_change_what_the_pupil_does():
    def mean_steps(text):
        block = quoted("Notes", [("i", text)], 1000)[0]
        played = [
            play(lambda s=seed: RememberingAgent(PupilAgent(seed=s), recalling(block), episode="r/0"), seed=seed)
            for seed in range(25)
        ]
        assert all(episode.outcome is Outcome.SUCCESS for episode in played)
        return sum(len(episode.steps) for episode in played) / 25

    true = "heat: often with microwave. cool: often with fridge. clean: often with sinkbasin."
    false = "heat: often with fridge. cool: often with sinkbasin. clean: often with fridge."
    assert mean_steps(true) < mean_steps("nothing of use") < mean_steps(false)


def test_a_skill_is_called_and_its_actions_are_steps():
    place = household()
    _, info = place.reset(seed=0)
    there = next(command for command in info["admissible_commands"] if command.startswith("go to "))
    first, other = there, "inventory"
    tour = skill("tour", "{first}\nlook\ninventory", "first")
    answers = [f'call tour(first="{first}")', other, "look"]
    policy = ScriptedPolicy(answers)
    used = []

    def agent():
        inner = ReactAgent(policy, instruction="", max_new_tokens=80, max_context=20_000)
        return RememberingAgent(inner, recalling(skills=[tour]), episode="r/0", used=used.append)

    episode = play(agent, policy=policy, env=lambda: household(max_steps=5))
    assert episode.error == ""
    assert [step.action for step in episode.steps] == [first, "look", "inventory", other, "look"]
    assert [step.source for step in episode.steps] == ["policy", "injected", "injected", "policy", "policy"]
    assert used == [tour.id]
    opening = episode.steps[0]
    assert policy.tokenizer.decode(opening.response_ids, skip_special_tokens=True) == answers[0]
    assert opening.info == {"skill": tour.id, "call": answers[0]}
    assert (episode.steps[1].info, episode.steps[1].trainable) == ({"skill": tour.id}, False)
    [segment] = episode.token_segments()  # one context that only grew
    assert len(segment) == 5


def test_a_skill_that_is_refused_gives_the_word_back():
    bad = skill("bad", "go to nowhere 7\nlook\nlook")
    policy = ScriptedPolicy(["call bad()", "inventory"])
    episode = play(
        lambda: RememberingAgent(
            ReactAgent(policy, instruction="", max_new_tokens=80, max_context=20_000),
            recalling(skills=[bad]), episode="r/0",
        ),
        policy=policy, env=lambda: household(max_steps=3),
    )  # fmt: skip
    assert [step.action for step in episode.steps][:2] == ["go to nowhere 7", "inventory"]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ("call tour(", "is no call"),
        ("call fly()", "there is no skill 'fly'; there are: tour"),
        ("call tour()", "lacks the argument 'first'"),
        ("call tour(first='a', second='b')", "takes no argument 'second'"),
        ("call tour(open('/etc/passwd'))", "is no call"),
        ("call tour(first=open)", "is no call"),
    ],
)
def test_a_call_that_cannot_be_is_told_and_costs_no_step(answer, words):
    seen = []

    class Caller:
        def act(self, observation, info):
            seen.append(observation)
            return answer if len(seen) == 1 else "look"

    tour = skill("tour", "{first}", "first")
    episode = play(lambda: RememberingAgent(Caller(), recalling(skills=[tour]), episode="r/0"))
    assert episode.steps[0].action == "look"
    assert f"The call failed: {words}" in seen[1] or words in seen[1]


def test_an_agent_that_only_calls_in_vain_is_not_asked_for_ever():
    class Stubborn:
        asked = 0

        def act(self, observation, info):
            Stubborn.asked += 1
            return "call fly()"

    episode = play(lambda: RememberingAgent(Stubborn(), recalling(), episode="r/0"), env=lambda: household(max_steps=2))
    assert Stubborn.asked == 12  # five times answered, then taken at its word
    assert not episode.steps[0].valid


def test_a_function_is_run_in_its_sandbox():
    from selfgym.envs.sandbox.limits import SandboxUnavailable
    from selfgym.envs.sandbox.opening import open_sandbox

    try:
        sandbox = open_sandbox()
    except SandboxUnavailable as error:
        pytest.skip(f"NO SANDBOX: {error}")
    source = (
        'def twice(what):\n    """Twice."""\n    seen = yield what\n    yield what if "see" in seen else "inventory"'
    )
    both = skill("twice", source, "what", runtime="python")

    class Caller:
        def act(self, observation, info):
            return 'call twice(what="look")'

    with sandbox:
        episode = play(
            lambda: RememberingAgent(Caller(), recalling(skills=[both]), episode="r/0", sandbox=sandbox),
            env=lambda: household(max_steps=4),
        )
    assert episode.steps[0].action == "look"
    assert episode.steps[1].source is Source.INJECTED
    assert episode.steps[2].info["call"].startswith("call twice")


def test_calls_are_read_as_literals_only():
    assert read_call('call f(a=1, b=[1, "x"])') == ("f", {"a": 1, "b": [1, "x"]})
    for text in ("call f(1)", "call f(**{})", "call f.g()", "call f(a=b)", "call (lambda: 1)()", "call f() + 1"):
        with pytest.raises(ValueError, match="is no call"):
            read_call(text)


def test_tools_and_helpers_answer_without_a_step(sandbox):
    code = {"runtime": "mcp", "entry": "twice", "source": "def twice(n):\n    '''Double.'''\n    return 2 * n"}
    tool = Item(kind="skill", title="twice", checks=(CHECK,), code=Code(**code, params={"properties": {"n": {}}}))
    used, asked = [], []

    def help(request, recall):
        asked.append((request, recall.items))
        return Recall("in the fridge", ("i9",)) if "egg" in request else Recall()

    answers = ["call twice(n=21)", "help: where is an egg?", "help: else?", "look", "call twice(n='x' * 3)", "look"]
    policy = ScriptedPolicy(answers)
    agent = RememberingAgent(
        ReactAgent(policy, max_context=100_000), recalling(skills=[tool]), episode="r/0", sandbox=sandbox,
        used=used.append, help=help,
    )  # fmt: skip
    played = play(lambda: agent, policy=policy, env=lambda: household(max_steps=2))
    assert [step.action for step in played.steps] == ["look", "look"]
    first, second = played.steps
    assert first.info["asides"] == [
        ["call twice(n=21)", "twice answers: 42"],
        ["help: where is an egg?", "in the fridge"],
        ["help: else?", "Nobody knows."],
    ]
    assert "The call failed" in second.info["asides"][0][1]
    assert asked == [("where is an egg?", (tool.id,)), ("else?", (tool.id, "i9"))]
    assert played.items == (tool.id, "i9")
    assert (used, agent.called) == ([tool.id], [tool.id])


def test_the_record_holds_the_tokens_of_what_was_said_aside():
    policy = ScriptedPolicy(["help: where?", "look"])
    react = ReactAgent(policy, max_context=100_000)
    agent = RememberingAgent(react, recalling(), episode="r/0", help=lambda request, recall: Recall("there"))
    played = play(lambda: agent, policy=policy, env=lambda: household(max_steps=3))
    stream = [token for step in played.steps for token in (*step.prompt_ids, *step.response_ids)]
    assert tuple(stream) == react.context
    assert [step.fresh for step in played.steps] == [True, False, False]
    assert policy.tokenizer.decode(played.steps[0].response_ids).startswith("look")
    assert "help: where?" in policy.tokenizer.decode(played.steps[0].prompt_ids)
