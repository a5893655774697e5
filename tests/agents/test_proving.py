"""Somebody plays for the ladder."""

from __future__ import annotations

from selfgym.agents.proving import Player
from selfgym.agents.pupil import PupilAgent
from selfgym.envs.core import Outcome
from selfgym.memory.item import Check, Code, Item
from selfgym.memory.verify import contrasted

ENV = "selfgym/Household-v0"
OPTIONS = {"size": "medium", "max_steps": 13, "task_types": ["pick_heat_then_place_in_recep"]}


def skill(*actions):
    code = Code(runtime="actions", entry="heat", source="\n".join(actions), params={"properties": {"thing": {}}})
    return Item(kind="skill", title="Heat", code=code, checks=(Check(rung="unit", source="x"),))


def test_tasks_are_played_with_the_items_and_without():
    logged = []
    player = Player(lambda seed: PupilAgent(seed=seed), run="r", log=logged.append)
    check = Check(rung="contrast", env=ENV, env_options=OPTIONS, seeds=tuple(range(40, 60)))
    good = skill("go to microwave 1", "heat {thing} with microwave 1")
    with_it, without = player(check, [good]), player(check, [])
    assert [trial.seed for trial in with_it] == list(check.seeds)
    assert contrasted(with_it, without).proof
    assert any(trial.used for trial in with_it)
    assert not any(trial.used for trial in without)
    assert (player.played, len(logged)) == (40, 40)
    assert len({episode.id for episode in logged}) == 40
    assert [episode.phase for episode in logged] == ["prove"] * 40
    assert [episode.outcome for episode in logged[:20]] == [trial.outcome for trial in with_it]


def test_what_goes_wrong_is_an_outcome():
    player = Player(lambda seed: 1 / 0, run="r")
    check = Check(rung="replay", env=ENV, env_options=OPTIONS, seeds=(1,))
    [trial] = player(check, [])
    assert (trial.outcome, trial.used) == (Outcome.POLICY_ERROR, False)
