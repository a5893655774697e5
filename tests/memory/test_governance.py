"""The ladder, the gate and the credit: useful items stay, the others go, whatever they look like."""

from __future__ import annotations

import random

import pytest

from selfgym.envs.core import Outcome
from selfgym.memory.credit import CreditConfig, alarms, close, draw, quarantine, review
from selfgym.memory.gate import NotAdmittedError, admit
from selfgym.memory.item import Capability, Check, Code, Item, Origin, Taint
from selfgym.memory.library import Library, Status
from selfgym.memory.retrieve import search
from selfgym.memory.verify import Trial, bear_out, climb, contrasted, supersede

UNIT = Check(rung="unit", source="assert list(heat('egg 1')) == ['heat egg 1 with microwave 1']")
REPLAY = Check(rung="replay", env="E", seeds=(1, 2))
CONTRAST = Check(rung="contrast", env="E", seeds=tuple(range(10, 18)))


def skill(*checks, source="heat {thing} with microwave 1", **fields):
    params = {"type": "object", "properties": {"thing": {"type": "string"}}}
    code = Code(runtime="actions", entry="heat", source=source, params=params, **fields.pop("code", {}))
    return Item(**({"kind": "skill", "title": "Heat", "code": code, "checks": checks or (UNIT,)} | fields))


def tip(number=0, **fields):
    return Item(**({"kind": "insight", "title": f"Tip {number}", "body": f"zebra {number}"} | fields))


class Player:
    """Plays by rule: ``solved(seed, whether the item is shown)``; an error where that is None."""

    def __init__(self, solved, used=True):
        self.solved, self.used, self.calls = solved, used, []

    def __call__(self, check, items):
        self.calls.append((check.rung, [item.title for item in items]))
        names = {True: Outcome.SUCCESS, False: Outcome.FAILURE, None: Outcome.ENV_ERROR}
        return [
            Trial(seed, names[self.solved(seed, bool(items))], 5, f"{check.rung}/{seed}/{len(items)}", self.used)
            for seed in check.seeds
        ]


def test_a_useful_skill_climbs_all_the_way(library, sandbox):
    item = skill(CONTRAST, UNIT, REPLAY)
    library.propose(item)
    play = Player(lambda seed, shown: shown)
    assert climb(library, item.id, sandbox=sandbox, play=play) is Status.ACTIVE
    verified = [(event.note.partition(":")[0], event.value) for event in library.events(item.id, what="verified")]
    assert verified == [("static", 1.0), ("unit", 1.0), ("replay", 1.0), ("contrast", 1.0)]
    assert [rung for rung, _ in play.calls] == ["replay", "contrast", "contrast"]
    assert [hit.item.id for hit in search(library, "heat the egg")] == [item.id]


def test_without_proof_it_is_tried(library, sandbox):
    item = skill(UNIT)
    library.propose(item)
    assert climb(library, item.id, sandbox=sandbox) is Status.TRIAL
    some = skill(UNIT, CONTRAST, title="Some")
    library.propose(some)
    play = Player(lambda seed, shown: shown or seed != 10)  # one repair
    assert climb(library, some.id, sandbox=sandbox, play=play) is Status.TRIAL


@pytest.mark.parametrize(
    ("item", "play", "words"),
    [
        (skill(source="heat {egg} with microwave 1"), None, "static: the blank {egg}"),
        (skill(source="cool {thing} with fridge 1"), None, "unit: the check fails"),
        (skill(Check(rung="unit", source="heat('egg 1')")), None, "unit: the check is void"),
        (skill(REPLAY), Player(lambda seed, shown: seed == 1), "replay: seed 2 is not solved"),
        (
            skill(REPLAY),
            Player(lambda seed, shown: True, used=False),
            "replay: seed 1 is solved without it being called",
        ),
        (skill(CONTRAST), Player(lambda seed, shown: not shown), "contrast: 0 repairs, 8 regressions"),
    ],
)
def test_the_first_rung_that_fails_is_the_end(library, sandbox, item, play, words):
    library.propose(item)
    assert climb(library, item.id, sandbox=sandbox, play=play) is Status.REJECTED
    assert words in library.events(item.id, what="status")[-1].note
    assert search(library, "heat the egg") == []
    with pytest.raises(NotAdmittedError, match="It is rejected"):
        admit(library, item.id, Status.TRIAL, "please")


