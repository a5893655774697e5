"""``selfgym memory``: what a person sees of a library and can do to it."""

from __future__ import annotations

import json

import pytest

from selfgym.cli import main
from selfgym.memory.item import Check, Code, Item
from selfgym.memory.library import Library, Status
from selfgym.memory.snapshots import score, take

TIP = Item(kind="insight", title="Mugs", when="You look for a mug", body="Look in [cabinets].")
SKILL = Item(
    kind="skill",
    title="Heat",
    code=Code(runtime="actions", entry="heat", source="heat {thing}", params={"properties": {"thing": {}}}),
    checks=(Check(rung="unit", source="assert list(heat('egg')) == ['heat egg']"),),
)


@pytest.fixture
def store(tmp_path):
    path = tmp_path / "memory.db"
    with Library(path) as library:
        for item in (TIP, SKILL):
            library.propose(item, why="seen in an episode")
            library.move(item.id, Status.ACTIVE, "it works")
        score(library, take(library), "success", 0.25)
        library.log(TIP.id, "shown", episode="e1")
        library.log(TIP.id, "reward", episode="e1", value=1.0)
        library.log(TIP.id, "withheld", episode="e2")
        library.log(TIP.id, "reward", episode="e2", value=0.0)
        library.move(SKILL.id, Status.RETIRED, "no use")
        take(library)
    return str(path)


def said(capsys, *arguments):
    assert main(["memory", *arguments]) == 0
    return capsys.readouterr().out


def test_list_shows_status_and_worth(store, capsys):
    out = said(capsys, "list", store)
    assert "+1.000" in out
    assert "retired" in out
    [line] = json.loads(said(capsys, "list", store, "--status", "active", "--json"))
    assert (line["id"], line["uplift"], line["shown"]) == (TIP.id, 1.0, 1)
    assert main(["memory", "list", store, "--kind", "skil"]) == 1
    assert "Did you mean 'skill'?" in capsys.readouterr().err


def test_show_prints_an_item_whole(store, capsys):
    out = said(capsys, "show", store, SKILL.id[:6])
    assert "actions heat(thing), may: act" in out
    assert "assert list(heat('egg'))" in out
    assert "Look in [cabinets]." in said(capsys, "show", store, TIP.id)
    assert json.loads(said(capsys, "show", store, TIP.id, "--json"))["title"] == "Mugs"


def test_why_tells_the_history(store, capsys):
    out = said(capsys, "why", store, SKILL.id)
    assert out.index("seen in an episode") < out.index("active: it works") < out.index("retired: no use")
    assert "reward 2 times; shown 1 times; used 0 times; withheld 1 times; uplift +1.000" in said(
        capsys, "why", store, TIP.id
    )
    assert len(json.loads(said(capsys, "why", store, SKILL.id, "--json"))) == 3


def test_snapshots_can_be_compared_and_gone_back_to(store, capsys):
    first, second = json.loads(said(capsys, "snapshots", store, "--json"))
    assert (first["scores"], second["parent"], second["here"]) == ({"success": 0.25}, first["id"], True)
    assert said(capsys, "diff", store, first["id"], second["id"]) == f"- {SKILL.id}  active  Heat\n"
    assert said(capsys, "rollback", store, first["id"][:8]) == "1 items back, 0 out, 0 in another status\n"
    assert "success 0.25" in said(capsys, "snapshots", store)
    assert said(capsys, "snapshot", store) == f"{first['id']}\n"


def test_items_go_out_and_come_in(store, tmp_path, capsys):
    lines = tmp_path / "items.jsonl"
    assert said(capsys, "export", store, str(lines)) == f"2 items written to {lines}\n"
    folder = tmp_path / "skills"
    folder.mkdir()
    assert said(capsys, "export", store, str(folder)) == f"{folder / 'heat'}\n"
    for number, source in enumerate((lines, folder, folder / "heat")):
        other = str(tmp_path / f"other{number}.db")
        assert SKILL.id in said(capsys, "import", other, str(source))
        listed = json.loads(said(capsys, "list", other, "--json"))
        assert {line["status"] for line in listed} == {"candidate"}
    assert main(["memory", "export", store, str(tmp_path / "nowhere")]) == 1
    assert "is no folder" in capsys.readouterr().err
    assert main(["memory", "import", store, str(tmp_path)]) == 1
    assert "holds no SKILL.md" in capsys.readouterr().err


def test_quarantine_by_hand(store, capsys):
    assert said(capsys, "quarantine", store, TIP.id[:5], "--why", "odd") == f"{TIP.id}\n"
    assert "quarantined: odd" in said(capsys, "why", store, TIP.id)


def test_a_mistyped_path_makes_no_file(tmp_path, capsys):
    for command in (["list"], ["snapshot"], ["quarantine"], ["rollback"]):
        more = ["abc"] if command[0] in ("quarantine", "rollback") else []
        assert main(["memory", *command, str(tmp_path / "typo.db"), *more]) == 1
        assert "there is no store" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
