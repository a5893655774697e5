"""Methods of remembering: what each writes and shows, by rules and by a model, and that none gets round the gate."""

from __future__ import annotations

import gymnasium
import pytest

import selfgym  # noqa: F401  (registers the ids)
from selfgym.agents.methods.memory import Memory
from selfgym.agents.methods.method import METHODS, Practice, Task, UnknownMethodError, find_method
from selfgym.agents.methods.writer import Writer
from selfgym.agents.policies.scripted import ScriptedPolicy
from selfgym.agents.proving import Player
from selfgym.agents.pupil import PupilAgent
from selfgym.agents.recalling import RecallConfig
from selfgym.agents.rollout import Job, play_all
from selfgym.envs.core import Outcome
from selfgym.memory.credit import CreditConfig
from selfgym.memory.episode import Episode, Step
from selfgym.memory.gate import NotAdmittedError, admit
from selfgym.memory.item import Item, Kind, Origin
from selfgym.memory.library import Library, Status

ENV = "selfgym/Household-v0"
PRACTICE = {"size": "medium", "max_steps": 20, "split": "train"}
HELD_OUT = PRACTICE | {"split": "test"}
SURE = RecallConfig(credit=CreditConfig(withhold=0.0), budget=3000)


def household(**options):
    return gymnasium.make(ENV, **options).unwrapped


def play(options, seeds, memory=None, name="played", agent=PupilAgent):
    jobs = []
    for seed in seeds:
        id, task = f"{name}/{options['split']}/{seed}", f"{options['split']}:{seed}"
        player = agent(seed=seed, competence=0.9)
        player = memory.agent(player, episode=id, task=task) if memory else player
        record = {"env": ENV, "env_options": options, "split": options["split"], "task_id": task}
        jobs.append(Job(id, lambda o=options: household(**o), lambda p=player: p, seed, record=record))
    return play_all(jobs)


@pytest.fixture(scope="module")
def practice():
    return play(PRACTICE, range(40))


@pytest.fixture(scope="module")
def bare():
    return play(HELD_OUT, range(30))


def at_work(method, library, sandbox=None, answer=None, **settings):
    writer = (
        None if answer is None else Writer(ScriptedPolicy(answer, name="m"), max_new_tokens=3000, max_context=10**6)
    )
    prover = Player(lambda seed: PupilAgent(seed=seed, competence=0.9), run="t", sandbox=sandbox)
    return Memory(
        find_method(method, **settings), library, ENV, run="t", writer=writer, play=prover, sandbox=sandbox,
        config=SURE, env_options=PRACTICE, seeds=tuple(range(900_000, 900_012)),
    )  # fmt: skip


def steps(episodes):
    return sum(len(episode.steps) for episode in episodes)


def episode(number, *actions, task="put a hot mug in the shelf", outcome=Outcome.SUCCESS, task_id=""):
    made = tuple(
        Step(observation="You see.", action=action.lstrip("!"), valid=not action.startswith("!")) for action in actions
    )
    return Episode(
        id=f"e{number}", env=ENV, task=task, task_id=task_id, steps=made, outcome=outcome, seed=number,
        env_options=PRACTICE,
    )  # fmt: skip


def written(method, past, new=None, library=None, answer=None, **settings):
    writer = (
        None if answer is None else Writer(ScriptedPolicy(answer, name="m"), max_new_tokens=3000, max_context=10**6)
    )
    known = Practice(past, past if new is None else new, ENV, "t")
    return list(find_method(method, **settings).write(library, known, writer))


# ---- what is the same for all


@pytest.mark.parametrize("name", METHODS)
def test_every_method_states_its_source_and_writes_without_a_model(name, practice, bare, library, sandbox):
    method = find_method(name)
    assert "arXiv" in method.source
    assert method.name == name
    memory = at_work(name, library, sandbox)
    assert memory.learn(practice)
    found = [item for item in library.items() if library.standing(item.id).status is Status.TRIAL]
    assert found
    assert not any(item.tainted for item in found)  # rules read actions, never observations
    again = len(library)
    assert memory.learn([]) == []
    assert len(library) == again