def test_witnesses_must_outnumber_those_who_speak_against(library):
    item = tip(origin=Origin(episodes=("e",), taint=(Taint.MODEL,)))
    library.propose(item)
    by_chance = Player(lambda seed, shown: (seed % 2 == 0) == shown)  # as many regressions as repairs
    bear_out(library, item, Check(rung="contrast", env="E", seeds=tuple(range(10))), by_chance)
    with pytest.raises(NotAdmittedError, match="5 of 2 independent tasks bear it out, 5 speak against it"):
        admit(library, item.id, Status.TRIAL, "")
    bear_out(library, item, Check(rung="contrast", env="E", seeds=(20, 21)), Player(lambda seed, shown: shown))
    admit(library, item.id, Status.TRIAL, "borne out")


def test_errors_decide_nothing(library, sandbox):
    for number, check in enumerate((REPLAY, CONTRAST)):
        item = skill(check, title=f"Heat {number}")
        library.propose(item)
        assert climb(library, item.id, sandbox=sandbox, play=Player(lambda seed, shown: None)) is Status.CANDIDATE
        assert library.events(item.id, what="verified")[-1].value is None
        assert climb(library, item.id, sandbox=sandbox, play=Player(lambda seed, shown: shown)) is not Status.CANDIDATE


def test_a_contrast_weighs_pairs_without_errors():
    def trials(words):
        names = {"s": Outcome.SUCCESS, "f": Outcome.FAILURE, "e": Outcome.POLICY_ERROR, "t": Outcome.TRUNCATED}
        return [Trial(seed, names[word], 1, "") for seed, word in enumerate(words)]

    assert contrasted(trials("ssssse"), trials("ffffff")).proof is False  # five pairs are not enough
    assert contrasted(trials("ssssss"), trials("ffffft")).proof is True
    assert contrasted(trials("ssssssf"), trials("fffsssf")).why == "3 repairs, 0 regressions in 7 pairs (p = 0.125)."
    assert contrasted(trials("ssf"), trials("ffs")).passed is True
    assert contrasted(trials("sff"), trials("fss")).passed is False


def test_the_gate_asks_for_every_check_of_a_skill(library, sandbox):
    item = skill(UNIT, REPLAY)
    library.propose(item)
    with pytest.raises(NotAdmittedError, match=r"replay check has not been passed.*static.*unit"):
        admit(library, item.id, Status.ACTIVE, "")
    assert library.standing(item.id).status is Status.CANDIDATE


def test_capabilities_never_widen(library, sandbox):
    wide = skill(title="Wide", code={"caps": (Capability.ACT, Capability.NETWORK)})
    library.propose(wide)
    assert climb(library, wide.id, sandbox=sandbox) is Status.CANDIDATE
    assert "wants the capability 'network', which nobody gave it" in library.events(wide.id, what="withstood")[0].note
    narrow = skill(title="Narrow")
    library.propose(narrow)
    assert climb(library, narrow.id, sandbox=sandbox) is Status.TRIAL
    edit = narrow.edit(Origin(), code=wide.code)
    library.propose(edit)
    assert climb(library, edit.id, sandbox=sandbox) is Status.CANDIDATE
    assert "which its parents lack" in library.events(edit.id, what="withstood")[0].note


def test_what_is_tainted_needs_witnesses(library):
    item = tip(origin=Origin(episodes=("e",), taint=(Taint.ENV_TEXT,)))
    library.propose(item)
    with pytest.raises(NotAdmittedError, match=r"tainted .env_text. and 0 of 2 independent tasks bear it out"):
        admit(library, item.id, Status.TRIAL, "")
    one = Check(rung="contrast", env="E", seeds=(5,))
    for _ in range(3):  # the same task thrice is one witness
        bear_out(library, item, one, Player(lambda seed, shown: shown))
    bear_out(library, item, Check(rung="contrast", env="E", seeds=(6, 7)), Player(lambda seed, shown: True))
    with pytest.raises(NotAdmittedError, match="1 of 2"):
        admit(library, item.id, Status.TRIAL, "")
    bear_out(library, item, Check(rung="contrast", env="E", seeds=(8,)), Player(lambda seed, shown: shown))
    admit(library, item.id, Status.TRIAL, "borne out")
    child = item.edit(Origin(), body="zebra, edited")
    library.propose(child)
    with pytest.raises(NotAdmittedError, match="0 of 2"):
        admit(library, child.id, Status.TRIAL, "")


