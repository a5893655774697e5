"""Agent-R's converter: what is paired, where the revision sits, and that every spliced trajectory really happened."""

from functools import partial

import gymnasium
import pytest

from selfgym.agents.policies.scripted import ScriptedPolicy
from selfgym.agents.react import ReactAgent
from selfgym.agents.rollout import Job, drive, play
from selfgym.agents.teacher import Line, ScriptAgent
from selfgym.envs.core import Outcome
from selfgym.envs.household.oracle import shortest_plan
from selfgym.memory.episode import Episode, Source, Step
from selfgym.trainers.collectors import Task
from selfgym.trainers.rows import rows_from
from selfgym.trainers.splice import (
    REVISIONS,
    SpliceConfig,
    pairs,
    parse_judgement,
    preference_judge,
    splice,
    verbal_judge,
)  # fmt: skip

SEED = 11
POLICY = ScriptedPolicy(["Judgement: Good"])


def household(max_steps=30):
    return gymnasium.make("selfgym/Household-v0", size="tiny", max_steps=max_steps).unwrapped


def voice():
    return ReactAgent(POLICY, instruction="")


TASK = Task("t", "selfgym/Household-v0", household, SEED)


def path(name, actions, proposed=None):
    """Play ``actions`` for real and record them as a path of a tree; a script that ends early is cut there."""
    agent = partial(ScriptAgent, [Line(action, source=Source.POLICY, trainable=True) for action in actions], voice())
    [(_, episode)] = drive([play(Job(name, household, agent, SEED, record={**TASK.record, "group": "g"}))])
    steps = [
        step.model_copy(
            update={"info": {"proposed": proposed[n] if proposed and n in proposed else [[step.action, -1.0]]}}
        )
        for n, step in enumerate(episode.steps)
    ]
    outcome = Outcome.TRUNCATED if episode.outcome is Outcome.POLICY_ERROR else episode.outcome
    return episode.model_copy(update={"steps": tuple(steps), "outcome": outcome, "error": ""})


@pytest.fixture(scope="module")
def plan():
    env = household()
    env.reset(seed=SEED)
    found = shortest_plan(env.world)
    assert len(found) >= 4
    return found


@pytest.fixture(scope="module")
def detour(plan):
    """A command that starts elsewhere than the plan does."""
    env = household()
    _, info = env.reset(seed=SEED)
    return next(c for c in info["admissible_commands"] if c.startswith("go to") and c not in plan)


def convert(tree, judge=preference_judge, policy=POLICY, **settings):
    record = {"run": "r", "phase": "revision-0"}
    process = splice(tree, TASK, voice, judge, SpliceConfig(**settings), iteration=0, seed=0, record=record)
    [(_, kept)] = drive([process], policy)
    return kept


def test_the_mistake_is_kept_without_loss_and_the_mending_with(plan, detour):
    good = path("good", plan)
    bad = path("bad", [detour, "look", "look"], {0: [[detour, -2.0], [plan[0], -0.1]]})
    [revised] = convert([good, bad])
    assert revised.outcome is Outcome.SUCCESS
    assert [step.action for step in revised.steps] == [detour, *plan]
    assert [step.trainable for step in revised.steps] == [False] + [True] * len(plan)
    assert revised.steps[1].thought in REVISIONS
    assert (revised.parent, revised.branch_step) == ("bad", 1)
    [row] = rows_from(revised)
    text = POLICY.tokenizer.decode([token for token, w in zip(row.token_ids, row.weight, strict=True) if w])
    assert detour not in text
    assert revised.steps[1].thought in text


def test_the_tokens_of_the_good_part_are_those_that_were_sampled(plan, detour):
    marked = tuple(POLICY.tokenizer.encode(f"{plan[1]} ")) + voice().chat.end  # not how it would be written anew
    good = path("good", plan)
    steps = list(good.steps)
    steps[1] = steps[1].model_copy(update={"response_ids": marked})
    good = good.model_copy(update={"steps": tuple(steps)})
    bad = path("bad", [detour, "look"], {0: [[detour, -2.0], [plan[0], -0.1]]})
    [revised] = convert([good, bad])
    assert revised.steps[2].response_ids == marked


def test_every_spliced_trajectory_happens_again_in_a_fresh_environment(plan, detour):
    good, bad = path("good", plan), path("bad", [detour, "look"], {0: [[detour, -2.0], [plan[0], -0.1]]})
    [revised] = convert([good, bad])
    env = household()
    observation, _ = env.reset(seed=SEED)
    for step in revised.steps:
        assert step.observation == observation
        observation, reward, *_ = env.step(step.action)
        assert reward == step.reward
    assert observation == revised.final_observation