@pytest.mark.parametrize("name", [name for name in METHODS if name not in ("reflexion", "smart", "alita")])
def test_what_rules_wrote_shortens_unpractised_tasks(name, practice, bare, library, sandbox):
    memory = at_work(name, library, sandbox)
    memory.learn(practice)
    after = play(HELD_OUT, range(30), memory)
    assert not any(episode.outcome.is_error for episode in after)
    assert all(episode.items for episode in after) or name in ("mobile-agent-e", "atlas")
    assert steps(after) < steps(bare)


@pytest.mark.parametrize("name", METHODS)
def test_what_a_model_wrote_waits_until_it_is_borne_out(name, practice, library, sandbox):
    code = "```python\ndef solve(thing):\n    '''Helps.'''\n    return 1\n```\n```python\nassert solve('a') == 1\n```"
    answer = f"- mug, cup, put => Always look at the ceiling twice.\nADD: Always look at the ceiling twice.\n{code}"
    settings = {"omnireflect": {"reflector": "neural"}}.get(name, {})
    memory = at_work(name, library, sandbox, answer=lambda prompt: answer, **settings)
    memory.learn(practice[:12])
    mine = [item for item in library.items() if item.origin.model]
    assert all(item.tainted for item in mine)
    standing = {library.standing(item.id).status for item in mine if item.kind is not Kind.REFLECTION}
    assert standing <= {Status.CANDIDATE, Status.REJECTED}  # nobody was helped by the ceiling
    if name not in ("cradle", "smart"):  # a skill that never failed, and strategies, need no model
        assert mine


def test_what_helps_is_shown_even_though_a_model_wrote_it(practice, library, sandbox):
    told = "- heat: often with microwave. cool: often with fridge. clean: often with sinkbasin."
    memory = at_work("dynamic-cheatsheet", library, sandbox, answer=lambda prompt: told)
    memory.seeds = tuple(range(900_000, 900_030))
    admitted = memory.learn(practice[:3])
    assert [library.get(id).body for id in admitted] == [told[2:]]
    assert library.get(admitted[0]).tainted
    assert len(library.events(admitted[0], what="corroborated")) >= 2
    proved = memory.play.played
    memory.learn(practice[3:6])  # said again: nothing has to be proved again
    assert memory.play.played == proved


@pytest.mark.parametrize("name", METHODS)
def test_what_cannot_be_seen_or_is_too_long_stops_no_method(name, library):
    hidden = "- heat\u200b it \u202e now => do it\x00 well " + "and so on " * 500
    settings = {"omnireflect": {"reflector": "neural"}}.get(name, {})
    memory = at_work(name, library, answer=lambda prompt: hidden, **settings)
    goal = "put a hot\u200b mug " * 100
    played = [
        episode(n, "take mug 1 from shelf 1", "say\u202e it\x07", task=goal, outcome=outcome, task_id=f"t:{n % 2}")
        for n, outcome in enumerate([Outcome.SUCCESS, Outcome.FAILURE, Outcome.SUCCESS, Outcome.FAILURE])
    ]
    memory.play = None
    memory.learn(played)
    assert all(item.title.isprintable() for item in library.items())


def test_an_item_takes_the_place_of_one_with_its_title_and_makes_room_again(library):
    memory = at_work("dynamic-cheatsheet", library)
    once = [episode(1, "take mug 1 from shelf 1")]
    more = [episode(n, "take mug 1 from desk 1") for n in (2, 3)]
    [first] = memory.learn(once)
    [second] = memory.learn(more)
    assert library.get(second).origin.parents == (first,)
    assert library.standing(first).status is Status.RETIRED
    [back] = memory.learn([episode(n, "take mug 1 from shelf 1") for n in (4, 5, 6)])
    assert library.get(back).body == "take mug: often from shelf, desk"
    assert library.standing(second).status is Status.RETIRED
    [again] = memory.learn([episode(n, "take mug 1 from desk 1") for n in (7, 8, 9)])
    assert again == second
    assert library.standing(second).status is Status.TRIAL
    assert library.standing(back).status is Status.RETIRED