def test_principles_are_few_and_requirements_must_stand(library, sandbox):
    for number in range(11):
        library.propose(tip(number, kind="principle"))
    for number in range(10):
        admit(library, tip(number, kind="principle").id, Status.ACTIVE, "")
    with pytest.raises(NotAdmittedError, match="10 principles already"):
        admit(library, tip(10, kind="principle").id, Status.ACTIVE, "")
    base = skill(title="Base")
    library.propose(base)
    above = skill(title="Above", code={"requires": (base.id,)})
    library.propose(above)
    assert climb(library, above.id, sandbox=sandbox) is Status.CANDIDATE
    assert "which is candidate" in library.events(above.id, what="withstood")[0].note
    climb(library, base.id, sandbox=sandbox)
    assert climb(library, above.id, sandbox=sandbox) is Status.TRIAL


def live(library, worth, episodes):
    """Episodes whose success has the chance ``0.4 + the worth of what was shown``."""
    chance = random.Random(0)
    ids = list(worth)
    for number in range(episodes):
        standing = [id for id in ids if library.standing(id).status in ("trial", "active")]
        shown = draw(library, standing, f"e{number}")
        reward = float(chance.random() < 0.4 + sum(worth[id] for id in shown))
        close(library, f"e{number}", reward)
        if number % 20 == 19:
            review(library)


def test_what_helps_is_kept_and_what_harms_is_retired(library):
    worth = {}
    for number, value in enumerate((0.45, 0.0, -0.35)):
        library.propose(tip(number))
        library.move(tip(number).id, Status.TRIAL, "")
        worth[tip(number).id] = value
    live(library, worth, 300)
    good, useless, harmful = worth
    assert library.standing(good).status is Status.ACTIVE
    assert library.standing(useless).status is Status.RETIRED
    assert library.standing(harmful).status is Status.RETIRED
    assert library.standing(harmful).shown < library.standing(useless).shown
    assert "uplift -" in library.events(harmful, what="status")[-1].note


def test_nothing_is_decided_early(library):
    library.propose(tip())
    library.move(tip().id, Status.TRIAL, "")
    for number in range(9):
        library.log(tip().id, "withheld" if number < 2 else "shown", episode=f"e{number}")
        close(library, f"e{number}", 0.0 if number > 1 else 1.0)
    assert review(library) == {}


def test_withholding_is_by_lot_and_the_same_again(library):
    library.propose(tip())
    library.move(tip().id, Status.TRIAL, "")
    drawn = [bool(draw(library, [tip().id], f"e{n}")) for n in range(500)]
    assert 0.68 < sum(drawn) / 500 < 0.82
    assert [bool(draw(library, [tip().id], f"e{n}")) for n in range(500)] == drawn
    standing = library.standing(tip().id)
    assert (standing.shown, standing.withheld) == (sum(drawn), 500 - sum(drawn))
    library.move(tip().id, Status.ACTIVE, "")
    assert all(draw(library, [tip().id], f"f{n}") for n in range(50))


def test_an_episode_lost_to_an_error_counts_for_nothing(library):
    library.propose(tip())
    library.move(tip().id, Status.ACTIVE, "")
    draw(library, [tip().id], "lost")
    draw(library, [tip().id], "played")
    close(library, "played", 1.0)
    assert (library.standing(tip().id).shown, library.standing(tip().id).shown_closed) == (2, 1)


