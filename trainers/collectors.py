"""Where training episodes come from: tasks in, recorded episodes out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from selfgym.agents.policies.policy import Policy, PolicyError
from selfgym.agents.react import ReactAgent
from selfgym.agents.rollout import Process, drive, plain, record_step
from selfgym.agents.search import Node, SearchConfig, search
from selfgym.envs.core import Outcome
from selfgym.memory.episode import Episode


@dataclass(frozen=True, slots=True)
class Task:
    """One task instance: what to reset an environment with."""

    id: str
    env_id: str
    make: Callable[[], Any]
    seed: int
    options: Mapping[str, Any] | None = None
    env_options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def record(self) -> dict[str, Any]:
        """The fields of `Episode` that say which task this is."""
        return {"env": self.env_id, "env_options": dict(self.env_options), "task_id": self.id}


def collect_trees(
    tasks: Sequence[Task],
    policy: Policy,
    agent: Callable[[Task], ReactAgent],
    config: SearchConfig,
    *,
    record: Mapping[str, Any],
    width: int = 64,
) -> Iterator[list[Episode]]:
    """Search every task and yield, task by task in order, the episodes of its tree: one for each ended path.

    A tree that fails is one episode with an error outcome."""
    processes = (_tree(task, agent(task), config, {**task.record, **record}) for task in tasks)
    results = dict(drive(processes, policy, width=width))
    for index in range(len(tasks)):
        yield results[index]


def _tree(task: Task, agent: ReactAgent, config: SearchConfig, record: Mapping[str, Any]) -> Process[list[Episode]]:
    env, version = None, "0"
    try:
        env = task.make()
        version = env.version
        root = yield from search(env, agent, seed=task.seed, options=task.options, config=config)
        return list(_leaf_episodes(root, task, version, record))
    except Exception as error:
        outcome = Outcome.POLICY_ERROR if isinstance(error, PolicyError) else Outcome.ENV_ERROR
        failure = f"{type(error).__name__}: {error}"
        group = _group(task, record)
        failed = Episode(
            id=f"{group}/error", group=group, task="", outcome=outcome, error=failure,
            env_version=version, seed=task.seed, **record,
        )  # fmt: skip
        return [failed]
    finally:
        agent.end()
        if env is not None:
            env.close()


def _group(task: Task, record: Mapping[str, Any]) -> str:
    return f"{record.get('run', '')}/{record.get('phase', '')}/{task.id}"


def _leaf_episodes(root: Node, task: Task, env_version: str, record: Mapping[str, Any]) -> Iterable[Episode]:
    """One episode a leaf, depth first; each names the leaf before it as the one it branched from."""
    before: list[Node] = []
    group, parent = _group(task, record), ""
    for number, leaf in enumerate(root.leaves()):
        path = leaf.path()
        shared = sum(1 for ours, theirs in zip(path, before, strict=False) if ours is theirs)
        episode = Episode(
            id=f"{group}/{number}",
            env_version=env_version,
            seed=task.seed,
            task=str(leaf.info["task"]),
            group=group,
            steps=tuple(_step(node) for node in path[1:]),
            final_observation=plain(leaf.observation),
            outcome=leaf.outcome,
            parent=parent,
            branch_step=max(0, shared - 1),
            **record,
        )
        yield episode
        before, parent = path, episode.id


def _step(node: Node) -> Any:
    """The record of the step into ``node``, with its siblings: what else was proposed, and how likely it was."""
    assert node.parent is not None
    assert node.decision is not None
    siblings = [
        [child.decision.action, sum(child.decision.logprobs)] for child in node.parent.children if child.decision
    ]
    step = record_step(
        node.parent.observation, node.decision, node.reward, node.info, node.parent.state_key,
        node.parent.agent.policy_version,
    )  # fmt: skip
    return step.model_copy(
        update={"info": {"proposed": siblings, "visits": node.visits, "value": round(node.value, 6)}}
    )
