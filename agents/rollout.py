"""Many episodes at once over one policy.

An episode, a tree search, any decision process is a *process* here: a generator that yields what it is waiting for,
a list of `Prompt` or a `Pending` call to an environment in another process, and is sent the answer. `drive` runs many
of them in lockstep: each round it advances every process, answers all prompts in one batch while the workers compute,
and waits for all. Who finishes first on the clock therefore changes nothing: the same seeds give the same episodes.

One failing environment, agent or prompt ends its own episode as ``env_error`` or ``policy_error``; the others go on.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from inspect import isgenerator
from typing import Any, Protocol, TypeVar

from selfgym.agents.agent import Agent, Decision
from selfgym.agents.policies.policy import Completion, Policy, PolicyError, Prompt
from selfgym.agents.screenshots import pointed, shown
from selfgym.envs.core import AgentEnv, Outcome
from selfgym.memory.episode import Episode, Source, Step

T = TypeVar("T")


class Pending(Protocol):
    """A call that runs elsewhere."""

    def result(self) -> Any:
        """Wait for the call and return its value, or raise its exception."""
        ...


Process = Generator["list[Prompt] | Pending", Any, T]


@dataclass(frozen=True, slots=True)
class Job:
    """One episode to play."""

    id: str
    env: Callable[[], Any]
    """Makes an `AgentEnv`, or a `selfgym.agents.workers.RemoteEnv` around one."""
    agent: Callable[[], Agent]
    seed: int | None = None
    options: Mapping[str, Any] | None = None
    record: Mapping[str, Any] = field(default_factory=dict)
    """Further fields of `Episode`: run, phase, split, group, role ..."""
    prefix: tuple[str, ...] = ()
    """Actions forced on the environment before the agent takes over: recorded as ``injected``, never trained on. An
    agent that has a method ``write(observation, info, action)``, as `ReactAgent` does, is told of each."""
    screenshots: bool = False
    """Keep the screen before each action and at the end; ``env`` must draw (``render_mode="rgb_array"``)."""


def drive(processes: Iterable[Process[T]], policy: Policy | None = None, *, width: int = 64) -> Iterator[tuple[int, T]]:
    """Run processes, at most ``width`` at once, and yield ``(index, result)`` as each ends.

    An exception that a process does not catch reaches the caller. A `PolicyError` is thrown into the process whose
    prompt could not be answered.
    """
    waiting = enumerate(processes)
    running: dict[int, Process[T]] = {}
    answers: dict[int, Any] = {}
    while True:
        while len(running) < width and (entry := next(waiting, None)) is not None:
            index, process = entry
            running[index], answers[index] = process, None
        if not running:
            return
        asked: dict[int, list[Prompt]] = {}
        pending: dict[int, Pending] = {}
        for index in list(running):
            try:
                request = _advance(running[index], answers.pop(index))
            except StopIteration as stop:
                del running[index]
                yield index, stop.value
                continue
            if isinstance(request, list):
                asked[index] = request
            else:
                pending[index] = request
        answers.update(_answer(asked, policy))
        for index, call in pending.items():
            try:
                answers[index] = call.result()
            except Exception as error:
                answers[index] = error


def _advance(process: Process[T], answer: Any) -> list[Prompt] | Pending:
    return process.throw(answer) if isinstance(answer, Exception) else process.send(answer)


def _answer(asked: dict[int, list[Prompt]], policy: Policy | None) -> dict[int, Any]:
    if not asked:
        return {}
    if policy is None:
        return {index: PolicyError("the agent asks a language model, but the rollout has none") for index in asked}
    prompts = [prompt for request in asked.values() for prompt in request]
    completions = iter(_generate(policy, prompts))
    answers: dict[int, Any] = {}
    for index, request in asked.items():
        replies = [next(completions) for _ in request]
        failed = next((reply for reply in replies if isinstance(reply, PolicyError)), None)
        answers[index] = failed or replies
    return answers


def _generate(policy: Policy, prompts: list[Prompt]) -> list[Completion | PolicyError]:
    try:
        return policy.generate(prompts)
    except Exception as error:
        if len(prompts) == 1:
            return [PolicyError(f"{type(error).__name__}: {error}")]
    return [reply for prompt in prompts for reply in _generate(policy, [prompt])]


def call(env: Any, method: str, *arguments: Any, **keywords: Any) -> Process[Any]:
    """Call a method of an environment, here or in its worker process."""
    remote = getattr(env, "start", None)
    if remote is not None:
        return (yield remote(method, *arguments, **keywords))
    return getattr(env, method)(*arguments, **keywords)


def decide(agent: Agent, observation: Any, info: dict[str, Any]) -> Process[Decision]:
    """What an agent does next, its prompts answered on the way. Raises whatever the agent does."""
    answer = agent.act(observation, info)
    if isgenerator(answer):
        answer = yield from answer
    return answer if isinstance(answer, Decision) else Decision(answer)  # type: ignore[arg-type]


def play(job: Job) -> Process[Episode]:
    """Play one episode; always returns an `Episode`, whatever fails."""
    recorder = _Recorder(job)
    env = None
    try:
        env = job.env()
        yield from recorder.run(env)
    except _AgentFailure as failure:
        recorder.fail(Outcome.POLICY_ERROR, failure.__cause__ or failure)
    except Exception as error:
        recorder.fail(Outcome.ENV_ERROR, error)
    finally:
        if env is not None:
            env.close()
    return recorder.episode()


def rollout(jobs: Iterable[Job], policy: Policy | None = None, *, width: int = 64) -> Iterator[tuple[int, Episode]]:
    """Play every job and yield ``(index of the job, episode)`` as episodes end."""
    yield from drive((play(job) for job in jobs), policy, width=width)


def play_all(jobs: Sequence[Job], policy: Policy | None = None, *, width: int = 64) -> list[Episode]:
    """Every job's episode, in the order of the jobs."""
    played = dict(rollout(jobs, policy, width=width))
    return [played[number] for number in range(len(jobs))]