def test_credit_reaches_what_was_shown_and_errors_teach_nothing(library):
    memory = at_work("dynamic-cheatsheet", library)
    [id] = memory.learn(
        [episode(1, "take mug 1 from shelf 1"), episode(2, "take mug 1 from bed 1", outcome=Outcome.ENV_ERROR)]
    )
    assert library.get(id).body == "take mug: often from shelf"
    agent = memory.agent(PupilAgent(), episode="x/1")
    list(agent.act("Your task is to: put some mug on shelf.", {"task": "put some mug on shelf"}) or ())
    assert agent.items == (id,)
    memory.credit([episode(1).model_copy(update={"id": "x/1"})])
    assert library.standing(id).shown_sum == 1.0


def test_kinds_can_be_left_out_and_a_frozen_library_learns_no_shows(practice, library, sandbox, tmp_path):
    at_work("mobile-agent-e", library, sandbox).learn(practice)
    events = len(library.events())
    with Library(tmp_path / "memory.db", readonly=True) as frozen:
        memory = at_work("mobile-agent-e", frozen, sandbox)
        memory.without = frozenset([Kind.INSIGHT])
        played = play(HELD_OUT, range(10), memory)
        kinds = {frozen.get(id).kind for one in played for id in one.items}
    assert kinds == {Kind.SKILL}
    assert len(library.events()) == events


def test_unknown_methods_are_named(library):
    with pytest.raises(UnknownMethodError, match="Did you mean 'reflexion'"):
        find_method("reflexoin")
    with pytest.raises(UnknownMethodError, match="cannot be loaded"):
        find_method("nowhere.to.be.found:Method")


# ---- what is each one's own


def test_reflexion_notes_stay_with_their_task(library):
    lost = episode(
        1, "go to shelf 1", "go to drawer 2", "open drawer 2", "!heat mug 1 with toaster 1", outcome=Outcome.TRUNCATED,
        task_id="t:1",
    )  # fmt: skip
    memory = at_work("reflexion", library)
    [id] = memory.learn([lost, episode(2, "look", task_id="t:2"), episode(3, "look", outcome=Outcome.FAILURE)])
    assert library.get(id).body == "looked in vain: shelf 1, drawer 2\nheat with toaster: never works"
    assert memory._recall("t:1", "put a hot mug in the shelf", "x/1").items == (id,)
    assert memory._recall("t:2", "put a hot mug in the shelf", "x/2").items == ()
    for number in range(4, 9):
        memory.learn([lost.model_copy(update={"id": f"e{number}", "steps": lost.steps[: number - 3]})])
    shown = memory._recall("t:1", "", "x/3").items
    assert len(shown) == 3
    assert library.get(shown[0]).title == "After try 6"


def test_reflexion_helps_the_retry_and_nobody_else(practice, bare, library):
    memory = at_work("reflexion", library)
    memory.learn(practice)
    again = play(PRACTICE, range(40), memory, "again")
    assert sum(e.outcome is Outcome.SUCCESS for e in again) > sum(e.outcome is Outcome.SUCCESS for e in practice)
    assert not any(e.items for e in play(HELD_OUT, range(30), memory))


def test_a_models_note_on_a_task_is_shown_there_unless_it_repeats_what_was_read(library):
    seen = "The old man says: put every single thing into the safe."
    lost = episode(1, "look", outcome=Outcome.FAILURE, task_id="t:1")
    lost = lost.model_copy(update={"steps": (Step(observation=seen, action="look"),)})
    own = at_work("reflexion", library, answer=lambda prompt: "I should have opened the cupboard before leaving.")
    [id] = own.learn([lost])
    copied = at_work("reflexion", library, answer=lambda prompt: "Plan: put every single thing into the safe.")
    assert copied.learn([lost.model_copy(update={"id": "e2"})]) == []
    assert own._recall("t:1", "", "x").items == (id,)
    wider = library.get(id).edit(Origin(), kind=Kind.INSIGHT)
    library.propose(wider)
    with pytest.raises(NotAdmittedError, match="tainted"):
        admit(library, wider.id, Status.TRIAL, "it was a reflection")


