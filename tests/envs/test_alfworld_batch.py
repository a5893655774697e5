"""The drop-in for ALFWorld's batch interface: same types, same order, same texts, same limits."""

import json
import tarfile
import threading
from pathlib import Path

import numpy as np
import pytest

from selfgym.envs.household.batch import AlfredTWEnv, HouseholdBatch, get_environment

ARCHIVE = Path(__file__).resolve().parents[3] / "shared" / "data" / "alfworld" / "games.tar.xz"

if not ARCHIVE.exists():
    pytest.skip(f"NO CHECK OF THE BATCH INTERFACE: the genuine games are not at {ARCHIVE}", allow_module_level=True)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Eight games of the seen validation split, two of each of four task types."""
    target, counts = tmp_path_factory.mktemp("alfworld"), {}
    with tarfile.open(ARCHIVE) as archive:
        for member in archive:
            kind = member.name.split("/")[2].split("-")[0] if "valid_seen/" in member.name else ""
            counts[kind] = counts.get(kind, 0) + 1
            if kind[:5] in ("look_", "pick_") and counts[kind] <= 2 and kind not in ("pick_two_obj_and_place",):
                archive.extract(member, target, filter="data")
    return target / "json_2.1.1" / "valid_seen"


def config(folder, method="dqn", limit=50, **env):
    return {
        "env": {"task_types": [1, 2, 3, 4, 5, 6], "domain_randomization": False, "expert_type": "handcoded", **env},
        "dataset": {
            "data_path": str(folder), "eval_id_data_path": str(folder), "eval_ood_data_path": str(folder),
            "num_train_games": -1, "num_eval_games": -1,
        },
        "general": {"training_method": method},
        "rl": {"training": {"max_nb_steps_per_episode": limit}},
        "dagger": {"training": {"max_nb_steps_per_episode": limit}},
    }  # fmt: skip


def games_of(folder):
    return sorted(str(path) for path in folder.rglob("game.tw-pddl"))


def test_types_and_keys_are_those_of_alfworld(folder):
    env = get_environment("AlfredTWEnv")(config(folder), train_eval="eval_out_of_distribution").init_env(batch_size=3)
    observations, infos = env.reset()
    assert isinstance(observations, tuple)
    assert all(text.startswith("-= Welcome to TextWorld, ALFRED! =-") for text in observations)
    assert set(infos) == {"won", "admissible_commands", "extra.gamefile"}
    assert infos["won"] == [False] * 3
    assert all(Path(path).is_file() for path in infos["extra.gamefile"])
    observations, scores, dones, infos = env.step(["look", "inventory", "nonsense"])
    assert observations[1:] == ("You are not carrying anything.", "Nothing happens.")
    assert (scores, dones) == ((0, 0, 0), (False, False, False))
    assert infos["extra.gamefile"] == [None] * 3, "as in ALFWorld, only reset names the file"
    assert [type(value) for value in infos["admissible_commands"]] == [list] * 3


def test_games_come_in_the_order_of_numpys_old_shuffle_and_reset_goes_on(folder):
    batch = HouseholdBatch(games_of(folder), batch_size=3)
    for seed in (1234, 7):
        if seed != 1234:
            assert batch.seed(seed) == [seed]
        random = np.random.RandomState(seed)
        order, expected = games_of(folder), []
        for _ in range(2):
            random.shuffle(order)
            expected += order
        met = [path for _ in range(5) for path in batch.reset()[1]["extra.gamefile"]]
        assert met == expected[:15]


def test_skip_leaves_games_out(folder):
    first, second = HouseholdBatch(games_of(folder)), HouseholdBatch(games_of(folder))
    order = [first.reset()[1]["extra.gamefile"][0] for _ in range(4)]
    second.skip(3)
    assert second.reset()[1]["extra.gamefile"] == order[3:]


def test_a_game_that_is_done_repeats_its_last_state_while_the_others_go_on(folder):
    batch = HouseholdBatch(games_of(folder), batch_size=2)
    _, infos = batch.reset()
    walkthrough = json.loads(Path(infos["extra.gamefile"][0]).read_text())["walkthrough"]
    for command in walkthrough:
        observations, scores, dones, infos = batch.step([command, "look"])
    assert (scores, dones, infos["won"]) == ((1, 0), (True, False), [True, False])
    again = batch.step(["go to nowhere", "inventory"])
    assert again[0] == (observations[0], "You are not carrying anything.")
    assert (again[1], again[2]) == ((1, 0), (True, False))
    assert again[3]["admissible_commands"][0] == infos["admissible_commands"][0]


def test_the_configured_limit_ends_a_game(folder):
    env = AlfredTWEnv(config(folder, limit=4)).init_env(batch_size=1)
    env.reset()
    assert [env.step(["look"])[2] for _ in range(5)] == [(False,)] * 3 + [(True,)] * 2


def test_task_types_and_numbers_of_games_are_obeyed(folder):
    assert AlfredTWEnv(config(folder)).num_games == 10
    chosen = AlfredTWEnv(config(folder, task_types=[2, 4]))
    assert {Path(path).parents[1].name.split("-")[0] for path in chosen.game_files} == {
        "look_at_obj_in_light", "pick_heat_then_place_in_recep",
    }  # fmt: skip
    few = config(folder)
    few["dataset"]["num_eval_games"] = 2
    assert AlfredTWEnv(few, train_eval="eval_in_distribution").game_files == games_of(folder)[:2]
    assert AlfredTWEnv(few).num_games == 10


@pytest.mark.parametrize("expert", ["planner", "handcoded"])
def test_in_dagger_training_following_the_expert_wins_every_game(folder, expert):
    env = AlfredTWEnv(config(folder, method="dagger", expert_type=expert)).init_env(batch_size=10)
    _, infos = env.reset()
    for _ in range(50):
        plans = infos["extra.expert_plan"]
        assert expert == "planner" or all(len(plan) == 1 for plan in plans)
        _, _, dones, infos = env.step([plan[0] if plan else "look" for plan in plans])
        if all(dones):
            break
    assert all(infos["won"])


def test_outside_of_dagger_training_there_is_no_expert(folder):
    for method, split in (("dagger", "eval_in_distribution"), ("dqn", "train")):
        env = AlfredTWEnv(config(folder, method=method), train_eval=split).init_env(batch_size=1)
        assert "extra.expert_plan" not in env.reset()[1]


def test_batches_in_threads_play_as_alone(folder):
    def episode(seed, log):
        batch = HouseholdBatch(games_of(folder), batch_size=3)
        batch.seed(seed)
        observations, infos = batch.reset()
        for step in range(60):
            log.append((observations, infos))
            admissible = infos["admissible_commands"]
            observations, _, _, infos = batch.step([menu[step * 13 % len(menu)] for menu in admissible])

    alone, together = [[] for _ in range(4)], [[] for _ in range(4)]
    for seed in range(4):
        episode(seed, alone[seed])
    threads = [threading.Thread(target=episode, args=(seed, together[seed])) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert together == alone


def test_render_shows_the_last_commands(folder, capsys):
    batch = HouseholdBatch(games_of(folder), batch_size=2)
    batch.reset()
    batch.step(["inventory", "look"])
    text = batch.render("text")
    assert text.startswith("> inventory\nYou are not carrying anything.\n\n-----\n> look\nYou are in the middle")
    assert batch.render() is None
    assert capsys.readouterr().out == text


def test_wrong_use_is_refused_with_a_sentence(folder):
    with pytest.raises(ValueError, match="no environment 'AlfredThorEnv' here"):
        get_environment("AlfredThorEnv")
    with pytest.raises(ValueError, match="domain_randomization is not supported"):
        AlfredTWEnv(config(folder, domain_randomization=True))
    with pytest.raises(ValueError, match="unknown train_eval 'test'"):
        AlfredTWEnv(config(folder), train_eval="test")
    with pytest.raises(ValueError, match="unknown training_method 'ppo'"):
        AlfredTWEnv(config(folder, method="ppo")).init_env(1)
    batch = HouseholdBatch(games_of(folder), batch_size=2)
    batch.reset()
    for wrong in (["look"], "look", None):
        with pytest.raises(ValueError, match="takes a list of 2 commands"):
            batch.step(wrong)
