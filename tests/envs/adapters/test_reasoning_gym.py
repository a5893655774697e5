"""reasoning-gym's questions, against the genuine package."""

import pytest

pytest.importorskip("reasoning_gym", reason="REASONING-GYM IS NOT INSTALLED: pip install 'selfgym[reasoning]'")

from selfgym.envs.adapters.answers import harmless
from selfgym.envs.adapters.reasoning_gym import ReasoningGymEnv
from selfgym.envs.games.game import NoSolutionError

DATASETS = (
    "basic_arithmetic",
    "countdown",
    "n_queens",
    "polynomial_multiplication",
    "spiral_matrix",
    "sudoku",
    "zebra_puzzles",
)
EVALUATED = ("binary_matrix", "countdown", "n_queens", "puzzle24", "simple_integration", "string_insertion")
PROGRAMS = (
    "__import__('os').system('touch {}')",
    "open('{}', 'w')",
    "[open('{}', 'w') for _ in '1']",
    "(lambda: open('{}', 'w'))()",
    "5! + open('{}', 'w')",
    '\'open("{}", "w")\'',
    "[x := open('{}', 'w')]",
)
HARMLESS_TO_PYTHON = (4, 5)  # an error and a text; sympy would run them


@pytest.mark.parametrize("split", ["train", "test"])
@pytest.mark.parametrize("dataset", DATASETS)
def test_the_packages_own_answer_is_a_success(dataset, split):
    env = ReasoningGymEnv(dataset, split=split)
    for seed in range(3):
        observation, info = env.reset(seed=seed)
        assert info["task"] in observation
        _, reward, terminated, _, info = env.step(env.solution()[0])
        assert (reward, terminated, info["outcome"]) == (1.0, True, "success")


def test_a_wrong_answer_scores_what_the_package_says():
    env = ReasoningGymEnv("countdown")
    env.reset(seed=0)
    observation, reward, terminated, _, info = env.step("I think it is <answer>1 + 1</answer>")
    assert (reward, terminated, info["outcome"]) == (0.05, True, "failure")
    assert observation == "The answer scores 0.05 of 1."


def test_an_answer_may_be_a_tool_call():
    env = ReasoningGymEnv()
    env.reset(seed=0)
    answer = env.solution()[0].removeprefix("<answer>").removesuffix("</answer>")
    assert env.step({"name": "answer", "arguments": {"text": answer}})[4]["outcome"] == "success"


def test_without_an_answer_there_is_another_try():
    env = ReasoningGymEnv(max_steps=2)
    env.reset(seed=0)
    assert "no answer in this" in env.step("42")[4]["action_error"]
    assert env.step("42")[4]["outcome"] == "truncated"


def test_no_question_is_in_both_splits():
    small = {"max_terms": 2, "max_digits": 1}
    asked = {}
    for split in ("train", "test"):
        env = ReasoningGymEnv("basic_arithmetic", small, split=split)
        asked[split] = {env.reset(seed=seed)[0] for seed in range(40)}
    assert not asked["train"] & asked["test"]


@pytest.mark.parametrize("dataset", EVALUATED)
def test_an_answer_is_never_run(dataset, tmp_path):
    env = ReasoningGymEnv(dataset)
    for number, program in enumerate(PROGRAMS):
        target = tmp_path / str(number)
        env.reset(seed=0)
        *_, info = env.step({"name": "answer", "arguments": {"text": program.format(target)}})
        assert info["action_error"] or (number in HARMLESS_TO_PYTHON and info["outcome"] == "failure")
        assert not target.exists()


def test_what_cannot_do_anything_is_harmless():
    for answer in ("1 2 3\n4 5 6", "[[1, 0], [0, 1]]", "ABCD", "_ _ Q\nQ _ _", "-3", "(7 - 8/8)*4", "{1: 'a'}"):
        assert harmless(answer, symbolic=False), answer
    for answer in ("x**2 + 3*x - 1", "exp(x)*sin(2*x)/2 + C", "x**(5/2)", "2**(x + 1)", "log(x)"):
        assert harmless(answer, symbolic=True), answer
    for answer in ("9**9**9", "(9**99)**99", "1 << 9999999", "10**1000000", "f'{1}'", "a.b", "x[0]", "9" * 9999):
        assert not harmless(answer, symbolic=False) or answer == "f'{1}'", answer
        assert not harmless(answer, symbolic=True), answer


def test_wrong_options_are_refused():
    for options, words in (
        ({"dataset": "countdow"}, "Did you mean 'countdown'"),
        ({"dataset": "composite"}, "there is no dataset 'composite'"),
        ({"split": "dev"}, "there is no split 'dev'"),
        ({"config": {"seed": 1}}, "no settings here"),
        ({"config": {"nothing": 1}}, "refuses the settings of basic_arithmetic"),
    ):
        with pytest.raises(ValueError, match=words):
            ReasoningGymEnv(**options)
    env = ReasoningGymEnv("rush_hour")
    env.reset(seed=0)
    with pytest.raises(NoSolutionError, match="has none of its own"):
        env.solution()