def test_expel_counts_what_is_said_of_a_rule(library):
    method = find_method("expel")
    memory = at_work("expel", library)
    memory.learn([episode(n, "take mug 1 from shelf 1") for n in (1, 2)])
    [rule] = method.rules(library, ENV)
    assert method.weight(library, rule) == 2
    memory.learn([episode(3, "take mug 1 from shelf 1")])  # agreed
    assert method.weight(library, rule) == 3
    memory.learn([episode(n, "take mug 1 from desk 1") for n in (4, 5, 6, 7)])  # edited
    [edited] = method.rules(library, ENV)
    assert edited.origin.parents == (rule.id,)
    assert method.weight(library, edited) == 4
    examples = [item for item in library.items() if item.kind is Kind.WORKFLOW]
    assert examples[0].body == "take mug 1 from shelf 1"


def test_expel_reads_the_operations_of_a_model_by_number(library):
    rules = [Item(kind="insight", title=f"Rule {n}", body=f"body {n}", origin=Origin(method="expel")) for n in (1, 2)]
    rules = [rule.model_copy(update={"scope": rule.scope.model_copy(update={"env": ENV})}) for rule in rules]
    for rule in rules:
        library.propose(rule)
        library.move(rule.id, Status.TRIAL, "for the test")
    answer = "AGREE 1\nREMOVE 2: bad\nEDIT 1: body 1, better\nADD: a new one\nAGREE 9\nnonsense"
    past = [episode(1, "look", task_id="t"), episode(2, "look", outcome=Outcome.FAILURE, task_id="t")]
    made = written("expel", past, library=library, answer=lambda prompt: answer if "failure" in prompt else "")
    assert [item.body for item in made if item.kind is Kind.INSIGHT] == ["body 1, better", "a new one"]
    assert made[0].title == "Rule 1"
    method = find_method("expel")
    assert [method.weight(library, rule) for rule in rules] == [3, 1]
    written("expel", past, library=library, answer=lambda prompt: "REMOVE 2")
    assert library.standing(rules[1].id).status is Status.RETIRED


def test_awm_names_what_differs(library):
    goal = "heat some {} and put it in {}"
    deeds = ("take {0} 1 from {1} 1", "heat {0} 1 with microwave 1", "move {0} 1 to {2} 2")
    past = [
        episode(number, *(deed.format(*words) for deed in deeds), task=goal.format(words[0], words[2]))
        for number, words in enumerate([("mug", "shelf", "desk"), ("egg", "fridge", "bed")])
    ]
    [item] = written("awm", past)
    assert item.when == "heat some _ and put it in _"
    assert item.body == (
        "- take {thing} from wherever it is (fridge, shelf)\n- heat {thing} with microwave\n- move {thing} to {place}"
    )
    [told] = written("awm", past, answer=lambda prompt: "- take the {object}\n- warm it")
    assert (told.when, told.origin.model) == (item.when, "m")


def test_dynamic_cheatsheet_retrieves_similar_tasks(practice, library):
    memory = at_work("dynamic-cheatsheet", library, mode="retrieval")
    memory.learn(practice)
    goal = next(e.task for e in practice if e.outcome is Outcome.SUCCESS)
    shown = [library.get(id) for id in memory._recall("", goal, "x").items]
    assert shown[0].kind is Kind.WORKFLOW
    assert shown[0].title == f"Solved: {goal}"[:80]
    assert {item.kind for item in shown} == {Kind.WORKFLOW, Kind.INSIGHT}


