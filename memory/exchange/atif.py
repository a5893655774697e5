"""ATIF, the Agent Trajectory Interchange Format of Harbor (Terminal-Bench); written as version 1.7, read as any 1.x.

Source: Harbor's RFC 0001 and its models ``harbor.models.trajectories``. An episode becomes one document: a ``user``
step with the first observation, then an ``agent`` step for each decision, ``message`` holding the action and
``observation`` what followed it. ``prompt_token_ids`` are the whole context, as the format asks. What ATIF has no
place for stands under ``extra.selfgym``, so that our own documents come back as equal episodes.

Other people's documents: system and user messages become the next observation; tool calls become the action, as
JSON, and the message then counts as thought; copied context and steps without a model are not trainable. ATIF does not
say how a run ended: the outcome is ``running`` unless the document lies in the ``agent`` folder of a trial of Harbor,
whose ``result.json`` says it. Lost: images and audio (named in brackets), costs, time stamps, and the link between a
trajectory and its subagents, which become episodes of the role ``subagent``.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from selfgym.envs.core import Outcome
from selfgym.memory.episode import Episode, Source, Step
from selfgym.memory.exchange.files import (
    CannotWriteError,
    DamagedFileError,
    naming,
    read_json,
    read_json_lines,
    replacing_folder,
    write_lines,
)

VERSION = "ATIF-v1.7"


def write(episodes: Iterable[Episode], path: Path) -> int:
    """Write a document a line to ``.jsonl``, the only episode to ``.json``, a folder of documents to any other path.

    Raises `CannotWriteError` where ``.json`` is to hold more or less than one, or the folder is not empty.
    """
    if path.suffix == ".jsonl" or path.name.endswith(".jsonl.gz"):
        return write_lines(path, (_dumps(episode) for episode in episodes))
    if path.suffix == ".json":
        documents = [_dumps(episode) for episode in episodes]
        if len(documents) != 1:
            raise CannotWriteError(
                f"an ATIF .json file holds one trajectory and there are {len(documents)}: "
                "give a .jsonl file or the name of a folder"
            )
        return write_lines(path, documents)
    number = 0
    with replacing_folder(path) as folder:
        for number, episode in enumerate(episodes, 1):
            name = re.sub(r"[^\w.-]+", "_", episode.id)[:100]
            (folder / f"{number:06d}-{name}.json").write_text(_dumps(episode) + "\n", encoding="utf-8")
    return number


def read(path: Path) -> Iterator[Episode]:
    """The episodes of a ``.json`` or ``.jsonl`` file, or of every ATIF document in a folder and the folders in it."""
    if not path.is_dir():
        lines = path.suffix == ".jsonl" or path.name.endswith(".jsonl.gz")
        for where, document in read_json_lines(path) if lines else [(str(path), read_json(path))]:
            yield from _episodes(document, where, _verdict(path))
        return
    found = False
    for file in sorted(path.rglob("*.json")):
        document = read_json(file)
        if isinstance(document, dict) and str(document.get("schema_version", "")).startswith("ATIF-"):
            found = True
            yield from _episodes(document, str(file), _verdict(file))
    if not found:
        raise DamagedFileError(f"{path}: there is no ATIF document in this folder")


def document_from(episode: Episode) -> dict[str, Any]:
    """The episode as an ATIF document."""
    seen = [*(step.observation for step in episode.steps), episode.final_observation]
    steps: list[dict[str, Any]] = [{"step_id": 1, "source": "user", "message": seen[0]}]
    context: tuple[int, ...] = ()
    for number, (step, answer) in enumerate(zip(episode.steps, seen[1:], strict=True), 2):
        prompt = step.prompt_ids if step.fresh else context + step.prompt_ids
        context = prompt + step.response_ids
        steps.append({"step_id": number, **_step(step, answer, prompt)})
    kept = episode.model_dump(mode="json", exclude={"steps", "final_observation"})
    agent = {"name": episode.agent or "unknown", "version": f"policy {episode.policy or 'unknown'}"}
    return {
        "schema_version": VERSION,
        "session_id": episode.run or episode.id,
        "trajectory_id": episode.id,
        "agent": {**agent, "model_name": episode.policy} if episode.policy else agent,
        "steps": steps,
        "final_metrics": {
            "total_completion_tokens": sum(len(step.response_ids) for step in episode.steps),
            "total_steps": len(steps),
            "extra": {"reward": episode.total_reward, "outcome": episode.outcome.value},
        },
        "extra": {"selfgym": kept},
    }


def _dumps(episode: Episode) -> str:
    return json.dumps(document_from(episode), ensure_ascii=False)


def _step(step: Step, answer: str, prompt: tuple[int, ...]) -> dict[str, Any]:
    result: dict[str, Any] = {"content": answer}
    made: dict[str, Any] = {"source": "agent", "message": step.action, "observation": {"results": [result]}}
    if step.thought:
        made["reasoning_content"] = step.thought
    if step.prompt_ids or step.response_ids:
        made["metrics"] = {
            "prompt_tokens": len(prompt),
            "completion_tokens": len(step.response_ids),
            "prompt_token_ids": list(prompt),
            "completion_token_ids": list(step.response_ids),
            "logprobs": list(step.logprobs),
        }
    call = _tool_call(step.action)
    if call is not None:
        made["tool_calls"] = [{"tool_call_id": "call_1", "function_name": call[0], "arguments": call[1]}]
        result["source_call_id"] = "call_1"
    kept = {"valid", "reward", "state_key", "source", "trainable", "policy_version", "fresh", "info"}
    return {**made, "extra": {"selfgym": step.model_dump(mode="json", include=kept)}}


def _tool_call(action: str) -> tuple[str, dict[str, Any]] | None:
    if not action.startswith("{"):
        return None
    try:
        call = json.loads(action)
    except (ValueError, RecursionError):
        return None  # an action in words, or a malformed call: it stands in the message as it was sent
    fits = isinstance(call, dict) and isinstance(call.get("name"), str) and isinstance(call.get("arguments"), dict)
    return (call["name"], call["arguments"]) if fits else None


class _Call(BaseModel):
    function_name: str
    arguments: dict[str, Any]


class _Result(BaseModel):
    content: str | list[dict[str, Any]] | None = None


class _Observation(BaseModel):
    results: list[_Result]


class _Metrics(BaseModel):
    prompt_token_ids: list[int] | None = None
    completion_token_ids: list[int] | None = None
    logprobs: list[float] | None = None


class _Step(BaseModel):
    source: str
    message: str | list[dict[str, Any]]
    reasoning_content: str | None = None
    tool_calls: list[_Call] | None = None
    observation: _Observation | None = None
    metrics: _Metrics | None = None
    is_copied_context: bool | None = None
    llm_call_count: int | None = None
    extra: dict[str, Any] | None = None


class _Agent(BaseModel):
    name: str
    model_name: str | None = None


class _Document(BaseModel):
    """What we read of an ATIF trajectory; unknown fields of later versions are passed over."""

    schema_version: str
    session_id: str | None = None
    trajectory_id: str | None = None
    agent: _Agent
    steps: list[_Step]
    extra: dict[str, Any] | None = None
    subagent_trajectories: list[Any] | None = None


class _Verifier(BaseModel):
    rewards: dict[str, float] | None = None


class _Trial(BaseModel):
    task_name: str = ""
    verifier_result: _Verifier | None = None


def _verdict(path: Path) -> dict[str, Any]:
    """What Harbor's ``result.json`` says about the trial whose ``agent`` folder holds the document."""
    result = path.parent.parent / "result.json"
    if path.parent.name != "agent" or not result.is_file():
        return {}
    with naming(str(result), "the result of a Harbor trial"):
        trial = _Trial.model_validate(read_json(result))
    fields = {"env": "harbor", "task_id": trial.task_name}
    reward = ((trial.verifier_result or _Verifier()).rewards or {}).get("reward")
    if reward is None:
        return fields
    return {**fields, "outcome": Outcome.SUCCESS if reward >= 1 else Outcome.FAILURE, "reward": reward}