def lost_episode(job: Job, error: Exception) -> Episode:
    """What is recorded of a job that was to be played elsewhere and could not be."""
    recorder = _Recorder(job)
    recorder.fail(Outcome.ENV_ERROR, error)
    return recorder.episode()


class _AgentFailure(Exception):
    """Carries what an agent or its policy raised out of the episode."""


class _Recorder:
    """The episode as it grows."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.steps: list[Step] = []
        self.observation: Any = ""
        self.info: dict[str, Any] = {}
        self.outcome = Outcome.ENV_ERROR
        self.error = ""
        self.env_version = "0"
        self.agent: Agent | None = None
        self.last: dict[str, Any] = {}

    def run(self, env: Any) -> Process[None]:
        job = self.job
        self.env_version = env.version
        options = dict(job.options) if job.options is not None else None
        self.observation, self.info = yield from call(env, "reset", seed=job.seed, options=options)
        self.outcome = self.info["outcome"]
        self.agent = _guard(job.agent)
        if hasattr(self.agent, "begin"):
            _guard(self.agent.begin, env)
        for action in job.prefix:
            decision = Decision(action, source=Source.INJECTED, trainable=False)
            if hasattr(self.agent, "write"):
                decision = _guard(self.agent.write, self.observation, self.info, action)
            yield from self._step(env, decision)
        while self.outcome is Outcome.RUNNING:
            decision = yield from self._decide()
            yield from self._step(env, decision)
        if not self.outcome.is_error:
            self.last = yield from self._screenshot(env)

    def _decide(self) -> Process[Decision]:
        assert self.agent is not None
        try:
            return (yield from decide(self.agent, self.observation, self.info))
        except Exception as error:
            raise _AgentFailure from error

    def _step(self, env: AgentEnv[Any], decision: Decision) -> Process[None]:
        key = yield from call(env, "state_key")
        kept = yield from self._screenshot(env)
        seen = self.observation
        self.observation, reward, _, _, self.info = yield from call(env, "step", decision.action)
        self.outcome = self.info["outcome"]
        if kept:
            decision = replace(decision, info=decision.info | kept | pointed(self.info))
        self.steps.append(record_step(seen, decision, float(reward), self.info, key, self.version))

    def _screenshot(self, env: AgentEnv[Any]) -> Process[dict[str, Any]]:
        return shown((yield from call(env, "render"))) if self.job.screenshots else {}

    @property
    def version(self) -> int:
        return int(getattr(self.agent, "policy_version", 0))

    def fail(self, outcome: Outcome, error: BaseException) -> None:
        self.outcome, self.error = outcome, f"{type(error).__name__}: {error}"

    def episode(self) -> Episode:
        job = self.job
        record = dict(job.record)
        record.setdefault("env", "")
        record.setdefault("items", tuple(getattr(self.agent, "items", ())))
        record["info"] = {**record.get("info", {}), **self.last}
        episode = Episode(
            id=job.id,
            env_version=self.env_version,
            seed=job.seed,
            task=str(self.info.get("task", "")),
            steps=tuple(self.steps),
            final_observation=plain(self.observation),
            outcome=self.outcome,
            error=self.error,
            created=record.pop("created", time.time()),
            **record,
        )
        if self.agent is not None and hasattr(self.agent, "end"):
            try:
                self.agent.end(episode)
            except Exception as error:
                message = f"{type(error).__name__}: {error}"
                return episode.model_copy(update={"outcome": Outcome.POLICY_ERROR, "error": message})
        return episode


def record_step(
    observation: Any, decision: Decision, reward: float, info: Mapping[str, Any], state_key: str, policy_version: int
) -> Step:
    """The record of a decision whose effect is known: ``info`` is what the environment said after it."""
    return Step(
        observation=plain(observation),
        prompt_ids=decision.prompt_ids,
        response_ids=decision.response_ids,
        logprobs=decision.logprobs,
        fresh=decision.fresh,
        action=plain(decision.action),
        thought=plain(decision.thought),
        valid=info.get("action_error") is None,
        reward=reward,
        state_key=state_key,
        source=decision.source,
        trainable=decision.trainable,
        policy_version=policy_version,
        info=decision.info,
    )


def plain(text: Any) -> str:
    """``text`` as a string that every file can hold: half a surrogate pair is written out as its number.

    >>> plain("go to \\ud800")
    'go to \\\\ud800'
    """
    return str(text).encode("utf-8", "backslashreplace").decode("utf-8")


def _guard(function: Callable[..., Any], *arguments: Any) -> Any:
    """Call the agent's code, so that its exceptions are told apart from the environment's."""
    try:
        return function(*arguments)
    except Exception as error:
        raise _AgentFailure from error