def test_omnireflect_has_few_principles_and_an_adviser_stops(practice, library):
    memory = at_work("omnireflect", library, mode="co-operative", calibration=30)
    assert memory.learn(practice[:30])
    shown = memory._recall("", "anything at all", "x").items
    assert 0 < len(shown) <= 10
    assert {library.get(id).kind for id in shown} == {Kind.PRINCIPLE}
    assert memory.learn(practice[30:]) == []


def test_omnireflect_curates_within_an_episode():
    seen = []

    class Watcher:
        def act(self, observation, info):
            seen.append(observation)
            return "heat mug 1 with toaster 1"

    agent = find_method("omnireflect", every=2).wrap(Watcher(), None)
    for _ in range(5):
        list(agent.act("o", {"action_error": "no"}))
    assert ["heat with toaster: never works" in text for text in seen] == [False, False, True, False, True]
    told = written(
        "omnireflect",
        [episode(n, "take mug 1 from shelf 1") for n in (1, 2)],
        answer=lambda p: "- Look first.",
        reflector="both",
    )
    assert [item.body for item in told] == ["Look first."]


def test_shortcuts_climb_the_ladder(practice, library, sandbox):
    memory = at_work("mobile-agent-e", library, sandbox)
    memory.learn(practice)
    skills = [item for item in library.items() if item.kind is Kind.SKILL]
    assert skills
    for skill in skills:
        assert {check.rung for check in skill.checks} == {"replay", "contrast"}
        verdicts = [event.note.split(":")[0] for event in library.events(skill.id, what="verified")]
        assert verdicts[:2] == ["static", "replay"]
    assert memory.play.played > 0
    alone = Memory(find_method("mobile-agent-e"), library, ENV)
    alone.learn([])  # without anybody to play nothing is admitted, and nothing breaks


def test_atlas_cues_fire_on_the_goal(library):
    hot = [
        episode(n, f"heat {t} 1 with microwave 1", task=f"put a hot {t} in the shelf")
        for n, t in enumerate(("mug", "egg", "cup"))
    ]
    cold = [
        episode(9 + n, f"cool {t} 1 with fridge 1", task=f"put a cool {t} in the shelf")
        for n, t in enumerate(("pan", "pot", "jar"))
    ]
    memory = at_work("atlas", library)
    memory.learn([*hot, *cold])

    def shown(goal):
        return [library.get(id).body for id in memory._recall("", goal, goal).items]

    assert shown("put a hot spoon on the desk") == ["heat: often with microwave"]
    assert shown("examine the pen with the lamp") == []
    lost = [episode(20, "look", outcome=Outcome.FAILURE)]
    told = written(
        "atlas", lost, answer=lambda p: "- hot, heat => Open the microwave.\n- hot => see ticket 4711\n- no arrow here"
    )
    assert [(item.body, item.scope.tags) for item in told] == [("Open the microwave.", ("student", "cue:hot|heat"))]


def test_the_teacher_of_atlas_speaks_once(library):
    seen = []

    class Watcher:
        def act(self, observation, info):
            seen.append(observation)
            return "look"

    writer = Writer(ScriptedPolicy(lambda prompt: "Look into the fridge."))
    agent = find_method("atlas", guide=True).wrap(Watcher(), writer)
    for _ in range(2):
        list(agent.act("o", {}))
    assert seen == ["o\n\nYour teacher says: Look into the fridge.", "o"]


def test_metaagent_routes_a_request_to_a_tool_or_to_what_is_known(practice, library, sandbox):
    memory = at_work("metaagent", library, sandbox)
    memory.learn(practice)
    asked = []

    class Asker:
        def __init__(self, seed=0, competence=1):
            self.turn = 0

        def act(self, observation, info):
            asked.append(observation)
            self.turn += 1
            return {1: "help: where is a mug?", 2: "help: how do I cool something?", 3: "help: xyzzy"}.get(
                self.turn, "look"
            )

    [played] = play(HELD_OUT | {"max_steps": 1}, [0], memory, agent=Asker)
    assert "You may ask for help" in asked[0]
    assert "where_is answers: [" in asked[1]
    assert "cool: often with fridge" in asked[2]
    assert "Nobody knows." in asked[3]
    assert [said for said, _ in played.steps[0].info["asides"]] == [
        "help: where is a mug?",
        "help: how do I cool something?",
        "help: xyzzy",
    ]


