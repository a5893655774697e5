"""Genuine ALFWorld games: every file loads and is won by its walkthrough, every recording is matched byte for byte."""

import gzip
import json
import tarfile
from pathlib import Path

import pytest

from selfgym.envs.core import Outcome
from selfgym.envs.household.env import AlfWorldEnv
from selfgym.envs.household.game import compile_game
from selfgym.envs.household.layout import TaskType
from selfgym.envs.household.pddl import GameFileError, load_game_file
from selfgym.envs.household.world import World

DATA = Path(__file__).resolve().parents[3] / "shared" / "data" / "alfworld"
ARCHIVE, TRANSCRIPTS = DATA / "games.tar.xz", DATA / "transcripts.jsonl.gz"

if not ARCHIVE.exists():
    pytest.skip(f"NO PARITY CHECK: the genuine games are not at {ARCHIVE}", allow_module_level=True)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("alfworld")
    with tarfile.open(ARCHIVE) as archive:
        archive.extractall(folder, filter="data")
    return folder


@pytest.fixture(scope="module")
def game_file(data):
    return sorted((data / "json_2.1.1" / "valid_seen").rglob("game.tw-pddl"))[0]


def test_every_game_loads_and_every_walkthrough_wins(data):
    files = sorted(data.rglob("game.tw-pddl"))
    assert len(files) == 732
    kinds = set()
    for path in files:
        layout = load_game_file(path)
        world = World(compile_game(layout))
        for command in layout.walkthrough:
            assert not world.won, path
            assert command in world.admissible(), (path, command)
            world.step(command)
        assert world.won, path
        assert layout.goal.kind == path.parent.parent.name.split("-")[0]
        kinds.add(layout.goal.kind)
    assert kinds == set(TaskType)


def test_every_recording_of_the_genuine_engine_is_matched_byte_for_byte(data):
    env = AlfWorldEnv(data / "json_2.1.1", split="valid_seen", max_steps=1000)
    commands = 0
    for recording in map(json.loads, gzip.decompress(TRANSCRIPTS.read_bytes()).splitlines()):
        observation, info = env.reset(options={"game": data / recording["game"]})
        assert (observation, info["admissible_commands"]) == (recording["intro"], recording["admissible"])
        world = World(env.world.game)
        for step in recording["steps"]:
            commands += 1
            saved = world.save()
            observation = world.step(step[0])
            assert [step[0], observation, int(world.won), world.won, world.won, world.admissible()] == step
            world.load(saved)
            assert world.step(step[0]) == observation, "restored in the middle of the episode"
            if info["outcome"] is Outcome.RUNNING:  # the recordings go on after a win, the environment does not
                observation, reward, terminated, truncated, info = env.step(step[0])
                admissible = info["admissible_commands"]
                assert [step[0], observation, reward, terminated, info["won"], admissible] == step
                assert not truncated
    assert commands == 1600