def test_what_cannot_really_be_mended_is_dropped(plan, detour):
    good = path("good", plan)
    take = next(n for n, action in enumerate(plan) if action.startswith("take"))
    bad = path("bad", [*plan[:take], detour, "look"], {take: [[detour, -2.0], [plan[take], -0.1]]})
    assert convert([good, bad], retrace=0) == []  # the taking is refused from where the detour led
    [revised] = convert([good, bad], retrace=1)
    assert [step.action for step in revised.steps] == [*plan[:take], detour, *plan[take - 1 :]]


def test_without_a_step_held_to_be_an_error_there_is_no_revision(plan, detour):
    assert convert([path("good", plan), path("bad", [detour, "look"])]) == []


def test_same_parent_wants_the_error_where_the_paths_part(plan, detour):
    good = path("good", plan)
    bad = path("bad", [detour, "look", "inventory"], {1: [["look", -3.0], ["inventory", -0.1]]})
    assert convert([good, bad]) == []
    [revised] = convert([good, bad], pairs="any")
    assert [step.action for step in revised.steps] == [detour, "look", *plan]


def test_direct_revision_keeps_the_whole_bad_path(plan, detour):
    good, bad = path("good", plan), path("bad", [detour, "look", "inventory"])
    [revised] = convert([good, bad], transition="end")
    assert [step.action for step in revised.steps] == [detour, "look", "inventory", *plan]
    assert sum(step.trainable for step in revised.steps) == len(plan)


def test_the_number_of_revisions_of_a_task_is_capped(plan, detour):
    good = path("good", plan)
    bads = [path(f"bad{n}", [detour] * (n + 1), {n: [[detour, -2.0], ["look", -0.1]]}) for n in range(4)]
    assert len(convert([good, *bads], pairs="any", max_pairs=2)) == 2
    every = convert([good, *bads], pairs="any", max_pairs=9)
    assert len({tuple(step.action for step in episode.steps) for episode in every}) == len(every)


def synthetic(name, reward, length, outcome=Outcome.TRUNCATED):
    steps = tuple(Step(observation="o", action=f"{name}{n}", reward=reward * (n == length - 1)) for n in range(length))
    return Episode(id=name, env="x", task="t", outcome=outcome, steps=steps)


def test_good_rises_over_the_iterations_and_pairs_differ_by_more_than_beta():
    half, whole, bad = synthetic("h", 0.6, 3), synthetic("w", 1.0, 3), synthetic("b", 0.5, 3)
    config = SpliceConfig()
    found = {(pair.good.id, pair.bad.id) for pair in pairs([half, whole, bad], config, 0, seed=0)}
    assert found == {("w", "h"), ("w", "b")}  # 0.6 - 0.5 is not more than 0.2
    assert [config.good(half, iteration) for iteration in range(4)] == [True, False, False, False]
    assert config.good(whole, 9)


def test_discount_asks_for_short_paths():
    config = SpliceConfig(discount=0.9, alpha=(0.5,))
    assert config.good(synthetic("s", 1.0, 5), 0)
    assert not config.good(synthetic("l", 1.0, 12), 0)


def test_episodes_lost_to_errors_are_never_paired():
    lost, whole = synthetic("l", 0.0, 3, Outcome.ENV_ERROR), synthetic("w", 1.0, 3)
    assert pairs([lost, whole], SpliceConfig(), 0, seed=0) == []


def test_pairs_are_in_an_order_of_the_seed():
    tree = [synthetic("w", 1.0, 3), *(synthetic(f"b{n}", 0.0, 3) for n in range(6))]
    order = lambda seed: [pair.bad.id for pair in pairs(tree, SpliceConfig(), 0, seed=seed)]  # noqa: E731
    assert order(1) == order(1) != order(2)


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("Judgement: Bad", "bad"), ("judgment: GOOD.", "good"), ("Judgement: not good", "uncertain"),
        ("This is not bad", "uncertain"), ("", "uncertain"), ("Judgement: Badly put", "uncertain"),
    ],
)  # fmt: skip
def test_judgements_are_read_strictly(text, verdict):
    assert parse_judgement(text) == verdict


def test_the_actor_is_asked_in_words(plan, detour):
    seen = []

    def answer(text):
        seen.append(text)
        return "Judgement: Bad"

    policy = ScriptedPolicy(answer)
    good, bad = path("good", plan), path("bad", [detour, "look"])
    [revised] = convert([good, bad], verbal_judge(policy), policy)
    assert revised.steps[0].action == detour
    assert len(seen) == 1
    assert good.task in seen[0]
