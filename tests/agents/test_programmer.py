"""The programmers, as a rollout and the command line meet them."""

import json
from collections import Counter
from pathlib import Path

import gymnasium
import pytest

import selfgym  # noqa: F401  (registers the environments)
from selfgym.agents.agent import find_agent
from selfgym.agents.mender import MenderAgent
from selfgym.agents.policies.scripted import ScriptedPolicy
from selfgym.agents.programmer import ProgrammerAgent
from selfgym.agents.react import ReactAgent
from selfgym.agents.remembering import Recall, RememberingAgent
from selfgym.agents.rollout import Job, rollout
from selfgym.agents.teacher import TeacherAgent
from selfgym.cli import main
from selfgym.envs.code.env import CodeEnv
from selfgym.envs.code.packages import Package
from selfgym.envs.code.problem import Problem
from selfgym.envs.core import Outcome
from selfgym.envs.sandbox.limits import SandboxUnavailable
from selfgym.envs.sandbox.opening import open_sandbox
from selfgym.memory.episode import Episode, Source
from selfgym.memory.propose.deeds import done, taken_apart
from selfgym.memory.views import quoted

RECORD = {"env": "selfgym/Code-v0"}
RIGHT = 'def cut(text, most):\n    """At most that many characters."""\n    return text[:most]\n\n\nWIDTH = 9\n'
TEST = "import cut\n\n\ndef test_three():\n    assert cut.cut('abcd', 3) == 'abc'\n"
OTHER = "import cut\n\n\ndef test_width():\n    assert cut.WIDTH == 9\n"
STATEMENT = (
    "Something in cut 1 does not work as it should. A test that is not in this checkout fails; find out why.\n\n"
    "For example tests/test_cut.py::test_three:\n\ndef test_three():\n    assert cut.cut('abcd', 3) == 'abc'\n\n"
    "It ends with:\n\nAssertionError"
)


def problem(number: int) -> Problem:
    wrong = RIGHT.replace("[:most]", ["[most:]", "[: most - 1]", "[: most + 1]"][number])
    return Problem(
        id=f"cut/{number}",
        statement=STATEMENT,
        package=Package("cut", "1", "", "", "train", sources=("cut.py",), tests=("tests",)),
        files={"cut.py": wrong.encode(), "tests/test_cut.py": OTHER.replace("test_width", "test_w").encode()},
        hidden={"tests/test_cut.py": (TEST + OTHER.partition("\n\n\n")[2]).encode()},
        tests=("tests/test_cut.py::test_three", "tests/test_cut.py::test_width"),
        solution={"cut.py": RIGHT.encode()},
    )


@pytest.fixture(scope="module", autouse=True)
def sandboxes() -> None:
    try:
        open_sandbox().close()
    except SandboxUnavailable as error:
        pytest.skip(f"no sandbox on this machine: {error}")


def code() -> gymnasium.Env[str, str]:
    return gymnasium.make("selfgym/Code-v0", problems=[problem(number) for number in range(3)], max_steps=120).unwrapped


def played(agent: object, seed: int) -> Episode:
    job = Job("episode", code, lambda: agent, seed=seed, record=RECORD)  # type: ignore[arg-type, return-value]
    return next(episode for _, episode in rollout([job]))


def test_the_one_who_sees_the_solution_always_succeeds() -> None:
    agent = find_agent("programmer")()
    for seed in range(3):
        episode = played(agent, seed)
        assert episode.outcome is Outcome.SUCCESS
        assert [json.loads(step.action)["name"] for step in episode.steps] == ["edit", "submit"]
        assert all(step.source is Source.TEACHER and step.valid for step in episode.steps)


def test_the_one_who_tries_finds_what_one_change_mends() -> None:
    agent = find_agent("programmer")(kind="search", most=30)
    found = [played(agent, seed) for seed in range(3)]
    assert Outcome.SUCCESS in [episode.outcome for episode in found]
    assert all(json.loads(episode.steps[-1].action) == {"name": "submit", "arguments": {}} for episode in found)
    assert all(json.loads(step.action)["name"] != "submit" for episode in found for step in episode.steps[:-1])


def test_a_language_model_can_learn_from_one() -> None:
    pupil = ReactAgent(ScriptedPolicy(["nothing"]), max_context=20_000)
    episode = played(TeacherAgent(ProgrammerAgent(), pupil), 0)
    assert episode.outcome is Outcome.SUCCESS
    text = pupil.policy.tokenizer.decode(episode.steps[0].response_ids, skip_special_tokens=True)
    assert text.strip() == episode.steps[0].action
    assert all(step.trainable for step in episode.steps)


def test_programmers_say_what_they_need() -> None:
    with pytest.raises(ValueError, match="choose one of undo, search"):
        ProgrammerAgent("wizard")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="call begin"):
        ProgrammerAgent().act("", {})
    household = gymnasium.make("selfgym/Household-v0")
    agent = ProgrammerAgent()
    agent.begin(household)
    with pytest.raises(TypeError, match="in this process after reset, not HouseholdEnv"):
        agent.act("", {})


@pytest.fixture
def tasks(tmp_path: Path) -> Path:
    path = tmp_path / "mbpp.jsonl"
    records = [
        {
            "task_id": number,
            "text": f"Add {number} to a number.",
            "code": f"def add(x):\n    return x + {number}",
            "test_list": [f"assert add(1) == {number + 1}"],
        }
        for number in range(2)
    ]
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path


def test_selfgym_run_plays_one(tasks: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["run", "--env", "selfgym/Code-v0", "--agent", "programmer", "--option", f"problems={tasks}"]
    code = main([*arguments, "--episodes", "2", "--store", str(tmp_path / "e.db"), "--json"])
    shown = capsys.readouterr()
    assert code == 0, shown.err
    assert json.loads(shown.out)["success"] == 1.0


def mended(number: int, note: str = "", *, seed: int = 0, most: int = 15) -> Episode:
    text, _ = quoted("Notes", [("id", note)], 200) if note else ("", [])
    agent = RememberingAgent(MenderAgent(seed=seed, most=most), lambda goal, id: Recall(text), episode="e")
    job = Job("e", lambda: CodeEnv(problems=[problem(number)], max_steps=120), lambda: agent, seed=0)
    [(_, episode)] = rollout([job])
    return episode


def first_change(episode: Episode) -> tuple[str, str]:
    deed = next(deed for step in episode.steps if (deed := taken_apart(step.action)))
    return deed.thing, deed.place


def test_it_mends_what_one_change_mends_and_says_which() -> None:
    episode = mended(2)
    assert episode.outcome is Outcome.SUCCESS
    assert [(deed.thing, deed.place) for deed in done(episode)] == [("+ number", "nothing")]
    assert json.loads(episode.steps[-1].action)["name"] == "submit"


@pytest.mark.parametrize("note", ["change + number: often to nothing", "change to nothing: never works"])
def test_it_believes_its_notes(note: str) -> None:
    firsts = Counter(first_change(mended(2, note, seed=seed, most=1)) for seed in range(2))
    if "often" in note:
        assert set(firsts) == {("+ number", "nothing")}
    else:
        assert all(new != "nothing" for _, new in firsts)


def test_it_gives_up_after_as_many_tries_as_it_has() -> None:
    episode = mended(0, most=1)
    assert sum("edit" in step.action for step in episode.steps) == 2
    assert episode.outcome is Outcome.FAILURE
