"""Import of other people's trajectories: AgentGym, recordings of ALFWorld, logs of ReAct and Reflexion."""

import gzip
import json
from pathlib import Path

import pytest

from selfgym.envs.core import Outcome
from selfgym.memory.episode import Source
from selfgym.memory.exchange.files import DamagedFileError
from selfgym.memory.exchange.formats import import_episodes
from selfgym.memory.store import EpisodeStore

RECORDINGS = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "alfworld" / "transcripts.jsonl.gz"
ROOM = "You are in the middle of a room. Looking quickly around you, you see a fridge 1, and a shelf 1."
FIRST = f"{ROOM}\n\nYour task is to: put some mug in shelf.\nAVAILABLE ACTIONS: look, go to shelf 1"


def turn(speaker, value, loss=None):
    return {"from": speaker, "loss": loss, "value": value}


def agentgym(item_id="alfworld_7", **fields):
    talk = [
        turn("human", "Interact with a household to solve a task. ..."),
        turn("gpt", "OK. I'll follow your instructions and try my best to solve the task.", False),
        turn("human", FIRST),
        turn("gpt", "Thought:\nThe shelf\nfirst.\n\nAction:\ngo to shelf 1", True),
        turn("human", "You arrive at shelf 1."),
        turn("gpt", "Action:\nlook", True),
    ]
    return {"conversations": talk, "item_id": item_id} | fields


def imported(path, text, format, **fields):
    path.write_text(text, encoding="utf-8")
    return list(import_episodes(path, format, **fields))


def test_an_agentgym_array(tmp_path):
    first, second = imported(
        tmp_path / "x.json", json.dumps([agentgym(), agentgym("alfworld_8")], indent=1), "agentgym"
    )
    assert (first.env, first.task_id, first.task) == ("agentgym/alfworld", "alfworld_7", "put some mug in shelf")
    assert second.task_id == "alfworld_8"
    assert first.info["instructions"].startswith("Interact with a household")
    assert [(step.observation, step.thought, step.action) for step in first.steps] == [
        (FIRST, "The shelf\nfirst.", "go to shelf 1"),
        ("You arrive at shelf 1.", "", "look"),
    ]
    assert {step.source for step in first.steps} == {Source.TEACHER}
    assert first.outcome is Outcome.RUNNING
    assert imported(tmp_path / "x.json", json.dumps([agentgym()]), "agentgym", outcome="success") == [
        first.model_copy(update={"outcome": Outcome.SUCCESS})
    ]


def test_agentgym_lines_with_verdicts_and_masks(tmp_path):
    talk = agentgym()["conversations"]
    talk[3]["loss"] = False
    lines = [
        agentgym(reward=1.0, conversations=talk),
        agentgym(reward=0.5),
        agentgym(success=False),
        agentgym(success=1),
    ]
    episodes = imported(tmp_path / "x.jsonl", "\n".join(map(json.dumps, lines)), "agentgym")
    outcomes = [episode.outcome for episode in episodes]
    assert outcomes == [Outcome.SUCCESS, Outcome.FAILURE, Outcome.FAILURE, Outcome.SUCCESS]
    assert [episode.total_reward for episode in episodes] == [1.0, 0.5, 0.0, 1.0]
    assert [step.trainable for step in episodes[0].steps] == [False, True]
    assert len({episode.id for episode in episodes}) == 4


def test_agentgym_function_calls_code_and_system_turns(tmp_path):
    call = {"thought": "The shelf.", "function_name": "goto", "arguments": {"recep": "shelf 1"}}
    talk = [
        {"from": "system", "value": "Be brief."},
        {"from": "user", "value": "a room"},
        {"from": "assistant", "value": json.dumps(call, indent=2)},
        {"from": "human", "value": "first part"},
        {"from": "human", "value": "second part"},
        {"from": "gpt", "value": "```python\n# The fridge.\ngoto('fridge 1')\n```"},
        {"from": "human", "value": "Task done"},
    ]
    (episode,) = imported(tmp_path / "x.jsonl", json.dumps(agentgym("trial_T2019", conversations=talk)), "agentgym")
    first, second = episode.steps
    assert (episode.env, episode.info) == ("agentgym", {"instructions": "Be brief."})
    assert (first.thought, json.loads(first.action)) == (
        "The shelf.",
        {"name": "goto", "arguments": {"recep": "shelf 1"}},
    )
    assert second.observation == "first part\nsecond part"
    assert second.action.startswith("```python")
    assert episode.final_observation == "Task done"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            json.dumps([agentgym(), {"item_id": "x"}]),
            "item 2: not an AgentGym trajectory: conversations: Field required",
        ),
        (
            json.dumps([agentgym(conversations=[turn("robot", "hi")])]),
            "item 1: turn 1 is from 'robot'; known: human, user",
        ),
        (json.dumps(agentgym()) + "\n{", "line 2: not JSON"),
        ("[", "not JSON"),
    ],
)
def test_damaged_agentgym_files_are_named(tmp_path, text, sentence):
    with pytest.raises(DamagedFileError, match=sentence):
        imported(tmp_path / "x.json", text, "agentgym")


