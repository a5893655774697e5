"""`selfgym bench SUITE`, `bench check`, `bench compare`, `leaderboard`, as they are typed."""

from __future__ import annotations

import json

import pytest

from selfgym.cli import main

SUITE = """
name = "tiny"
version = 1
about = "A tiny house."
[[parts]]
name = "house"
env = "selfgym/Household-v0"
env_version = "1.1"
options = { size = "tiny", split = "test", max_steps = 8 }
seeds = { count = 4 }
expert = "expert"
"""
AGENT = '''
class Looker:
    """Looks."""

    def __init__(self, word="look"):
        self.word = word

    def act(self, observation, info):
        return self.word
'''


@pytest.fixture
def here(tmp_path, monkeypatch):
    (tmp_path / "tiny.toml").write_text(SUITE)
    (tmp_path / "looking.py").write_text(AGENT)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CI", "1")
    return tmp_path


def said(capsys, *words):
    assert main(["bench", *words]) == 0, capsys.readouterr().err
    return capsys.readouterr().out


def folder_of(here, agent):
    return str(next(here.glob(f"runs/bench/tiny-{agent}-*")))


def test_a_suite_is_a_command_and_the_ends_are_played_with_it(here, capsys):
    out = said(capsys, "tiny.toml", "--agent", "looking:Looker")
    assert [line.split()[0] for line in out.splitlines()[1:4]] == ["random", "expert", "looking:Looker"]
    assert len(list(here.glob("runs/bench/*/results.json"))) == 3
    same = said(capsys, "run", "tiny.toml", "--agent", "looking:Looker")
    assert same == out
    told = json.loads(said(capsys, "tiny.toml", "--agent", "looking:Looker", "-a", "word=wait", "--alone", "--json"))
    assert told["agent_options"] == {"word": "wait"}
    assert len(told["lines"]) == 4
    assert len(list(here.glob("runs/bench/*/results.json"))) == 4


def test_results_are_checked_compared_and_put_on_a_page(here, capsys):
    said(capsys, "tiny.toml", "--agent", "looking:Looker")
    looker, expert = folder_of(here, "looking.Looker"), folder_of(here, "expert")
    assert "is sound" in said(capsys, "check", expert, "--replay", "2")
    assert "expert solves more than looking:Looker" in said(capsys, "compare", looker, expert)
    assert json.loads(said(capsys, "compare", looker, expert, "--json"))["significant"]["total"] is True
    assert main(["leaderboard", "runs/bench", "--out", "page.html"]) == 0
    assert "looking:<wbr>Looker" in (here / "page.html").read_text()
    told = json.loads((here / looker / "results.json").read_text())
    told["total"]["success"] = 1.0
    (here / looker / "results.json").write_text(json.dumps(told))
    assert main(["bench", "check", looker]) == 1
    assert "do not follow from its episodes" in capsys.readouterr().err
    assert main(["leaderboard", "runs/bench", "--out", "page.html"]) == 0
    assert "REFUSED tiny-looking.Looker" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["houshold", "--agent", "random"], "no command or suite 'houshold'. Did you mean 'household'"),
        (["run", "houshold", "--agent", "random"], "Did you mean 'household'"),
        (["tiny.toml", "--agent", "expart"], "Did you mean 'expert'"),
        (["tiny.toml", "--agent", "react"], "give --model"),
        (["tiny.toml", "--agent", "looking:Looker", "-a", "loud=1"], "no option 'loud'"),
        (["tiny.toml", "--agent", "expert", "--online"], "give --method"),
        (["tiny.toml", "--agent", "expert", "-a", "kind=oracle"], "takes no options"),
        (["tiny.toml", "--agent", "expert", "--method", "expell"], "expel"),
        (["none.toml", "--agent", "expert"], "cannot be read as a suite"),
        (["check", "."], "holds no result"),
    ],
)
def test_mistakes_get_one_line(here, capsys, words, told):
    assert main(["bench", *words]) != 0
    error = capsys.readouterr().err
    assert told in error
    assert len(error.strip().splitlines()) == 1
    assert not (here / "runs").exists()  # nobody has played before it was noticed


def test_the_suites_are_listed_with_what_is_missing(capsys):
    told = json.loads(said(capsys, "suites", "--json"))
    assert {"suite": "quick", "part": "household", "environment": "selfgym/Household-v0", "tasks": "100",
            "missing here": "nothing"} in told  # fmt: skip
    assert main(["leaderboard", "/nonexistent"]) == 1