def _episodes(data: Any, where: str, verdict: dict[str, Any], role: str = "") -> Iterator[Episode]:
    with naming(where, "an ATIF trajectory"):
        document = _Document.model_validate(data)
        if not document.schema_version.startswith("ATIF-v1."):
            raise DamagedFileError(f"{where}: {document.schema_version!r} cannot be read, only ATIF-v1.x")
        steps, last = _steps(document)
        own = (document.extra or {}).get("selfgym")
        episode = (
            Episode.model_validate({**own, "steps": steps, "final_observation": last})
            if isinstance(own, dict)
            else _foreign(document, data, steps, last, verdict, role)
        )
    yield episode
    for number, inner in enumerate(document.subagent_trajectories or ()):
        yield from _episodes(inner, f"{where}, subagent {number}", {}, role="subagent")


def _foreign(
    document: _Document, data: Any, steps: tuple[Step, ...], last: str, verdict: dict[str, Any], role: str
) -> Episode:
    digest = hashlib.blake2b(json.dumps(data, sort_keys=True).encode(), digest_size=6).hexdigest()
    fields = dict(verdict)
    reward = fields.pop("reward", None)
    if reward is not None and steps:
        steps = (*steps[:-1], steps[-1].model_copy(update={"reward": reward}))
    told = [_text(step.message) for step in document.steps if step.source == "user"]
    return Episode(
        **{"env": "", "outcome": Outcome.RUNNING, **fields},
        id=f"atif/{document.trajectory_id or document.session_id or 'trajectory'}/{digest}",
        task=told[0] if told else "",
        agent=document.agent.name,
        policy=document.agent.model_name or "",
        role=role,
        steps=steps,
        final_observation=last,
    )


