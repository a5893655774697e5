"""`selfgym new`: what it makes is code that compiles; what cannot be made is one sentence, and nothing is lost."""

from __future__ import annotations

import ast
import tomllib
from pathlib import Path

import pytest

from selfgym.cli import main

KINDS = ("agent", "env", "recipe")


@pytest.mark.parametrize("kind", KINDS)
def test_a_package_has_a_module_a_readme_and_tests(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["new", kind, "jug2_game"]) == 0
    made = {"README.md", "jug2_game.py", "pyproject.toml", "tests/test_jug2_game.py"}
    found = {str(path.relative_to("jug2_game")) for path in Path("jug2_game").rglob("*") if path.is_file()}
    assert found == made
    out = capsys.readouterr().out
    assert all(f"jug2_game/{name}" in out for name in made)
    for name in made:
        text = (tmp_path / "jug2_game" / name).read_text()
        assert "$" not in text.replace("\n$ ", "")
    project = tomllib.loads(Path("jug2_game/pyproject.toml").read_text())["project"]
    ((target,),) = (group.values() for group in project["entry-points"].values())
    module, _, attribute = target.partition(":")
    body = ast.parse(Path(f"jug2_game/{module}.py").read_text()).body
    names = {node.name for node in body if isinstance(node, ast.ClassDef)}
    names |= {name.id for node in body if isinstance(node, ast.Assign) for name in node.targets}
    assert attribute in names


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["agent", "my-agent"], "such as 'my_agent'"),
        (["agent", "Mine"], "such as 'mine'"),
        (["agent", "../mine"], "such as 'mine'"),
        (["agent", "2nd"], "such as 'nd'"),
        (["agent", "class"], "no word of Python"),
        (["agent", "none"], "no word of Python"),
        (["agent", ""], "cannot be the name of a package"),
        (["agent", "react"], "the agent 'react' is there already (selfgym.agents.react:ReactAgent)"),
        (["agent", "skilled_expert"], "the agent 'skilled-expert' is there already"),
        (["env", "text_craft"], "(selfgym/TextCraft-v0)"),
        (["recipe", "grpo"], "the recipe 'grpo' is there already"),
        (["recipe", "json"], "a package called 'json' is there already"),
        (["env", "numpy"], "a package called 'numpy' is there already"),
        (["env", "tests"], "a package called 'tests' is there already"),
        (["env", "taken"], "taken exists already: nothing was changed"),
        (["env", "broken_link"], "exists already"),
    ],
)
def test_a_name_that_cannot_be_is_refused(
    arguments: list[str], words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "thesis.txt").write_text("years of work")
    (tmp_path / "broken_link").symlink_to(tmp_path / "nowhere")
    before = sorted(tmp_path.rglob("*"))
    assert main(["new", *arguments, "--folder", str(tmp_path)]) == 1
    caught = capsys.readouterr()
    assert words in caught.err
    assert caught.err.count("\n") == 1
    assert sorted(tmp_path.rglob("*")) == before
    assert (tmp_path / "taken" / "thesis.txt").read_text() == "years of work"


def test_the_same_name_twice_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mine = ["new", "agent", "mine", "--folder", str(tmp_path / "deep" / "down")]
    assert main(mine) == 0
    module = tmp_path / "deep" / "down" / "mine" / "mine.py"
    module.write_text("changed = True\n")
    assert main(mine) == 1
    assert "exists already" in capsys.readouterr().err
    assert module.read_text() == "changed = True\n"