def rewritten(game_file, folder, **changes):
    data = json.loads(game_file.read_text())
    for key, (old, new) in changes.items():
        assert old in data[key]
        data[key] = data[key].replace(old, new)
    path = folder / "game.tw-pddl"
    path.write_text(json.dumps(data))
    return path


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"pddl_domain": ("(pickupable ?o)\n            (atLocation", "(atLocation")}, "unknown PDDL domain"),
        ({"grammar": ("You open the", "You pry open the")}, "unknown text grammar"),
        ({"grammar": ('"task"', '"chore"')}, "the grammar names no task"),
        ({"grammar": ("Your task is to: look", "Please look")}, "the task should read 'Your task is to: ....'"),
        ({"pddl_problem": ("(atLocation agent1", "(near agent1")}, "unknown fact .* near agent1"),
        ({"pddl_problem": ("(atLocation agent1", "(atLocation agent1 agent1")}, "unknown fact .* atlocation agent1 ag"),
        (
            {"pddl_problem": ("(toggleable DeskLamp", "(toggleable Lamp")},
            "speaks of 'lamp_bar.*, which is not declared",
        ),
        ({"pddl_problem": ("(holds ?a ?o)", "(inReceptacle ?o ?a)")}, "unknown goal"),
        ({"pddl_problem": ("(:init", "(:init (not (openable agent1))")}, "which is no plain fact"),
        ({"pddl_problem": ("(:goal", "(:goal (")}, "ends inside a parenthesis"),
        ({"pddl_problem": ("(:goal", ")(:goal")}, "a closing parenthesis too many"),
        ({"pddl_problem": ("(:domain alfred)", "(:domain kitchen)")}, "not of the domain 'alfred'"),
        ({"pddl_problem": ("(:domain alfred)", "")}, "its sections should be problem, :domain"),
        ({"pddl_problem": ("agent1 - agent", "agent1 - robot")}, "unknown type 'robot'"),
        ({"pddl_problem": ("agent1 - agent", "agent1 - agent agent1 - agent")}, "'agent1' is declared twice"),
        ({"pddl_problem": ("(atLocation agent1 loc_bar_1_bar_4_bar_1_bar_30)", "")}, "stand at one location, not at 0"),
    ],
)
def test_what_is_not_known_is_refused_with_the_reason_and_the_file(game_file, tmp_path, changes, sentence):
    path = rewritten(game_file, tmp_path, **changes)
    with pytest.raises(GameFileError, match=sentence) as caught:
        load_game_file(path)
    assert str(caught.value).startswith(f"{path}: ")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "it is no valid JSON"),
        (b'{"pddl_domain": "', "it is no valid JSON"),
        (b"\xff\xfe", "it is no valid JSON"),
        (b"[1]", "the JSON is no object"),
        (b"{}", "the text 'pddl_domain' is missing"),
    ],
)
def test_damaged_files_are_refused(tmp_path, content, sentence):
    path = tmp_path / "game.tw-pddl"
    path.write_bytes(content)
    with pytest.raises(GameFileError, match=sentence):
        load_game_file(path)


def test_the_layout_of_the_text_does_not_matter(game_file, tmp_path):
    original = load_game_file(game_file)
    path = rewritten(
        game_file,
        tmp_path,
        pddl_domain=(";; agent picks up", ";; agent lifts"),
        pddl_problem=("(:init", "; x (\n(:init"),
    )
    assert compile_game(load_game_file(path)).digest == compile_game(original).digest


def test_quotes_in_a_task_survive(game_file, tmp_path):
    path = rewritten(game_file, tmp_path, grammar=("look at alarmclock", r"look at the \"alarmclock\""))
    assert load_game_file(path).task == 'look at the "alarmclock" under the desklamp'


@pytest.mark.parametrize("where", [".", "json_2.1.1", "json_2.1.1/valid_seen/.."])
def test_games_are_found_from_the_folder_above_and_in_sorted_order(data, where):
    env = AlfWorldEnv(data / where, split="valid_seen")
    assert len(env.games) == 140
    assert list(map(str, env.games)) == sorted(map(str, env.games))
    names = [env.reset(options={"index": index})[1]["game_file"] for index in (0, 139)]
    assert names == [str(env.games[0]), str(env.games[139])]
    assert env.reset(seed=1)[1]["game_file"] == env.reset(seed=141)[1]["game_file"] == str(env.games[1])


def test_the_environment_variable_is_used_and_task_types_choose(data, monkeypatch):
    monkeypatch.setenv("ALFWORLD_DATA", str(data))
    counts = {kind: len(AlfWorldEnv(split="valid_seen", task_types=[kind]).games) for kind in TaskType}
    assert list(counts.values()) == [35, 13, 27, 16, 25, 24]


def test_a_single_file_is_enough(game_file):
    env = AlfWorldEnv(game_file)
    assert env.reset()[1]["game_file"] == str(game_file)
    assert env.reset(seed=5)[1]["task"] == "look at alarmclock under the desklamp"


def test_unseeded_resets_are_reproducible(data):
    env = AlfWorldEnv(data, split="valid_seen")
    drawn = [[env.reset(seed=8)[1]["game_file"], *(env.reset()[1]["game_file"] for _ in range(4))] for _ in range(2)]
    assert drawn[0] == drawn[1]
    assert len(set(drawn[0])) > 2


