"""Agent-R on repair tasks, with nothing changed for them: a tree grows, a revision is played again, rows come out."""

import json
from functools import partial
from pathlib import Path

import gymnasium
import numpy as np
import pytest

import selfgym  # noqa: F401  (registers the environments)
from selfgym.agents.policies.policy import Completion
from selfgym.agents.policies.scripted import ScriptedPolicy
from selfgym.agents.react import ReactAgent
from selfgym.agents.rollout import drive
from selfgym.agents.search import SearchConfig
from selfgym.envs.code.packages import Package
from selfgym.envs.code.problem import Problem
from selfgym.envs.core import Outcome
from selfgym.envs.sandbox.limits import SandboxUnavailable
from selfgym.envs.sandbox.opening import open_sandbox
from selfgym.memory.episode import Episode
from selfgym.memory.store import EpisodeStore
from selfgym.trainers.collectors import Task, collect_trees
from selfgym.trainers.evolve import evolve
from selfgym.trainers.rows import rows_from
from selfgym.trainers.splice import REVISIONS, SpliceConfig, preference_judge, splice, verbal_judge
from selfgym.trainers.stage import EvolveConfig

RIGHT = "def area(width, height):\n    return width * height\n"
TEST = "import area\n\n\ndef test_area():\n    assert area.area(2, 3) == 6\n"
PROBLEM = Problem(
    id="area",
    statement="area(2, 3) is 5.",
    package=Package("area", "1", "", "", "train", sources=("area.py",), tests=("test_area.py",)),
    files={"area.py": RIGHT.replace("*", "+").encode(), "test_area.py": b"import area\n"},
    hidden={"test_area.py": TEST.encode()},
    tests=("test_area.py::test_area",),
    solution={"area.py": RIGHT.encode()},
)


def call(name: str, **arguments: str) -> str:
    return json.dumps({"name": name, "arguments": arguments})


READ = call("read", path="area.py")
BREAK = call("edit", path="area.py", old="width + height", new="width - height")
MEND = call("write", path="area.py", content=RIGHT)
CHECK = call("test")
SUBMIT = call("submit")


class Programmer(ScriptedPolicy):
    """Proposes, at each state, something good and something bad in turn, and holds the good to be likelier."""

    def __init__(self) -> None:
        super().__init__(self.propose)
        self.asked = 0

    def propose(self, text: str) -> str:
        self.asked += 1
        good = self.asked % 2 == 0
        if "Answer 'Judgement: '" in text:
            return f"Judgement: {'Bad' if 'width - height' in text.rpartition('Did: ')[2] else 'Good'}"
        if MEND in text:
            return SUBMIT if CHECK in text or good else CHECK
        if BREAK in text:
            return f"Thought: I am done.\nAction: {SUBMIT}" if good else CHECK
        if READ in text:
            return f"Thought: it adds.\nAction: {MEND}" if good else BREAK
        return READ if good else BREAK

    def generate(self, prompts):  # type: ignore[no-untyped-def]
        answers = super().generate(prompts)
        worth = {answer: -9.0 if "width - height" in answer.text else -0.5 for answer in answers}
        return [
            Completion(one.ids, (worth[one] / len(one.ids),) * len(one.ids), one.text, one.finish) for one in answers
        ]


@pytest.fixture(scope="module", autouse=True)
def sandboxes() -> None:
    try:
        open_sandbox().close()
    except SandboxUnavailable as error:
        pytest.skip(f"no sandbox on this machine: {error}")


def code() -> gymnasium.Env[str, str]:
    return gymnasium.make("selfgym/Code-v0", problems=[PROBLEM], max_steps=6).unwrapped


TASK = Task("area", "selfgym/Code-v0", code, 0)
RECORD = {"run": "r", "phase": "tree-0"}


def voice(policy: ScriptedPolicy) -> ReactAgent:
    return ReactAgent(policy, max_new_tokens=400, max_context=50_000)


@pytest.fixture(scope="module")
def tree() -> list[Episode]:
    policy = Programmer()
    config = SearchConfig(simulations=6, branch=2, max_depth=6)
    [episodes] = collect_trees([TASK], policy, lambda task: voice(policy), config, record=RECORD)
    return episodes


