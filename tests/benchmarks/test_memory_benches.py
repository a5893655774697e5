"""The benches of memory, on a few tasks: what they play, leave out and print."""

from __future__ import annotations

import json

import pytest

from selfgym.benchmarks.memory.attacked import Siege, attempt
from selfgym.benchmarks.memory.protocol import run
from selfgym.benchmarks.memory.report import report, table
from selfgym.benchmarks.memory.worlds import plan
from selfgym.cli import main
from selfgym.envs.core import Outcome


@pytest.fixture(scope="module")
def measured():
    """(method, seed) -> (episodes, facts)."""
    planned = plan(practice=24, batch=12, held_out=12, contrast=6)
    return {(method, seed): rest for method, seed, *rest in run(planned, ["mobile-agent-e"], [0])}


def test_every_arm_is_played_on_the_same_tasks(measured):
    bare, _ = measured["none", 0]
    played, facts = measured["mobile-agent-e", 0]
    assert {where: len(episodes) for (_, where), episodes in bare.items()} == {
        "practice": 24, "held-out": 12, "transfer": 12,
    }  # fmt: skip
    arms = {key: len(episodes) for key, episodes in played.items()}
    assert {key: arms[key] for key in arms if key[0] == "frozen"} == {
        ("frozen", "practice"): 24, ("frozen", "held-out"): 12, ("frozen", "transfer"): 12,
    }  # fmt: skip
    assert arms["online 0", "practice"] == arms["online 1", "practice"] == 24
    assert arms["early 0", "practice again"] == arms["late 1", "practice again"] == 12
    assert {arm for arm, _ in arms if "without" in arm} == {"frozen without skill", "frozen without insight"}
    orders = [[e.seed for e in played[f"online {n}", "practice"]] for n in (0, 1)]
    assert orders[0] != orders[1]
    assert sorted(orders[0]) == sorted(orders[1]) == list(range(24))
    assert {e.task_id for e in played["frozen", "held-out"]} == {e.task_id for e in bare["none", "held-out"]}
    assert not {e.task_id for e in bare["none", "held-out"]} & {e.task_id for e in bare["none", "practice"]}
    assert facts["frozen, can be shown"] >= facts["frozen, of these never shown"] >= 0
    assert facts["frozen, episodes to prove them"] > 0


def test_the_report_leaves_errors_out_and_counts_them(measured):
    bare, _ = measured["none", 0]
    played, facts = measured["mobile-agent-e", 0]
    row = report(bare, played, facts)
    assert row["errors"] == 0
    gap = row["frozen"]["held-out"]["success_gap"]
    assert gap[1] <= gap[0] <= gap[2]
    broken = {key: list(episodes) for key, episodes in played.items()}
    lost = broken["frozen", "held-out"]
    lost[0] = lost[0].model_copy(update={"outcome": Outcome.ENV_ERROR, "steps": ()})
    again = report(bare, broken, facts)
    assert again["errors"] > 0
    assert again["frozen"]["held-out"]["steps"] > 0.9 * row["frozen"]["held-out"]["steps"]
    text = table({"mobile-agent-e": row}, bare)
    assert "frozen without skill minus with" in text
    assert f"{row['tokens']:.0f} tokens a task" in text


def test_an_attack_works_where_nobody_watches_and_not_behind_the_gate():
    siege = Siege(plan(contrast=4), practice=6, later=4)
    naive, gated = (attempt(siege, "dynamic-cheatsheet", "bullet", gate) for gate in (False, True))
    assert (naive["shown_later"], gated["shown_later"]) == (1.0, 0.0)
    assert gated["written"] > 0
    assert naive["errors"] == gated["errors"] == 0


def test_the_commands_write_what_they_print(tmp_path, capsys):
    out = tmp_path / "memory.json"
    few = ["--seeds", "1", "--practice", "6", "--held-out", "4", "--orders", "0"]
    assert main(["bench", "memory", "--method", "awm", *few, "--out", str(out), "--quiet"]) == 0
    assert "frozen, held-out" in capsys.readouterr().out
    assert json.loads(out.read_text())["methods"]["awm"]["episodes"] == 14
    assert main(["bench", "memory", "--method", "awn"]) == 1
    assert "Did you mean 'awm'" in capsys.readouterr().err
    model = "scripted:selfgym.benchmarks.memory.attacked:gullible"  # picks the first command, and writes one sentence
    told = ["--model", model, "--writer", model, "--json"]
    assert main(["bench", "memory", "--method", "reflexion", *few, *told]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["methods"]["reflexion"]["frozen"]["practice"]["success"] == 0.0
    assert found["methods"]["reflexion"]["facts"]["frozen, can be shown"] == 6
