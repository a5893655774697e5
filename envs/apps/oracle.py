"""The oracle: for every task the code that an agent would write to do it, as a list of steps.

Three styles. ``plain``: the procedure step by step. ``skill``: the procedure as a function, which is defined and then
called; a later variant of the chain only calls it. ``careless``: everything that was asked for and something that was
not, which evaluation must catch.
"""

from __future__ import annotations

from textwrap import indent
from typing import Literal

from selfgym.envs.apps.scenarios.scenario import Scenario, Task

Style = Literal["plain", "skill", "careless"]
STYLES: tuple[Style, ...] = ("plain", "skill", "careless")

_SHORT = 6  # lines of a step; where parameters make the first one longer, they are a step of their own
_SLIPS = (
    'apis.notes.create(title="log", body="done")',
    'mail = apis.mail.search(page_limit=1)[0]\napis.mail.delete(mail_id=mail["id"])',
    'person = apis.contacts.search()[0]\napis.messages.send(phone=person["phone"], text="Done!")',
)


def steps(scenario: Scenario, task: Task, style: Style = "plain", defined: bool = False, slip: int = 0) -> list[str]:
    """The steps that do ``task``. ``defined``: the skill is there already. ``slip``: which careless act."""
    if style == "skill":
        call = f"{scenario.name}({', '.join(f'{name}={value!r}' for name, value in task.parameters.items())})"
        last = f"finish({call})" if task.answer is not None else f"{call}\nfinish()"
        return [last] if defined else [skill(scenario, task), last]
    given = [f"{name} = {value!r}" for name, value in task.parameters.items()]
    first, *others = scenario.procedure
    last = "finish(answer)" if task.answer is not None else "finish()"
    short = len(given) + first.count("\n") < _SHORT
    found = ["\n".join([*given, first]), *others] if short else ["\n".join(given), first, *others]
    if style == "careless":
        found.append(_SLIPS[slip % len(_SLIPS)])
    return [*found, last]


def skill(scenario: Scenario, task: Task) -> str:
    """The procedure as the source of a function of the task's parameters, called like the scenario."""
    lines = [line for piece in scenario.procedure for line in piece.splitlines() if not line.startswith("print(")]
    lines += ["return answer"] if task.answer is not None else []
    body = indent("\n".join(lines), "    ")
    return f"def {scenario.name}({', '.join(task.parameters)}):\n{body}"