def _steps(document: _Document) -> tuple[tuple[Step, ...], str]:
    """The decisions, and what followed the last one."""
    own = isinstance((document.extra or {}).get("selfgym"), dict)
    steps: list[Step] = []
    heard: list[str] = []
    context: tuple[int, ...] = ()
    for step in document.steps:
        results = [_text(result.content) for result in step.observation.results] if step.observation else []
        if step.source != "agent":
            heard += [_text(step.message), *results]
            continue
        fields = dict((step.extra or {}).get("selfgym") or {}) if own else _foreign_fields(step)
        metrics = step.metrics or _Metrics()
        prompt, response = tuple(metrics.prompt_token_ids or ()), tuple(metrics.completion_token_ids or ())
        logprobs = tuple(metrics.logprobs or ())
        fields.setdefault("fresh", bool(prompt or response) and (not context or prompt[: len(context)] != context))
        context = () if fields["fresh"] else context
        fields |= {
            "observation": "\n\n".join(heard),
            "prompt_ids": prompt[len(context) :],
            "response_ids": response,
            "logprobs": logprobs if len(logprobs) == len(response) else (),
        }
        if own:
            fields |= {"action": _text(step.message), "thought": step.reasoning_content or ""}
        steps.append(Step(**fields))
        heard = results
        context = prompt + response if prompt or response else context
    return tuple(steps), "\n\n".join(heard)


def _foreign_fields(step: _Step) -> dict[str, Any]:
    message = _text(step.message)
    thought = [step.reasoning_content or ""]
    action = message
    if step.tool_calls:
        calls = [{"name": call.function_name, "arguments": call.arguments} for call in step.tool_calls]
        action = json.dumps(calls[0] if len(calls) == 1 else calls, ensure_ascii=False)
        thought.append(message)
    by_model = step.llm_call_count != 0
    return {
        "action": action,
        "thought": "\n\n".join(filter(None, thought)),
        "source": Source.POLICY if by_model else Source.INJECTED,
        "trainable": by_model and not step.is_copied_context,
    }


def _text(content: str | list[dict[str, Any]] | None) -> str:
    if not isinstance(content, list):
        return content or ""
    texts = []
    for part in content:
        source = part.get("source")
        path = source.get("path", "") if isinstance(source, dict) else ""
        texts.append(str(part.get("text", "")) if part.get("type") == "text" else f"[{part.get('type')}: {path}]")
    return "\n".join(texts)