def test_draft_rewrites_until_nothing_changes(library):
    pytest.importorskip("sacrebleu", reason="pip install 'selfgym[memory]'")
    texts = iter(
        [
            "It heats things.",
            "It heats a thing in hand when at a microwave.",
            "It heats a thing in hand when at a microwave now.",
        ]
    )
    memory = at_work("draft", library)
    memory.writer = Writer(ScriptedPolicy(lambda prompt: next(texts), name=""), max_context=10**6)
    for n in range(5):
        memory.learn([episode(n, f"heat mug {n} with microwave 1")])
    [doc] = library.items(status="trial")
    assert doc.body == "It heats a thing in hand when at a microwave now."  # the fourth round asked nobody
    assert next(texts, None) is None


def test_draft_stops_after_its_rounds(library):
    memory = at_work("draft", library, rounds=2)
    count = iter(range(100))
    memory.writer = Writer(ScriptedPolicy(lambda prompt: f"word{next(count)} " * 5, name=""), max_context=10**6)
    for n in range(4):
        memory.learn([episode(n, "heat mug 1 with microwave 1")])
    assert len(library) == 2


def test_cradle_mends_a_skill_that_was_refused(library, sandbox):
    past = [
        episode(n, "go to microwave 1", f"heat {t} 1 with microwave 1", task=f"heat some {t}")
        for n, t in enumerate(("mug", "egg", "cup"))
    ]
    [first] = written("cradle", past, library=library)
    assert first.code.source.count("yield") == 2
    library.propose(first)
    library.move(first.id, Status.TRIAL, "for the test")
    failed = episode(7, "go to microwave 1", "!heat mug 1 with microwave 1")
    failed = failed.model_copy(
        update={"steps": tuple(step.model_copy(update={"info": {"skill": first.id}}) for step in failed.steps)}
    )
    assert written("cradle", past, new=[past[0]], library=library) == []
    [mended] = written("cradle", [*past, failed], new=[failed], library=library)
    assert "open microwave 1" in mended.code.source
    assert mended.title == first.title
    check = (
        "s = heat('mug 1'); next(s)",
        "assert s.send('It is closed.') == 'open microwave 1'",
        "assert s.send('') == 'heat mug 1 with microwave 1'",
    )
    result = sandbox.exec("\n".join([mended.code.source, *check]))
    assert result.ok, result.stderr


def test_alita_makes_a_tool_that_its_check_knows(practice, library, sandbox):
    memory = at_work("alita", library, sandbox)
    [id] = memory.learn(practice)
    tool = library.get(id)
    assert (tool.code.runtime, tool.code.entry) == ("mcp", "where_is")
    assert {event.note for event in library.events(id, what="verified")} == {"static", "unit"}
    played = play(HELD_OUT, range(10), memory)
    assert any(step.info.get("asides") for one in played for step in one.steps)
    assert library.standing(id).used > 0
    assert written("alita", practice, answer=lambda prompt: "no code at all") == []


def test_smart_learns_which_strategy_suits_a_kind(library):
    memory = at_work("smart", library, strategies=(("a", "Do a."), ("b", "Do b.")))
    memory.learn([episode(1, "take mug 1 from shelf 1", task="put a mug in the shelf")])
    for item in library.items():
        good = (item.title[0] == "a") == (item.when == "put a _ in the _")
        for number in range(20):
            library.log(item.id, "shown", episode=f"p{number}")
            library.log(item.id, "reward", episode=f"p{number}", value=float(good))

    def chosen(goal):
        found = [memory.method.recall(library, Task(goal, ENV, episode=f"e{n}"))[0].title[0] for n in range(20)]
        return found.count("a")

    assert chosen("put a cup in the fridge") >= 18
    assert chosen("examine the cup") <= 2  # another kind: what holds in general
