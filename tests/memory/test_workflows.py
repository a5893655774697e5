"""Kinds of task, workflows, shortcuts, reflections and a tool, out of actions alone."""

from __future__ import annotations

from selfgym.envs.core import Outcome
from selfgym.memory.episode import Episode, Step
from selfgym.memory.propose.goals import kind_of, names
from selfgym.memory.propose.reflections import reflect
from selfgym.memory.propose.tools import finder
from selfgym.memory.propose.workflows import shortcuts, workflows
from selfgym.memory.skills.static import objections


def episode(number, *actions, task="heat some mug and put it in desk", outcome=Outcome.SUCCESS):
    made = tuple(
        Step(observation="take gold 1 from vault 1", action=action.lstrip("!"), valid=not action.startswith("!"))
        for action in actions
    )
    return Episode(id=f"e{number}", env="E", task=task, steps=made, outcome=outcome)


def heated(number, thing, place, target, *before):
    return episode(
        number, f"go to {place} 1", f"take {thing} 1 from {place} 1", "go to microwave 1", *before,
        f"heat {thing} 1 with microwave 1", f"go to {target} 1", f"move {thing} 1 to {target} 1",
        task=f"heat some {thing} and put it in {target}",
    )  # fmt: skip


PLAYED = [heated(1, "mug", "shelf", "desk"), heated(2, "egg", "fridge", "bed"), heated(3, "cup", "shelf", "sofa")]


def test_goals_without_their_names_are_kinds():
    known = names([*PLAYED, episode(9, "!take vase 1 from vault 1", "use desk lamp 1")])
    assert known == {"mug", "egg", "cup", "shelf", "fridge", "microwave", "desk", "bed", "sofa", "desk lamp"}
    assert {kind_of(one.task, known) for one in PLAYED} == {"heat some _ and put it in _"}
    assert kind_of("Look at the desk lamp.", known) == "look at the _."
    assert kind_of(" As it is ", set()) == "as it is"


def test_a_workflow_is_what_solved_tasks_of_a_kind_have_in_common():
    [one] = workflows(
        [*PLAYED, episode(4, "take mug 1 from bed 1", outcome=Outcome.FAILURE), episode(5, "look", task="x")]
    )
    assert one.kind == "heat some _ and put it in _"
    assert one.lines == (
        "take {thing} from wherever it is (shelf, fridge)",
        "heat {thing} with microwave",
        "move {thing} to {place}",
    )
    assert [e.id for e in one.sources] == ["e1", "e2", "e3"]
    assert workflows(PLAYED, votes=4) == []


def test_a_shortcut_is_what_was_done_the_same_way_whatever_the_thing():
    [one] = shortcuts(PLAYED)
    assert (one.verb, one.lines) == ("heat", ("go to microwave 1", "heat {thing} with microwave 1"))
    assert one.kinds == ("heat some _ and put it in _",)
    opened = [heated(n, t, "shelf", "desk", "open microwave 1") for n, t in enumerate(("pan", "pot"), 4)]
    assert shortcuts([*PLAYED, *opened])[0].lines == one.lines  # the way of most
    elsewhere = [episode(n, f"heat {t} 1 with stove 1", task=f"heat {t}") for n, t in enumerate(("a", "b", "c"), 7)]
    assert shortcuts([*PLAYED, *elsewhere]) == []  # nothing that holds for all


def test_a_reflection_tells_what_was_tried_in_vain():
    lost = episode(
        1, "go to shelf 1", "go to drawer 2", "!open drawer 9", "take mug 1 from drawer 2",
        "!heat mug 1 with toaster 1", "!heat mug 1 with toaster 1", outcome=Outcome.FAILURE,
    )  # fmt: skip
    assert reflect(lost).splitlines() == [
        "looked in vain: shelf 1",
        "heat with toaster: never works",
        "take mug: often from drawer",
    ]
    assert reflect(episode(2, "look", "click(3)")) == ""


def test_a_tool_answers_from_what_was_found(sandbox):
    tool = finder([*PLAYED, heated(4, "mug", "bed", "desk"), heated(5, "mug", "bed", "desk")])
    assert tool.code.params["properties"]["thing"]["enum"] == ["mug"]
    assert objections(tool.code) == []
    assert '"bed",\n        "shelf"' in tool.code.source
    assert sandbox.exec(f"{tool.code.source}\n{tool.check.source}").ok
    assert finder([heated(1, "mug", "shelf", "desk")]) is None
