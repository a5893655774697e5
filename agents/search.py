"""Monte-Carlo tree search over environment snapshots, as a rollout process.

Follows Agent-R (arXiv 2501.11425, section on model-guided MCTS): a simulation descends by UCB and expands until an
expansion meets the end of an episode; every expansion asks the policy for a few answers, drops repeated actions, and
steps each from the same snapshot; ended children are backed up at once; a node whose children are all exhausted is
never visited again.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from selfgym.agents.agent import Decision
from selfgym.agents.react import ReactAgent
from selfgym.agents.rollout import Process, call
from selfgym.envs.core import Outcome


@dataclass(frozen=True, slots=True)
class SearchConfig:
    """How much to search."""

    simulations: int = 8
    """Descents from the root (paper: 8)."""
    branch: int = 4
    """Answers asked for at each expansion, before repeated actions are dropped (paper: 4)."""
    exploration: float = 0.25
    """The constant c of UCB (released code: 0.25)."""
    max_depth: int = 50
    """Steps after which a path counts as truncated."""


@dataclass(eq=False, slots=True)
class Node:
    """A state of the episode, reached by ``decision`` from ``parent``."""

    parent: Node | None
    decision: Decision | None
    observation: Any
    info: dict[str, Any]
    agent: ReactAgent
    snapshot: bytes
    state_key: str
    reward: float = 0.0
    depth: int = 0
    children: list[Node] = field(default_factory=list)
    visits: int = 0
    value_sum: float = 0.0
    exhausted: bool = False

    @property
    def outcome(self) -> Outcome:
        """How the episode stands here."""
        return Outcome(self.info["outcome"])

    @property
    def value(self) -> float:
        """Mean return of the simulations through this node."""
        return self.value_sum / self.visits if self.visits else 0.0

    def path(self) -> list[Node]:
        """From the root to this node, both included."""
        nodes: list[Node] = []
        node: Node | None = self
        while node is not None:
            nodes.append(node)
            node = node.parent
        return nodes[::-1]

    def leaves(self) -> Iterator[Node]:
        """The ended nodes below, in the order of their making."""
        if self.outcome is not Outcome.RUNNING:
            yield self
        for child in self.children:
            yield from child.leaves()


def search(env: Any, agent: ReactAgent, *, seed: int | None, options: Any, config: SearchConfig) -> Process[Node]:
    """Grow a tree from a reset environment and return its root."""
    observation, info = yield from call(env, "reset", seed=seed, options=options)
    snapshot = yield from call(env, "snapshot")
    key = yield from call(env, "state_key")
    root = Node(None, None, observation, info, agent, snapshot, key)
    for simulation in range(config.simulations):
        node: Node | None = root
        while node is not None and not root.exhausted:
            if not node.children:
                yield from _expand(env, node, simulation, config)
                if any(child.outcome is not Outcome.RUNNING for child in node.children):
                    break
            node = _select(node, config.exploration)
    return root


def _expand(env: Any, node: Node, simulation: int, config: SearchConfig) -> Process[None]:
    """Ask for answers at ``node`` and step each distinct action from its snapshot."""
    prompts = [
        node.agent.ask(node.observation, node.info, draw=simulation * config.branch + k) for k in range(config.branch)
    ]
    completions = yield prompts
    seen: set[str] = set()
    for prompt, completion in zip(prompts, completions, strict=True):
        fork = copy.copy(node.agent)
        decision = fork.decide(node.observation, prompt, completion)
        if decision.action in seen:
            continue
        seen.add(decision.action)
        yield from call(env, "restore", node.snapshot)
        observation, reward, _, _, info = yield from call(env, "step", decision.action)
        snapshot = yield from call(env, "snapshot")
        key = yield from call(env, "state_key")
        if node.depth + 1 >= config.max_depth and info["outcome"] is Outcome.RUNNING:
            info = {**info, "outcome": Outcome.TRUNCATED}
        child = Node(node, decision, observation, info, fork, snapshot, key, float(reward), node.depth + 1)
        node.children.append(child)
        if child.outcome is not Outcome.RUNNING:
            child.exhausted = True
            _back_up(child)
    _close(node)


def _back_up(leaf: Node) -> None:
    total = sum(node.reward for node in leaf.path())
    for node in leaf.path():
        node.visits += 1
        node.value_sum += total


def _close(node: Node | None) -> None:
    while node is not None and node.children and all(child.exhausted for child in node.children):
        node.exhausted = True
        node = node.parent


def _select(node: Node, exploration: float) -> Node | None:
    """The open child with the highest upper confidence bound; unvisited children first, in order."""
    best, best_score = None, -math.inf
    for child in node.children:
        if child.exhausted:
            continue
        if child.visits == 0:
            return child
        bonus = math.sqrt(math.log(max(node.visits, 1)) / child.visits)
        if (score := child.value + exploration * bonus) > best_score:
            best, best_score = child, score
    return best
