"""GEM's environments through our interface, against the genuine package: test_elsewhere.py runs this where that is."""

import json
import random

import pytest

pytest.importorskip("gem", reason="GEM IS NOT INSTALLED HERE: test_elsewhere.py goes where it is")
pytest.importorskip("gem.envs.registration", reason="ANOTHER PACKAGE IS CALLED gem HERE: pip install gem-llm")

import gem

from selfgym.envs.adapters.gem import GemEnv
from selfgym.envs.sandbox.limits import SandboxUnavailable
from selfgym.envs.sandbox.opening import open_sandbox

MOVES = {
    "game:Game2048-v0-easy": ["up", "left", "down", "right"],
    "game:TowerofHanoi-v0-easy": ["A B", "A C", "B C", "B A"],
    "game:Minesweeper-v0-easy": ["reveal 0 0", "reveal 4 4", "flag 2 2", "reveal 0 4"],
}


@pytest.mark.parametrize("name", MOVES)
def test_games_are_played_and_go_back(name):
    env, other, snapshot = GemEnv(name, max_steps=12), GemEnv(name, max_steps=12), b""
    observation, info = env.reset(seed=4)
    assert info["task"].strip() in observation
    seen = []
    while info["outcome"] == "running":
        if len(seen) == 1:
            snapshot = env.snapshot()
        move = f"\\boxed{{{MOVES[name][len(seen) % 4]}}}"
        seen.append((move, env.step(move)))
        info = seen[-1][1][4]
    assert len(seen) > 1
    other.restore(snapshot)
    for move, result in seen[1:]:
        assert other.step(move) == result


def test_rewards_are_the_packages_own():
    env, bare = GemEnv("game:GuessTheNumber-v0-easy"), gem.make("game:GuessTheNumber-v0-easy")
    ends = set()
    for seed in range(8):
        first, info = env.reset(seed=seed)
        state = random.getstate()
        assert first == "\n".join([bare.reset(seed=seed)[0].strip(), "Enter your next guess."])
        random.setstate(state)
        for number in range(1, 11):
            told, reward, *_, info = env.step(f"Perhaps \\boxed{{{number}}}.")
            text, expected, terminated, *_ = bare.step(f"Perhaps \\boxed{{{number}}}.")
            assert (text in told, reward) == (True, expected)
            if terminated:
                break
        ends.add(str(info["outcome"]))
    assert ends == {"success", "failure"}


def test_what_is_no_answer_is_refused_and_ends_nothing():
    env = GemEnv("rg:leg_counting")
    env.reset(seed=1)
    _, reward, terminated, truncated, info = env.step("Seven, I think.")
    assert (reward, terminated, truncated) == (0.0, False, False)
    assert info["action_error"] == "There is no answer in that. Mark it: \\boxed{...}."
    assert env.step({"name": "do", "arguments": {"command": "\\boxed{-1}"}})[4]["outcome"] == "failure"


def test_a_question_is_answered():
    env = GemEnv("rg:leg_counting")
    questions = {env.reset(seed=seed)[0] for seed in range(10)}
    assert len(questions) > 5
    text, _ = env.reset(seed=3)
    told, reward, terminated, _, info = env.step(f"\\boxed{{{env._game.data['answer']}}}")
    assert (told, reward, terminated, info["outcome"]) == ("Right.", 1.0, True, "success")
    assert env.restore(env.snapshot())[0] == "Right."
    assert env.reset(seed=3)[0] == text


def test_an_answer_that_gem_fails_to_read_is_a_wrong_one():
    env = GemEnv("rg:leg_counting")
    env.reset(seed=1)

    def unreadable(answer, entry):
        raise ValueError("no")

    env._game.reward_fn = unreadable
    told, reward, terminated, _, info = env.step("\\boxed{1}")
    assert (told, reward, terminated) == ("GEM cannot read that answer: ValueError.", 0.0, True)
    assert info["outcome"] == "failure"


def test_questions_of_mathematics_from_a_file(tmp_path):
    pytest.importorskip("datasets", reason="DATASETS IS NOT INSTALLED")
    file = tmp_path / "sums.jsonl"
    file.write_text("".join(json.dumps({"problem": f"{n} + 3?", "answer": str(n + 3)}) + "\n" for n in range(9)))
    keys = {"question_key": "problem", "answer_key": "answer"}
    env = GemEnv("math:ASDiv2K", dataset=str(file), **keys)
    _, info = env.reset(seed=2)
    number = int(info["task"].split()[0]) + 3
    assert env.step(f"\\boxed{{{number}}}")[1] == 1.0
    env.close()


def test_programs_run_in_the_sandbox(tmp_path):
    pytest.importorskip("datasets", reason="DATASETS IS NOT INSTALLED")
    try:
        open_sandbox().close()
    except SandboxUnavailable as error:
        pytest.skip(f"NO SANDBOX: {error}")
    tests = json.dumps({"inputs": ["2\n", "5\n"], "outputs": ["4\n", "10\n"]})
    file = tmp_path / "programs.jsonl"
    file.write_text(json.dumps({"problem": "Print the double.", "tests": tests}) + "\n")
    keys = {"dataset_name": "taco", "question_key": "problem", "test_key": "tests"}
    env = GemEnv("code:Taco8k", dataset=str(file), **keys)
    env.reset(seed=0)
    assert "a block of code" in env.step("print(2)")[4]["action_error"]
    assert env.step("```python\nprint(2 * int(input()))\n```")[1] == 1.0
    env.reset(seed=0)
    mark = tmp_path / "escaped"
    assert env.step(f"```python\nopen({str(mark)!r}, 'w').write('x')\nprint(2 * int(input()))\n```")[1] == 0.0
    assert not mark.exists()
    env.close()


def test_names_are_checked():
    with pytest.raises(ValueError, match=r"no environment 'game:Sudok-v0-easy'. Did you mean 'game:Sudoku-v0-easy'\?"):
        GemEnv("game:Sudok-v0-easy")
