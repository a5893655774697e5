"""Game files of our own households. Playing them in the genuine engine is benchmarks/genuine_play.py."""

import json
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from selfgym.envs.household import export
from selfgym.envs.household.export import Rules, RulesNotFoundError, export_layouts, find_rules, write_game_file
from selfgym.envs.household.game import compile_game
from selfgym.envs.household.generate import SIZES, generate_layout
from selfgym.envs.household.layout import TaskType
from selfgym.envs.household.oracle import NoPlanError
from selfgym.envs.household.pddl import load_game_file
from selfgym.envs.household.world import World

GAMES = Path(__file__).parents[3] / "shared" / "data" / "alfworld" / "games.tar.xz"


@pytest.fixture(scope="module")
def genuine(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Some genuine game files, the first of each task folder among the first hundred members."""
    if not GAMES.exists():
        pytest.skip(f"no genuine game file to take ALFWorld's rules from: {GAMES}")
    folder = tmp_path_factory.mktemp("genuine")
    paths = []
    with tarfile.open(GAMES) as archive:
        for member in archive:
            if member.name.endswith("game.tw-pddl"):
                archive.extract(member, folder, filter="data")
                paths.append(folder / member.name)
            if len(paths) == 25:
                break
    return paths


@pytest.fixture(scope="module")
def rules(genuine: list[Path]) -> Rules:
    return find_rules(genuine[0])


@pytest.mark.parametrize("size", SIZES)
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10**6), task_type=st.sampled_from(list(TaskType)))
def test_what_is_written_is_what_is_read(
    size: str, seed: int, task_type: TaskType, rules: Rules, tmp_path: Path
) -> None:
    layout = generate_layout(seed, size=size, task_type=task_type)
    [path] = export_layouts([layout], tmp_path, rules=rules)
    back = load_game_file(path)
    assert replace(back, walkthrough=()) == layout
    world, ours = World(compile_game(back)), World(compile_game(layout))
    assert world.reset() == ours.reset()
    for command in back.walkthrough:
        assert (world.step(command), world.admissible()) == (ours.step(command), ours.admissible())
    assert world.won


def test_genuine_households_survive_the_way_there_and_back(genuine: list[Path], rules: Rules, tmp_path: Path) -> None:
    for path in genuine:
        layout = load_game_file(path)
        assert load_game_file(write_game_file(layout, tmp_path / layout.name / "game.tw-pddl", rules=rules)) == layout


def test_the_file_says_what_alfworlds_loader_asks(rules: Rules, tmp_path: Path) -> None:
    layout = generate_layout(0, task_type=TaskType.LOOK_AT_IN_LIGHT)
    path = write_game_file(layout, tmp_path / "new" / "folder" / "game.tw-pddl", rules=rules)
    trajectory = json.loads((path.parent / "traj_data.json").read_text())
    assert trajectory["task_type"] == "look_at_obj_in_light"
    assert trajectory["pddl_params"]["toggle_target"] == "desklamp"
    data = json.loads(path.read_text())
    assert data["solvable"] is True
    assert f"Your task is to: {layout.task}." in data["grammar"]
    assert sorted(file.name for file in path.parent.iterdir()) == ["game.tw-pddl", "traj_data.json"]


def test_rules_are_found_in_the_usual_places(
    rules: Rules, genuine: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "find_spec", lambda _: None)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("ALFWORLD_DATA", str(tmp_path / "data"))
    with pytest.raises(RulesNotFoundError, match=r"pip install --no-deps alfworld.*selfgym download alfworld"):
        find_rules()
    game = tmp_path / "data" / "json_2.1.1" / "train" / "a" / "b" / "game.tw-pddl"
    game.parent.mkdir(parents=True)
    game.write_bytes(genuine[0].read_bytes())
    assert find_rules() == rules
    logic = tmp_path / "data" / "logic"
    logic.mkdir()
    (logic / "alfred.pddl").write_text("domain")
    (logic / "alfred.twl2").write_text("grammar")
    assert find_rules() == Rules("domain", "grammar")


def test_what_cannot_be_written_is_refused(rules: Rules, tmp_path: Path) -> None:
    layout = generate_layout(0, task_type=TaskType.PICK_AND_PLACE)
    with pytest.raises(ValueError, match=r"text of ALFWorld 0\.4"):
        write_game_file(layout, tmp_path / "game.tw-pddl", rules=Rules(rules.domain, "grammar :: old"))
    with pytest.raises(NoPlanError):
        write_game_file(replace(layout, can_contain=frozenset()), tmp_path / "game.tw-pddl", rules=rules)
    with pytest.raises(ValueError, match="domain"):
        write_game_file(layout, tmp_path / "game.tw-pddl", rules=Rules("(define (domain chess))", rules.grammar))
    assert list(tmp_path.iterdir()) == []