def test_games_that_alfworld_leaves_out_are_left_out(game_file, tmp_path):
    text = game_file.read_text()
    for folder in ("pick_and_place_simple-A/t1", "pick_and_place_with_movable_recep-B/t1", "look-CSliced-D/t1"):
        (tmp_path / "train" / folder).mkdir(parents=True)
        (tmp_path / "train" / folder / "game.tw-pddl").write_text(text)
    unsolved = tmp_path / "train" / "pick_and_place_simple-E" / "game.tw-pddl"
    unsolved.parent.mkdir()
    unsolved.write_text(text.replace('"solvable": true', '"solvable": false'))
    assert [path.parent.parent.name for path in AlfWorldEnv(tmp_path, split="train").games] == [
        "pick_and_place_simple-A"
    ]
    unsolved.write_text(text[: len(text) // 2])
    with pytest.raises(GameFileError, match="it is no valid JSON"):  # damaged is not the same as unsolvable
        AlfWorldEnv(tmp_path, split="train", task_types=["look_at_obj_in_light"])
    unsolved.unlink()
    with pytest.raises(FileNotFoundError, match=r"no playable game.tw-pddl of the type pick_two_obj_and_place under"):
        AlfWorldEnv(tmp_path, split="train", task_types=["pick_two_obj_and_place"])


def test_without_games_it_says_how_to_get_them(tmp_path, monkeypatch, data):
    monkeypatch.delenv("ALFWORLD_DATA", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(FileNotFoundError, match=r"\.cache/alfworld: .* Get them with `selfgym download alfworld`"):
        AlfWorldEnv()
    with pytest.raises(FileNotFoundError, match="there is no such file or folder"):
        AlfWorldEnv(tmp_path / "nowhere")
    with pytest.raises(
        FileNotFoundError, match=r"no split 'valid_unseen' under .* \(folders there: .*train, valid_seen"
    ):
        AlfWorldEnv(data)
    with pytest.raises(ValueError, match="split should be the name of one folder"):
        AlfWorldEnv(data, split="../..")


def test_wrong_indices_and_options_are_refused(game_file):
    env = AlfWorldEnv(game_file)
    for index in (-1, 1):
        with pytest.raises(ValueError, match=f"there is no game {index}: the split has games 0 to 0"):
            env.reset(options={"index": index})
    with pytest.raises(ValueError, match="unknown reset option 'layout': known are index, game"):
        env.reset(options={"layout": None})


def test_a_changed_file_is_read_again(game_file, tmp_path):
    path = rewritten(game_file, tmp_path, grammar=("look at", "gaze at"))
    env = AlfWorldEnv(path)
    assert env.reset()[1]["task"].startswith("gaze at")
    rewritten(game_file, tmp_path, grammar=("look at", "peer at the"))
    assert env.reset()[1]["task"].startswith("peer at the")


def test_a_snapshot_finds_its_game_in_the_data_of_another_machine(data, tmp_path, game_file):
    moved = tmp_path / "elsewhere" / "json_2.1.1" / Path(*game_file.parts[-4:])
    moved.parent.mkdir(parents=True)
    moved.write_bytes(game_file.read_bytes())
    there = AlfWorldEnv(tmp_path / "elsewhere", split="valid_seen")
    observation = there.reset(seed=0)[0]
    snapshot = there.snapshot()
    moved.rename(moved.with_name("gone"))
    here = AlfWorldEnv(data, split="valid_seen")
    assert here.restore(snapshot)[0] == observation
    assert here.state_key() == there.state_key()


def test_old_dialect_plays_genuine_games(game_file):
    env = AlfWorldEnv(game_file, dialect="0.3")
    env.reset()
    assert env.step("go to desk 1")[0].startswith(
        "You arrive at loc 14. On the desk 1, you see a alarmclock 2, a book 1"
    )
    assert env.step("take alarmclock 2 from desk 1")[4]["admissible_commands"][-1] == "use desklamp 1"
    assert env.step("put alarmclock 2 in/on desk 1")[0] == "You put the alarmclock 2 in/on the desk 1."
