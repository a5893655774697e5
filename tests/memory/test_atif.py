"""ATIF: our documents pass Harbor's own models, and Harbor's documents become episodes."""

import json
import os
import subprocess
import sys

import pytest

from selfgym.envs.core import Outcome
from selfgym.memory.episode import Episode, Source, Step
from selfgym.memory.exchange.atif import document_from
from selfgym.memory.exchange.files import DamagedFileError
from selfgym.memory.exchange.formats import export_episodes, import_episodes

VALIDATE = """
import json, sys
from harbor.models.trajectories import Trajectory
for name in sys.argv[1:]:
    with open(name, encoding="utf-8") as file:
        for line in file:
            document = json.loads(line)
            again = Trajectory.model_validate(document).to_json_dict()
            missing = set(document) - set(again)
            assert not missing, missing
print("valid")
"""


def make_episode(**fields) -> Episode:
    steps = (
        Step(observation="a room", prompt_ids=(1, 2), response_ids=(3,), logprobs=(-1.0,), fresh=True, action="look"),
        Step(observation="nothing", prompt_ids=(4,), response_ids=(5, 6), action="go to shelf 1", thought="hm"),
        Step(observation="a shelf", action='{"name": "use", "arguments": {"object": "lamp 1"}}', reward=1.0),
    )
    base = {"id": "e", "env": "x", "task": "t", "outcome": "success", "steps": steps, "final_observation": "lit"}
    return Episode(**(base | fields))


def test_a_document_has_the_form_that_the_format_describes():
    document = document_from(make_episode(agent="react", policy="nano", run="first"))
    assert document["schema_version"] == "ATIF-v1.7"
    assert (document["session_id"], document["trajectory_id"]) == ("first", "e")
    assert document["agent"]["name"] == "react"
    assert document["agent"]["model_name"] == "nano"
    assert [step["step_id"] for step in document["steps"]] == [1, 2, 3, 4]
    assert [step["source"] for step in document["steps"]] == ["user", "agent", "agent", "agent"]
    assert document["steps"][0]["message"] == "a room"
    first, second, third = document["steps"][1:]
    assert first["observation"]["results"] == [{"content": "nothing"}]
    assert second["metrics"]["prompt_token_ids"] == [1, 2, 3, 4]
    assert second["metrics"]["completion_token_ids"] == [5, 6]
    assert second["reasoning_content"] == "hm"
    assert third["tool_calls"] == [
        {"tool_call_id": "call_1", "function_name": "use", "arguments": {"object": "lamp 1"}}
    ]
    assert third["observation"]["results"] == [{"content": "lit", "source_call_id": "call_1"}]
    assert document["final_metrics"]["extra"] == {"reward": 1.0, "outcome": "success"}


def test_our_documents_are_valid_for_harbor_itself(tmp_path):
    interpreter = os.environ.get("SELFGYM_HARBOR_PYTHON", sys.executable)
    probe = subprocess.run([interpreter, "-c", "import harbor"], capture_output=True, check=False)
    if probe.returncode:
        pytest.skip("no harbor here: pip install harbor (Python >= 3.12) and set SELFGYM_HARBOR_PYTHON to its python")
    episodes = [
        make_episode(),
        make_episode(steps=(), outcome="env_error", error="x"),
        make_episode(agent="a", policy="p", run="r", seed=2**70, info={"deep": [1, {"x": None}]}),
    ]
    export_episodes(episodes, tmp_path / "all.jsonl", "atif")
    export_episodes(episodes[:1], tmp_path / "one.json", "atif")
    command = [interpreter, "-c", VALIDATE, str(tmp_path / "all.jsonl"), str(tmp_path / "one.json")]
    told = subprocess.run(command, capture_output=True, text=True, check=False)
    assert told.stdout == "valid\n", told.stderr


def foreign(**fields):
    return {
        "schema_version": "ATIF-v1.8",
        "session_id": "s-1",
        "agent": {"name": "terminus-2", "version": "2.0.0", "model_name": "some/model"},
        "steps": [
            {"step_id": 1, "source": "system", "message": "You are an agent."},
            {"step_id": 2, "source": "user", "message": "Fix the build.", "timestamp": "2026-01-01T00:00:00Z"},
            {
                "step_id": 3,
                "source": "agent",
                "message": "I list the files.",
                "reasoning_content": "First a look.",
                "tool_calls": [
                    {"tool_call_id": "c1", "function_name": "bash", "arguments": {"command": "ls"}},
                    {"tool_call_id": "c2", "function_name": "bash", "arguments": {"command": "pwd"}},
                ],
                "observation": {
                    "results": [
                        {"source_call_id": "c1", "content": "a.c"},
                        {
                            "source_call_id": "c2",
                            "content": [
                                {"type": "text", "text": "/src"},
                                {"type": "image", "source": {"media_type": "image/png", "path": "shot.png"}},
                            ],
                        },
                    ]
                },
                "metrics": {
                    "prompt_token_ids": [1, 2],
                    "completion_token_ids": [3, 4],
                    "logprobs": [-0.5, -0.25],
                    "cost_usd": 0.1,
                },
            },
            {
                "step_id": 4,
                "source": "agent",
                "message": "Done.",
                "metrics": {"prompt_token_ids": [1, 2, 3, 4, 9], "completion_token_ids": [5], "logprobs": [-0.5, -1.0]},
                "is_copied_context": True,
            },
            {"step_id": 5, "source": "agent", "message": "submit", "llm_call_count": 0},
        ],
    } | fields