def test_the_recordings_of_the_genuine_engine(tmp_path):
    if not RECORDINGS.exists():
        pytest.skip(f"the shared recordings are not at {RECORDINGS}")
    with gzip.open(RECORDINGS, "rt", encoding="utf-8") as file:
        raw = [json.loads(line) for line in file]
    episodes = list(import_episodes(RECORDINGS, "alfworld"))
    assert len(episodes) == len(raw) == 40
    for episode, record in zip(episodes, raw, strict=True):
        assert episode.env == "selfgym/AlfWorld-v0"
        assert episode.task_id == record["game"]
        assert record["intro"].endswith(f"Your task is to: {episode.task}.")
        assert episode.steps[0].observation == record["intro"]
        assert episode.steps[0].info["admissible"] == record["admissible"]
        assert [step.action for step in episode.steps] == [step[0] for step in record["steps"]]
        seen = [*(step.observation for step in episode.steps[1:]), episode.final_observation]
        assert seen == [step[1] for step in record["steps"]]
        assert [step.reward for step in episode.steps] == [step[2] for step in record["steps"]]
        assert (episode.outcome is Outcome.SUCCESS) == record["steps"][-1][4]
    with EpisodeStore(tmp_path / "x.db") as store:
        assert store.append(episodes) == 40
        assert store.append(import_episodes(RECORDINGS, "alfworld")) == 0


def test_a_damaged_recording_is_named(tmp_path):
    good = {"game": "g", "intro": FIRST, "admissible": [], "steps": [["look", "nothing", 0, False, False, []]]}
    assert len(imported(tmp_path / "x.jsonl", json.dumps(good), "alfworld")) == 1
    for change, sentence in (
        ({"steps": [["look", "x"]]}, "line 2: not an ALFWorld recording: steps.0.2: Field required"),
        ({"intro": "hello"}, "line 2: the intro has no 'Your task is to"),
    ):
        with pytest.raises(DamagedFileError, match=sentence):
            imported(tmp_path / "x.jsonl", json.dumps(good) + "\n" + json.dumps(good | change), "alfworld")


REFLEXION = f"""
#####

Environment #0:
Interact with a household to solve a task. Here are two examples.
{ROOM}
Your task is to: example one.
> go to fridge 1
The fridge 1 is closed.
{ROOM}
Your task is to: example two.
> look
nothing

Your memory for the task below:
Trial 0:
I should have looked in the fridge.

Here is the task:
{ROOM}
Your task is to: put some mug in shelf.
> think: To solve the task, I need a mug.
OK.
> go to fridge 1
The fridge 1 is closed.
> look
{ROOM.replace("a fridge 1, and a shelf 1", "nothing")}
> put mug 1 in/on shelf 1
Nothing happens.

STATUS: FAIL

#####

#####

Environment #1:
{ROOM}
Your task is to: heat some mug.
> think: easy
OK.
> think: very easy
OK.
> use lamp 1
You turn on the lamp 1.

STATUS: OK

#####

#####

Environment #2:
Assertion Error

STATUS: FAIL

#####
"""


def test_a_trial_log_of_reflexion(tmp_path):
    first, second, broken = imported(tmp_path / "trial_0.log", REFLEXION, "alfworld")
    assert first.task == "put some mug in shelf"
    assert first.outcome is Outcome.FAILURE
    assert [(step.thought, step.action, step.valid) for step in first.steps] == [
        ("To solve the task, I need a mug.", "go to fridge 1", True),
        ("", "look", True),
        ("", "put mug 1 in/on shelf 1", False),
    ]
    assert first.steps[0].observation == f"{ROOM}\nYour task is to: put some mug in shelf."
    assert first.steps[2].observation.endswith("you see nothing.")
    assert first.final_observation == "Nothing happens."
    assert (second.outcome, second.total_reward) == (Outcome.SUCCESS, 1.0)
    assert second.steps[0].thought == "easy\nvery easy"
    assert (broken.outcome, broken.error, broken.steps) == (Outcome.ENV_ERROR, "Assertion Error", ())


NOTEBOOK = f"""pick_and_place_simple-Mug-None-Shelf-308/trial_T20190908_125200_737896
{ROOM}
Your task is to: put some mug in shelf.
Act 1: think: I need a mug.
Obs 1: OK.
Act 2: go to shelf 1
Obs 2: On the shelf 1, you see a mug 1.
Act 3: take mug 1 from shelf 1
Obs 3: You pick up the mug 1 from the shelf 1.
1 r 1 rs [1, 0, 0, 0, 0, 0] cnts [1, 0, 0, 0, 0, 0] sum(rs)/sum(cnts) 1.0
------------

pick_and_place_simple-Pen-None-Shelf-308/trial_T20190908_125200_737896
{ROOM}
Your task is to: put some pen in shelf.
Act 1: look
Obs 1: nothing
Act 2: think: I am lost.
Obs 2: OK.
2 r 0 rs [1, 0, 0, 0, 0, 0] cnts [2, 0, 0, 0, 0, 0] sum(rs)/sum(cnts) 0.5
"""


def test_the_print_of_reacts_notebook(tmp_path):
    first, second = imported(tmp_path / "react.txt", NOTEBOOK, "alfworld", run="react")
    assert [(step.thought, step.action) for step in first.steps] == [
        ("I need a mug.", "go to shelf 1"),
        ("", "take mug 1 from shelf 1"),
    ]
    assert first.final_observation == "You pick up the mug 1 from the shelf 1."
    assert (first.outcome, second.outcome) == (Outcome.SUCCESS, Outcome.FAILURE)
    assert [step.action for step in second.steps] == ["look", "think: I am lost."]
    assert first.run == second.run == "react"


def test_a_bare_transcript_and_a_text_that_is_none(tmp_path):
    intro = f"-= Welcome to TextWorld, ALFRED! =-\n\n{ROOM}\n\nYour task is to: put some mug in shelf."
    (episode,) = imported(tmp_path / "x.txt", f"{intro}\n> look\nnothing\n> ", "alfworld")
    assert episode.steps[0].observation.startswith("-= Welcome")
    assert (len(episode.steps), episode.final_observation, episode.outcome) == (1, "nothing", Outcome.RUNNING)
    with pytest.raises(DamagedFileError, match="no 'Your task is to"):
        imported(tmp_path / "x.txt", "Dear diary,\nnothing happened.", "alfworld")