def test_a_tree_of_real_work_grows(tree: list[Episode]) -> None:
    outcomes = [episode.outcome for episode in tree]
    assert Outcome.SUCCESS in outcomes
    assert Outcome.FAILURE in outcomes
    assert not any(outcome.is_error for outcome in outcomes)
    paths = {tuple(step.action for step in episode.steps) for episode in tree}
    assert len(paths) == len(tree) >= 4
    assert (READ, MEND, SUBMIT) in paths
    assert {path[0] for path in paths} == {READ, BREAK}


def test_every_path_of_the_tree_happens_again(tree: list[Episode]) -> None:
    env = code()
    for episode in tree:
        observation, _ = env.reset(seed=0)
        for step in episode.steps:
            assert (observation, env.state_key()) == (step.observation, step.state_key)
            observation, reward, *_ = env.step(step.action)
            assert reward == step.reward
        assert observation == episode.final_observation
    env.close()


def revised(tree: list[Episode], judge: object, policy: ScriptedPolicy) -> list[Episode]:
    config = SpliceConfig(pairs="any", max_pairs=2)
    record = {**RECORD, "phase": "revision-0"}
    process = splice(tree, TASK, partial(voice, policy), judge, config, iteration=0, seed=0, record=record)  # type: ignore[arg-type]
    [(_, kept)] = drive([process], policy)
    return kept


@pytest.fixture(scope="module")
def mended(tree: list[Episode]) -> list[Episode]:
    return revised(tree, preference_judge, Programmer())


def test_a_mistake_that_is_told_in_words_is_mended_too(tree: list[Episode], mended: list[Episode]) -> None:
    policy = Programmer()
    [first, *_] = revised(tree, verbal_judge(policy), policy)
    assert [step.action for step in first.steps] in [[step.action for step in episode.steps] for episode in mended]


def test_a_mistake_is_noticed_and_mended_for_real(mended: list[Episode]) -> None:
    assert mended
    for episode in mended:
        assert episode.outcome is Outcome.SUCCESS
        at = episode.branch_step
        assert [step.trainable for step in episode.steps] == [number >= at for number in range(len(episode.steps))]
        assert episode.steps[at - 1].action == BREAK
        assert episode.steps[at].thought in REVISIONS
        assert MEND in [step.action for step in episode.steps[at:]]
        assert all(step.valid for step in episode.steps)


def test_the_rows_train_the_mending_and_nothing_else(mended: list[Episode]) -> None:
    decode = Programmer().tokenizer.decode
    for episode in mended:
        [row] = rows_from(episode)
        expected = [token for step in episode.steps if step.trainable for token in step.response_ids]
        assert row.token_ids[row.weight > 0].tolist() == expected
        assert set(np.unique(row.weight)) == {0.0, 1.0}
        trained, rest = decode(expected), decode(row.token_ids[row.weight == 0].tolist())
        assert "width - height" not in trained
        assert "width - height" in rest
        assert all(step.observation in rest for step in episode.steps)
        assert trained.count("<|im_end|>") == sum(step.trainable for step in episode.steps)


def test_the_whole_loop_runs_with_a_model_that_knows_nothing(tmp_path: Path) -> None:
    problems = tmp_path / "mbpp.jsonl"
    records = [
        {"task_id": n, "text": f"Add {n}.", "code": f"def f(x): return x + {n}", "test_list": [f"assert f(0) == {n}"]}
        for n in range(3)
    ]
    problems.write_text("".join(json.dumps(record) + "\n" for record in records))
    config = EvolveConfig(
        env="selfgym/Code-v0",
        env_options={"problems": str(problems), "max_steps": 2},
        expert="programmer",
        agent={"instruction": "", "max_new_tokens": 8, "max_context": 2048},
        demos=2,
        tasks=1,
        evaluations=1,
        iterations=1,
        search=SearchConfig(simulations=1, branch=2, max_depth=2),
        clone={"steps": 1, "batch_tokens": 512},
        update={"steps": 1, "batch_tokens": 512},
    )
    metrics = evolve(config, tmp_path / "run")
    assert [record["errors"] for record in metrics] == [0.0, 0.0]
    with EpisodeStore(tmp_path / "run" / "episodes.db", readonly=True) as store:
        episodes = list(store.episodes())
    demos = [episode for episode in episodes if episode.phase == "demo"]
    assert len(demos) == 2
    assert all(episode.outcome is Outcome.SUCCESS for episode in demos)
    assert {episode.outcome for episode in episodes if episode.phase == "tree-0"} == {Outcome.TRUNCATED}