def test_a_foreign_document_becomes_an_episode(tmp_path):
    (tmp_path / "trajectory.json").write_text(json.dumps(foreign(), indent=2))
    (episode,) = import_episodes(tmp_path / "trajectory.json", "atif")
    assert episode.id.startswith("atif/s-1/")
    assert (episode.agent, episode.policy, episode.task) == ("terminus-2", "some/model", "Fix the build.")
    assert episode.outcome is Outcome.RUNNING
    first, second, third = episode.steps
    assert first.observation == "You are an agent.\n\nFix the build."
    assert json.loads(first.action) == [
        {"name": "bash", "arguments": {"command": "ls"}},
        {"name": "bash", "arguments": {"command": "pwd"}},
    ]
    assert first.thought == "First a look.\n\nI list the files."
    assert (first.prompt_ids, first.response_ids, first.logprobs, first.fresh) == ((1, 2), (3, 4), (-0.5, -0.25), True)
    assert second.observation == "a.c\n\n/src\n[image: shot.png]"
    assert (second.action, second.prompt_ids, second.fresh, second.logprobs) == ("Done.", (9,), False, ())
    assert (first.trainable, second.trainable, third.trainable) == (True, False, False)
    assert third.source is Source.INJECTED
    assert list(import_episodes(tmp_path / "trajectory.json", "atif")) == [episode]


def test_a_job_folder_of_harbor_gives_every_trial_with_its_verdict(tmp_path):
    for name, reward in (("trial-a", 1.0), ("trial-b", 0.0), ("trial-c", None)):
        agent = tmp_path / name / "agent"
        agent.mkdir(parents=True)
        (agent / "trajectory.json").write_text(json.dumps(foreign(session_id=name)))
        verifier = {"rewards": {"reward": reward}} if reward is not None else None
        result = {"id": name, "task_name": "fix-build", "verifier_result": verifier}
        (tmp_path / name / "result.json").write_text(json.dumps(result))
        (tmp_path / name / "config.json").write_text("{}")
    episodes = list(import_episodes(tmp_path, "atif"))
    assert [episode.outcome for episode in episodes] == [Outcome.SUCCESS, Outcome.FAILURE, Outcome.RUNNING]
    assert [episode.total_reward for episode in episodes] == [1.0, 0.0, 0.0]
    assert {(episode.env, episode.task_id) for episode in episodes} == {("harbor", "fix-build")}


def test_subagents_become_episodes_of_their_own(tmp_path):
    inner = foreign(trajectory_id="inner", agent={"name": "helper", "version": "1"})
    (tmp_path / "x.jsonl").write_text(json.dumps(foreign(subagent_trajectories=[inner])) + "\n")
    outer, helper = import_episodes(tmp_path / "x.jsonl", "atif")
    assert (outer.role, helper.role, helper.agent) == ("", "subagent", "helper")


@pytest.mark.parametrize(
    ("document", "sentence"),
    [
        (foreign(schema_version="ATIF-v2.0"), "'ATIF-v2.0' cannot be read, only ATIF-v1.x"),
        (foreign(steps=[{"step_id": 1, "source": "agent"}]), "not an ATIF trajectory: steps.0.message: Field required"),
        (foreign(extra={"selfgym": {"id": "x"}}), "not an ATIF trajectory: env: Field required"),
        (foreign(agent=None), "agent: Input should be"),
        (["x"], "not an ATIF trajectory"),
    ],
)
def test_a_damaged_document_is_named(tmp_path, document, sentence):
    (tmp_path / "x.jsonl").write_text(json.dumps(foreign()) + "\n" + json.dumps(document) + "\n")
    with pytest.raises(DamagedFileError, match=f"line 2: .*{sentence}"):
        list(import_episodes(tmp_path / "x.jsonl", "atif"))


def test_a_folder_without_documents_says_so(tmp_path):
    (tmp_path / "x.json").write_text("[1]")
    with pytest.raises(DamagedFileError, match="no ATIF document"):
        list(import_episodes(tmp_path, "atif"))
    (tmp_path / "x.json").write_text("{\n\n'")
    with pytest.raises(DamagedFileError, match=r"x\.json: not JSON: .* at line 3"):
        list(import_episodes(tmp_path, "atif"))
