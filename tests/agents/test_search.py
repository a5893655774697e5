"""Tree search: every path on record can be played again, and the statistics are those of its leaves."""

import random
from functools import partial
from itertools import pairwise

import gymnasium
import pytest

from selfgym.agents.policies.policy import Completion
from selfgym.agents.policies.scripted import ScriptedPolicy
from selfgym.agents.react import ReactAgent
from selfgym.agents.rollout import drive
from selfgym.agents.search import SearchConfig, search
from selfgym.envs.core import Outcome
from selfgym.trainers.collectors import Task, collect_trees

MAX_STEPS = 8


def household(**options):
    return gymnasium.make("selfgym/Household-v0", size="tiny", max_steps=MAX_STEPS, **options).unwrapped


class Uniform(ScriptedPolicy):
    """Draws uniformly among the choices it is given."""

    asked = 0

    def generate(self, prompts):
        self.asked += len(prompts)
        picks = [random.Random(prompt.seed).choice(prompt.choices) for prompt in prompts]
        return [
            Completion(ids, (-1.0,) * len(ids), self.tokenizer.decode(ids, skip_special_tokens=True)) for ids in picks
        ]


@pytest.fixture
def policy():
    return Uniform(["look"])


def grow(policy, seed=3, **settings):
    agent = ReactAgent(policy, restrict=True, seed=seed)
    process = search(household(), agent, seed=seed, options=None, config=SearchConfig(**settings))
    [(_, root)] = drive([process], policy)
    return root


def test_a_tree_holds_distinct_real_paths(policy):
    root = grow(policy, simulations=6, branch=3)
    leaves = list(root.leaves())
    assert len(leaves) >= 6
    assert len({tuple(n.decision.action for n in leaf.path()[1:]) for leaf in leaves}) == len(leaves)
    for leaf in leaves:
        env = household()
        observation, info = env.reset(seed=3)
        for node in leaf.path()[1:]:
            assert observation == node.parent.observation
            observation, reward, _, _, info = env.step(node.decision.action)
            assert (observation, reward) == (node.observation, node.reward)
        assert info["outcome"] is leaf.outcome


def test_visits_and_values_come_from_the_leaves_below(policy):
    root = grow(policy, simulations=20, branch=4)
    stack = [root]
    while stack:
        node = stack.pop()
        ends = list(node.leaves())
        assert node.visits == len(ends)
        assert node.value_sum == pytest.approx(sum(sum(n.reward for n in leaf.path()) for leaf in ends))
        stack += node.children


def test_a_small_tree_is_searched_to_its_end_and_not_again(policy):
    root = grow(policy, simulations=10_000, branch=2, max_depth=2)
    assert root.exhausted
    asked = policy.asked
    assert asked <= 2 + 2 * 2
    assert all(leaf.depth == 2 for leaf in root.leaves())


def test_depth_limit_truncates(policy):
    root = grow(policy, simulations=3, branch=2, max_depth=4)
    assert all(leaf.depth <= 4 and leaf.outcome in (Outcome.TRUNCATED, Outcome.SUCCESS) for leaf in root.leaves())


def tasks(count, make=household):
    return [Task(f"t{seed}", "selfgym/Household-v0", make, seed) for seed in range(count)]


def collected(policy, some_tasks, **options):
    agent = lambda task: ReactAgent(policy, restrict=True, seed=task.seed)  # noqa: E731
    config = SearchConfig(simulations=4, branch=3)
    return list(collect_trees(some_tasks, policy, agent, config, record={"run": "r", "phase": "tree-0"}, **options))


def test_trees_become_linked_episodes_in_order_of_tasks(policy):
    trees = collected(policy, tasks(3))
    assert [tree[0].task_id for tree in trees] == ["t0", "t1", "t2"]
    for tree in trees:
        assert len({episode.group for episode in tree}) == 1
        ids = [episode.id for episode in tree]
        assert len(set(ids)) == len(ids)
        for before, episode in pairwise(tree):
            assert episode.parent == before.id
            k = episode.branch_step
            assert episode.steps[:k] == before.steps[:k]
            assert episode.steps[k].action != before.steps[k].action
            proposed = dict(episode.steps[k].info["proposed"])
            assert {episode.steps[k].action, before.steps[k].action} <= set(proposed)


def test_width_does_not_change_trees(policy):
    assert collected(policy, tasks(4), width=1) == collected(policy, tasks(4), width=4)


def test_a_tree_that_fails_is_one_error_and_the_others_stay(policy):
    def broken():
        raise OSError("no such game")

    some = tasks(3)
    some[1] = Task("t1", "selfgym/Household-v0", partial(broken), 1)
    trees = collected(policy, some)
    [failed] = trees[1]
    assert failed.outcome is Outcome.ENV_ERROR
    assert "no such game" in failed.error
    assert trees[0] == collected(policy, tasks(1))[0]
