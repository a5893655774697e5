"""Episodes of ALFWorld: recordings of the engine, and the text logs of ReAct and Reflexion.

A recording (``.jsonl``, ``.jsonl.gz``) has one game a line:
``{"game", "intro", "admissible", "steps": [[command, observation, reward, done, won, admissible], ...]}``; the commands
that were admissible before each step are kept in ``Step.info["admissible"]``.

A text log is anything else: a room, ``Your task is to: ...``, then ``> command`` and what the game answered, as in
Reflexion's trial logs (``#####`` between trials, ``STATUS: OK`` or ``FAIL`` at their ends; the example episodes before
``Here is the task`` are left out), or ``Act 1: ...`` and ``Obs 1: ...`` with a last line ``1 r 1 rs [...]``, as ReAct's
notebook prints. ``think: ...`` and its ``OK.`` become the thought of the next action. A log that does not say how a
trial ended gives the outcome ``running``.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from selfgym.envs.core import Outcome
from selfgym.memory.episode import Episode, Source, Step
from selfgym.memory.exchange.files import DamagedFileError, naming, read_json_lines, read_lines

ENV = "selfgym/AlfWorld-v0"

_TASK = re.compile(r"Your task is to: (.+?)\.?\s*$", re.MULTILINE)
_COMMAND = re.compile(r"(?:> ?|Act \d+: ?)(.*)")
_ANSWER = re.compile(r"Obs \d+: ?")
_ROOM = re.compile(r"-= Welcome to TextWorld|You are in the middle of a room\.")
_VERDICT = re.compile(r"STATUS: (OK|FAIL)|\d+ r (1|0)\b.* rs \[.*")
_NOTHING = "Nothing happens."


class _Recording(BaseModel):
    game: str
    intro: str
    admissible: list[str]
    steps: list[tuple[str, str, float, bool, bool, list[str]]]


def read(path: Path) -> Iterator[Episode]:
    """The episodes of a recording or a text log, in order."""
    if path.suffix == ".jsonl" or path.name.endswith(".jsonl.gz"):
        for where, data in read_json_lines(path):
            with naming(where, "an ALFWorld recording"):
                episode = _recorded(_Recording.model_validate(data), where)
            yield episode
        return
    found = False
    for episode in _logged(path):
        found = True
        yield episode
    if not found:
        raise DamagedFileError(f"{path}: there is no 'Your task is to: ...' in this log")


def _recorded(recording: _Recording, where: str) -> Episode:
    task = _TASK.search(recording.intro)
    if task is None:
        raise DamagedFileError(f"{where}: the intro has no 'Your task is to: ...'")
    steps, seen, admissible = [], recording.intro, recording.admissible
    for command, answer, reward, _, _, after in recording.steps:
        steps.append(
            Step(
                observation=seen,
                action=command,
                valid=answer != _NOTHING,
                reward=reward,
                source=Source.TEACHER,
                info={"admissible": admissible},
            )
        )
        seen, admissible = answer, after
    done, won = (recording.steps[-1][3], recording.steps[-1][4]) if recording.steps else (False, False)
    outcome = Outcome.SUCCESS if won else Outcome.TRUNCATED if done else Outcome.RUNNING
    return _episode(recording.game, task[1], tuple(steps), seen, outcome, {"task_id": recording.game})


def _logged(path: Path) -> Iterator[Episode]:
    """The trials of a text log: each begins at the room that is named just before a task."""
    trial: list[tuple[int, str]] = []
    examples = False
    for number, line in read_lines(path):
        text = line.strip()
        if text == "#####":
            yield from _trials(trial, path)
            trial, examples = [], False
        elif "Here are two examples" in text or "Here is an example" in text:
            examples = True
        elif "Here is the task" in text:
            trial, examples = [], False
        elif not examples:
            trial.append((number, text))
    yield from _trials(trial, path)


def _trials(lines: list[tuple[int, str]], path: Path) -> Iterator[Episode]:
    tasks = [at for at, (_, text) in enumerate(lines) if _TASK.search(text) and not _COMMAND.match(text)]
    starts = [_room_before(lines, at, floor) for at, floor in zip(tasks, [-1, *tasks], strict=False)]
    if not tasks and any("Assertion Error" in text for _, text in lines):
        yield _episode(f"{path.name}:{lines[0][0]}", "", (), "", Outcome.ENV_ERROR, {"error": "Assertion Error"})
    bounds = [*starts, len(lines)]
    for start, task, end in zip(starts, tasks, bounds[1:], strict=True):
        with naming(f"{path}, line {lines[start][0]}", "an ALFWorld log"):
            episode = _trial(lines[start : task + 1], lines[task + 1 : end], f"{path.name}:{lines[start][0]}")
        yield episode


def _room_before(lines: list[tuple[int, str]], task: int, floor: int) -> int:
    """Where the trial with this task begins: its intro is at most a few lines long, without a command in it."""
    start = task
    for at in range(task, floor, -1):
        if _COMMAND.match(lines[at][1]) or _ANSWER.match(lines[at][1]):
            break
        if _ROOM.search(lines[at][1]):
            start = at
    return start


def _trial(intro: list[tuple[int, str]], lines: list[tuple[int, str]], name: str) -> Episode:
    opening = "\n".join(text for _, text in intro)
    outcome, thoughts, steps, seen = Outcome.RUNNING, list[str](), list[Step](), opening
    turns: list[tuple[str, list[str]]] = []
    for _, text in lines:
        command, verdict = _COMMAND.fullmatch(text), _VERDICT.fullmatch(text)
        if verdict:
            outcome = Outcome.SUCCESS if "OK" in verdict.groups() or "1" in verdict.groups() else Outcome.FAILURE
            break
        if command:
            turns.append((command[1].strip(), []))
        elif turns:
            turns[-1][1].append(_ANSWER.sub("", text, count=1))
    for command_text, answers in turns:
        if command_text.startswith("think:"):
            thoughts.append(command_text.removeprefix("think:").strip())
            continue
        if not command_text and not answers:
            continue  # the prompt sign that waits for the next command
        answer = "\n".join(answers)
        thought, thoughts = "\n".join(thoughts), []
        steps.append(Step(observation=seen, action=command_text, thought=thought, valid=answer != _NOTHING))
        seen = answer
    if thoughts:
        steps.append(Step(observation=seen, action=f"think: {chr(10).join(thoughts)}", valid=False))
        seen = ""
    if outcome is Outcome.SUCCESS and steps:
        steps[-1] = steps[-1].model_copy(update={"reward": 1.0})
    task = _TASK.search(opening)
    assert task is not None
    return _episode(name, task[1], tuple(steps), seen, outcome, {})


def _episode(
    name: str, task: str, steps: tuple[Step, ...], last: str, outcome: Outcome, fields: dict[str, Any]
) -> Episode:
    told = "\0".join([task, *(text for step in steps for text in (step.action, step.observation))])
    digest = hashlib.blake2b(told.encode(), digest_size=6).hexdigest()
    return Episode(
        id=f"alfworld/{name}/{digest}",
        env=ENV,
        task=task,
        steps=steps,
        final_observation=last,
        outcome=outcome,
        **fields,
    )