def test_there_is_a_most_of_active_items(library):
    for number in range(8):
        library.propose(tip(number))
        library.move(tip(number).id, Status.ACTIVE, "")
    for number, (what, reward) in enumerate([("shown", 0.0), ("withheld", 1.0)]):
        library.log(tip(5).id, what, episode=f"e{number}")
        close(library, f"e{number}", reward)
    changes = review(library, CreditConfig(most_active=7))
    assert changes == {tip(5).id: Status.RETIRED}
    assert len(review(library, CreditConfig(most_active=3))) == 4


def test_quarantine_takes_all_descendants(library, sandbox):
    poison = tip(1)
    library.propose(poison)
    child = poison.edit(Origin(), body="zebra child")
    library.propose(child)
    grandchild = child.edit(Origin(), body="zebra grandchild")
    library.propose(grandchild)
    library.propose(tip(2))
    for id in (poison.id, child.id, tip(2).id):
        library.move(id, Status.ACTIVE, "")
    assert set(quarantine(library, poison.id, "planted")) == {poison.id, child.id, grandchild.id}
    assert [hit.item.id for hit in search(library, "zebra")] == [tip(2).id]
    assert f"descends from {poison.id}" in library.events(grandchild.id, what="status")[-1].note


def test_an_origin_that_takes_too_much_raises_the_alarm(library):
    for number in range(12):
        library.propose(tip(number, origin=Origin(episodes=(f"source {number}",))))
        library.move(tip(number).id, Status.ACTIVE, "")
    for number in range(100):
        draw(library, [tip(number % 12).id, tip(3).id], f"e{number}")
    assert list(alarms(library)) == ["source 3"]
    assert alarms(library, least=1000) == {}


def test_what_was_learned_on_test_tasks_stays_there(tmp_path):
    with Library(tmp_path / "m.db") as train, Library(tmp_path / "m.db", split="test") as test:
        train.propose(tip(1))
        train.move(tip(1).id, Status.ACTIVE, "")
        test.propose(tip(2, origin=Origin(split="test")))
        test.move(tip(2).id, Status.ACTIVE, "")
        assert [hit.item.title for hit in search(train, "zebra", env="E")] == ["Tip 1"]
        assert [hit.item.title for hit in search(test, "zebra", env="E")] == ["Tip 2"]


def test_what_required_an_item_is_checked_again_with_the_new_one(library, sandbox):
    base = skill(title="Base", source="heat {thing} with microwave 1")
    needs = {"params": {"type": "object", "properties": {"thing": {}}}, "runtime": "python"}

    def above(name, required, body, check):
        source = f"def {name}(thing):\n    '''More.'''\n    {body}"
        code = Code(entry=name, source=source, requires=(required,), **needs)
        return Item(kind="skill", title=name, code=code, checks=(Check(rung="unit", source=check),))

    library.propose(base)
    climb(library, base.id, sandbox=sandbox)
    good = above("go", base.id, "yield from heat(thing)", "assert 'egg 1' in list(go('egg 1'))[-1]")
    strict = above(
        "stay", base.id, "yield from heat(thing)", "assert list(stay('egg')) == ['heat egg with microwave 1']"
    )
    for item in (good, strict):
        library.propose(item)
        assert climb(library, item.id, sandbox=sandbox) is Status.TRIAL
    top = above("top", good.id, "yield 'look'", "assert list(top('egg')) == ['look']")
    library.propose(top)
    assert climb(library, top.id, sandbox=sandbox) is Status.TRIAL
    new = skill(title="Base", source="go to microwave 1\nheat {thing} with microwave 1", checks=(
        Check(rung="unit", source="assert len(list(heat('egg'))) == 2"),
    ))  # fmt: skip
    library.propose(new)
    climb(library, new.id, sandbox=sandbox)
    edits = [library.get(id) for id in supersede(library, base.id, new.id, sandbox=sandbox)]
    status = {item.title: library.standing(item.id).status for item in edits}
    assert status == {"go": Status.TRIAL, "top": Status.TRIAL, "stay": Status.REJECTED}
    assert {library.standing(one.id).status for one in (base, good, strict, top)} == {Status.RETIRED}
    assert edits[0].code.requires == (new.id,)
    assert good.id in edits[0].origin.parents
