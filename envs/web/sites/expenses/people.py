"""Tasks about the people of a project and its settings."""

from __future__ import annotations

import random
from typing import Any

from selfgym.envs.web.sites.drafts import Draft, Kind, Row, State, one
from selfgym.envs.web.sites.expenses.bills import HOLIDAY, HOUSE, members, project_name
from selfgym.envs.web.sites.person import Post

NEWCOMERS = ("Jonas", "Keiko", "Lena", "Mateo", "Nadia", "Olga", "Pawel", "Rosa")
"""Names that nobody has yet."""
_WEIGHTS = (0.5, 2.5, 3.0, 1.25, 1.75)
_CODES = {HOUSE: "sunflower", HOLIDAY: "azulejo"}


def _add(weighted: bool) -> Kind:
    def draw(state: State, chance: random.Random) -> Draft:
        project, name = chance.choice([HOUSE, HOLIDAY]), chance.choice(NEWCOMERS)
        weight = chance.choice(_WEIGHTS) if weighted else 1.0
        member = {"project": project, "name": name, "weight": weight, "activated": 1}
        goal = f"Add {name} to the project “{project_name(state, project)}”"
        goal += f" and give {name} the weight {weight:g}." if weighted else "."
        posts = [member_form(f"/{project}/members/add", name, weight)]
        return Draft(goal, lambda wanted: wanted["member"].append(member), posts=posts)

    return draw


def member_form(path: str, name: str, weight: float) -> Post:
    """The form of a person."""
    return Post(path, path, (("name", name), ("weight", f"{weight:g}"), ("submit", "Add")))


def _rename(state: State, chance: random.Random) -> Draft:
    member, name = chance.choice(members(state)), chance.choice(NEWCOMERS)

    def edit(wanted: State) -> None:
        one(wanted["member"], _id=member["_id"])["name"] = name
        for bill in wanted["bill"]:
            if bill["project"] == HOUSE:
                owers = [name if owed == member["name"] else owed for owed in bill["owers"].split(", ")]
                bill.update(owers=", ".join(owers), payer=name if bill["payer"] == member["name"] else bill["payer"])

    path = f"/{HOUSE}/members/{member['_id']}/edit"
    goal = f"In the project “{project_name(state, HOUSE)}”, change the name of {member['name']} to {name}."
    return Draft(goal, edit, posts=[member_form(path, name, member["weight"])])


def _weigh(state: State, chance: random.Random) -> Draft:
    member = chance.choice(members(state))
    weight = chance.choice([weight for weight in _WEIGHTS if weight != member["weight"]])
    path = f"/{HOUSE}/members/{member['_id']}/edit"
    return Draft(
        f"In the project “{project_name(state, HOUSE)}”, {member['name']} should count with a weight of {weight:g}.",
        lambda wanted: one(wanted["member"], _id=member["_id"]).update(weight=weight),
        posts=[member_form(path, member["name"], weight)],
    )


def _deactivate(state: State, chance: random.Random) -> Draft:
    project = chance.choice([HOUSE, HOLIDAY])
    member = chance.choice(_with_bills(state, project))
    return Draft(
        f"{member['name']} no longer takes part in the project “{project_name(state, project)}”: deactivate them.",
        lambda wanted: one(wanted["member"], _id=member["_id"]).update(activated=0),
        posts=[Post(f"/{project}/", f"/{project}/members/{member['_id']}/delete")],
    )


def _remove(state: State, chance: random.Random) -> Draft:
    project = chance.choice([HOUSE, HOLIDAY])
    busy = [member["_id"] for member in _with_bills(state, project)]
    member = chance.choice([member for member in members(state, project) if member["_id"] not in busy])
    return Draft(
        f"{member['name']} is not coming after all: remove them from the project “{project_name(state, project)}”.",
        lambda wanted: wanted["member"].remove(one(wanted["member"], _id=member["_id"])),
        posts=[Post(f"/{project}/", f"/{project}/members/{member['_id']}/delete")],
    )


def _with_bills(state: State, project: str) -> list[Row]:
    bills = [bill for bill in state["bill"] if bill["project"] == project]
    busy = {name for bill in bills for name in (bill["payer"], *bill["owers"].split(", "))}
    return [member for member in members(state, project) if member["name"] in busy]


def _reactivate(state: State, chance: random.Random) -> Draft:
    member = chance.choice([member for member in state["member"] if not member["activated"]])
    project = member["project"]
    return Draft(
        f"{member['name']} is back in the project “{project_name(state, project)}”: make them take part again.",
        lambda wanted: one(wanted["member"], _id=member["_id"]).update(activated=1),
        posts=[Post(f"/{project}/", f"/{project}/members/{member['_id']}/reactivate")],
    )


def _setting(project: Row, goal: str, **columns: Any) -> Draft:
    """The form of the project's settings with some of them changed."""
    changed = {**project, **columns}
    fields = [("name", changed["name"]), ("current_password", _CODES[project["project"]]), ("password", "")]
    fields += [("contact_email", changed["email"]), ("default_currency", changed["currency"])]
    fields += [("project_history", "y")] if changed["logged"] else []
    path, code = f"/{project['project']}/edit", _CODES[project["project"]]
    return Draft(
        f"In the settings of the project “{project['name']}”, {goal} (Its private code is {code}.)",
        lambda wanted: one(wanted["project"], project=project["project"]).update(columns),
        posts=[Post(path, path, tuple(fields))],
    )


def _name_project(state: State, chance: random.Random) -> Draft:
    name = " ".join(
        [chance.choice(["Our", "The", "Happy", "Shared"]), chance.choice(["house", "kitty", "purse", "nest"])]
    )
    return _setting(chance.choice(state["project"]), f"change the project's name to “{name}”.", name=name)


def _mail(state: State, chance: random.Random) -> Draft:
    email = f"{chance.choice(NEWCOMERS).lower()}{chance.randint(1, 99)}@example.org"
    return _setting(chance.choice(state["project"]), f"change the email to {email}.", email=email)


def _no_history(state: State, chance: random.Random) -> Draft:
    return _setting(chance.choice(state["project"]), "turn the project history off.", logged=0)


def _erase_history(state: State, chance: random.Random) -> Draft:
    project = chance.choice(state["project"])
    path, code = f"/{project['project']}", _CODES[project["project"]]
    return Draft(
        f"Delete the recorded history of the project “{project['name']}”. Its private code is {code}.",
        lambda wanted: one(wanted["project"], project=project["project"]).update(history=0),
        posts=[Post(f"{path}/history", f"{path}/erase_history", (("password", code),))],
    )


KINDS: dict[str, Kind] = {
    "add-member": _add(weighted=False),
    "add-weighted-member": _add(weighted=True),
    "rename-member": _rename,
    "change-weight": _weigh,
    "deactivate-member": _deactivate,
    "remove-member": _remove,
    "reactivate-member": _reactivate,
    "rename-project": _name_project,
    "change-email": _mail,
    "stop-history": _no_history,
    "erase-history": _erase_history,
}
"""The kinds of task about people and settings."""
