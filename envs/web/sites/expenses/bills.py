"""Tasks about the bills of a project: adding, changing and deleting them, and settling debts."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from selfgym.envs.web.sites.drafts import Draft, Kind, Row, State, one
from selfgym.envs.web.sites.person import Post

HOUSE, HOLIDAY = "elm-street", "lisbon-trip"
"""The two projects."""
PURCHASES = (
    "Garden hose",
    "Pizza delivery",
    "Printer paper",
    "Smoke detector",
    "Strawberry plants",
    "Window cleaner",
    "Spare keys",
    "Picnic blanket",
    "Washing powder",
    "Museum tickets",
)
"""What is bought anew."""


def members(state: State, project: str = HOUSE) -> list[Row]:
    """Those who still take part."""
    return [member for member in state["member"] if member["project"] == project and member["activated"]]


def project_name(state: State, project: str) -> str:
    """Its name, as a person reads it."""
    return str(one(state["project"], project=project)["name"])


def new_bill(
    project: str, what: str, amount: float, day: str, payer: str, owers: list[str], repayment: bool = False
) -> Row:
    """The row of a bill that is added."""
    kind = "REIMBURSEMENT" if repayment else "EXPENSE"
    fixed = {"type": kind, "link": "", "currency": "XXX", "archive": None}
    told = {"project": project, "what": what, "amount": amount, "date": day, "payer": payer}
    return {**told, "owers": ", ".join(owers), **fixed}


def some_amount(chance: random.Random) -> float:
    """An amount of money in cents."""
    return chance.randint(200, 19_900) / 100


def some_day(chance: random.Random) -> str:
    """A day in February 2026."""
    return str(date(2026, 2, 1) + timedelta(days=chance.randrange(28)))


def editable(state: State, chance: random.Random, **values: Any) -> Row:
    """A bill of which everybody concerned still takes part: the form offers nobody else."""
    there = {member["name"] for member in members(state)}
    fits = [
        bill
        for bill in state["bill"]
        if bill["project"] == HOUSE
        and {bill["payer"], *bill["owers"].split(", ")} <= there
        and all(bill[column] == value for column, value in values.items())
    ]
    return chance.choice(fits)


def numbers(state: State, project: str, names: list[str]) -> list[str]:
    """What the forms call these people."""
    return [str(one(state["member"], project=project, name=name)["_id"]) for name in names]


def send(state: State, bill: Row, number: int | None = None) -> Post:
    """The form of a bill, new where it has no number."""
    project = bill["project"]
    path = f"/{project}/add" if number is None else f"/{project}/edit/{number}"
    fields = {
        "date": bill["date"],
        "what": bill["what"],
        "payer": numbers(state, project, [bill["payer"]])[0],
        "amount": f"{bill['amount']:.2f}",
        "original_currency": bill["currency"],
        "external_link": bill["link"],
        "bill_type": bill["type"].capitalize(),
        "submit": "Submit",
    }
    owers = [("payed_for", owed) for owed in numbers(state, project, bill["owers"].split(", "))]
    return Post(path, path, (*fields.items(), *owers))


def _adding(project: str, repayment: bool = False, few: bool = False) -> Kind:
    def draw(state: State, chance: random.Random) -> Draft:
        people = [member["name"] for member in members(state, project)]
        payer, what = chance.choice(people), chance.choice(PURCHASES)
        others = [name for name in people if name != payer]
        if repayment:
            what, owers = "Paying back", [chance.choice(others)]
        else:
            some = chance.sample(people, 3) if few else people
            owers = [name for name in people if name in some]
        bill = new_bill(project, what, some_amount(chance), some_day(chance), payer, owers, repayment)
        who = f"for {listed(owers)} only" if len(owers) < len(people) else "for everybody"
        kind = "a bill of the type Reimbursement" if repayment else "a bill"
        goal = (
            f"In the project “{project_name(state, project)}”, add {kind}: “{what}”, {bill['amount']:.2f}, "
            f"on {bill['date']}, paid by {payer} {who}."
        )
        return Draft(goal, lambda wanted: wanted["bill"].append(bill), posts=[send(state, bill)])

    return draw


def listed(names: list[str]) -> str:
    """The names as in a sentence."""
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


Change = Callable[[State, Row, random.Random], tuple[str, dict[str, Any]]]
"""What to ask of a bill, and the columns that change."""


def _changing(change: Change, **values: Any) -> Kind:
    def draw(state: State, chance: random.Random) -> Draft:
        bill = editable(state, chance, **values)
        asked, columns = change(state, bill, chance)
        goal = f"In the project “{project_name(state, HOUSE)}”, {asked}"
        changed = {**bill, **columns}

        def edit(wanted: State) -> None:
            one(wanted["bill"], _id=bill["_id"]).update(columns)

        return Draft(goal, edit, posts=[send(state, changed, bill["_id"])])

    return draw


def _correct_amount(state: State, bill: Row, chance: random.Random) -> tuple[str, dict[str, Any]]:
    amount = some_amount(chance)
    return f"the bill “{bill['what']}” is wrong: it was {amount:.2f}. Correct its amount.", {"amount": amount}


def _raise_amount(state: State, bill: Row, chance: random.Random) -> tuple[str, dict[str, Any]]:
    more = chance.randint(2, 40)
    return (
        f"{more}.00 were forgotten in the bill “{bill['what']}”. Raise its amount by that much.",
        {"amount": round(bill["amount"] + more, 2)},
    )


def _correct_date(state: State, bill: Row, chance: random.Random) -> tuple[str, dict[str, Any]]:
    day = str(date.fromisoformat(bill["date"]) - timedelta(days=chance.randint(1, 20)))
    return f"the bill “{bill['what']}” was paid on {day}. Correct its date.", {"date": day}


def _correct_what(state: State, bill: Row, chance: random.Random) -> tuple[str, dict[str, Any]]:
    what = chance.choice(PURCHASES)
    asked = f"the bill of {bill['date']} called “{bill['what']}” was really for “{what}”. Rename it to exactly that."
    return asked, {"what": what}


def _correct_payer(state: State, bill: Row, chance: random.Random) -> tuple[str, dict[str, Any]]:
    payer = chance.choice([member["name"] for member in members(state) if member["name"] != bill["payer"]])
    return f"it was {payer} who paid the bill “{bill['what']}”. Correct that.", {"payer": payer}


def _leave_out(state: State, bill: Row, chance: random.Random) -> tuple[str, dict[str, Any]]:
    owers = bill["owers"].split(", ")
    if len(owers) == 1:
        return _bring_in(state, bill, chance)
    out = chance.choice(owers)
    left = ", ".join(name for name in owers if name != out)
    return f"{out} had no part in the bill “{bill['what']}”. Leave {out} out of it.", {"owers": left}


def _bring_in(state: State, bill: Row, chance: random.Random) -> tuple[str, dict[str, Any]]:
    owers, people = bill["owers"].split(", "), [member["name"] for member in members(state)]
    new = chance.choice([name for name in people if name not in owers])
    all_of_them = ", ".join(name for name in people if name in owers or name == new)
    return f"the bill “{bill['what']}” was also for {new}. Add {new} to it.", {"owers": all_of_them}


def _link(state: State, bill: Row, chance: random.Random) -> tuple[str, dict[str, Any]]:
    link = f"https://receipts.example/{chance.randint(1000, 9999)}"
    return f"give the bill “{bill['what']}” the external link {link}", {"link": link}


def _to_repayment(state: State, bill: Row, chance: random.Random) -> tuple[str, dict[str, Any]]:
    asked = f"the bill “{bill['what']}” was no expense but a reimbursement. Change its type."
    return asked, {"type": "REIMBURSEMENT"}


def _delete(state: State, chance: random.Random) -> Draft:
    bill = editable(state, chance)
    goal = f"In the project “{project_name(state, HOUSE)}”, delete the bill “{bill['what']}” of {bill['date']}."
    return Draft(
        goal,
        lambda wanted: wanted["bill"].remove(one(wanted["bill"], _id=bill["_id"])),
        posts=[Post(f"/{HOUSE}/", f"/{HOUSE}/delete/{bill['_id']}")],
    )


def _delete_latest(state: State, chance: random.Random) -> Draft:
    payer = chance.choice([member["name"] for member in members(state)][:6])
    bill = max((bill for bill in state["bill"] if bill["payer"] == payer and bill["project"] == HOUSE), key=when)
    goal = f"In the project “{project_name(state, HOUSE)}”, delete the latest bill that {payer} paid."
    return Draft(
        goal,
        lambda wanted: wanted["bill"].remove(one(wanted["bill"], _id=bill["_id"])),
        posts=[Post(f"/{HOUSE}/", f"/{HOUSE}/delete/{bill['_id']}")],
    )


def when(bill: Row) -> tuple[str, int]:
    """By what bills are put in order."""
    return bill["date"], bill["_id"]


def _settle(state: State, chance: random.Random) -> Draft:
    project = chance.choice([HOUSE, HOLIDAY])
    due = chance.choice([row for row in state["settlement"] if row["project"] == project])
    bill = new_bill(project, "Settlement", due["amount"], "2026-03-02", due["payer"], [due["receiver"]], True)
    sender, receiver = numbers(state, project, [due["payer"], due["receiver"]])
    goal = (
        f"In the project “{project_name(state, project)}”, {due['payer']} has paid {due['receiver']} what the page "
        "Settle proposes. Register this settlement there, and no other."
    )
    fields = (("amount", str(due["amount"])), ("sender_id", sender), ("receiver_id", receiver))
    return Draft(
        goal,
        lambda wanted: wanted["bill"].append(bill),
        posts=[Post(f"/{project}/settle_bills", f"/{project}/settle", fields)],
    )


KINDS: dict[str, Kind] = {
    "add-bill": _adding(HOUSE),
    "add-bill-for-some": _adding(HOUSE, few=True),
    "add-bill-to-holiday": _adding(HOLIDAY, few=True),
    "add-reimbursement": _adding(HOUSE, repayment=True),
    "change-amount": _changing(_correct_amount),
    "raise-amount": _changing(_raise_amount),
    "change-date": _changing(_correct_date),
    "rename-bill": _changing(_correct_what),
    "change-payer": _changing(_correct_payer),
    "leave-somebody-out": _changing(_leave_out),
    "bring-somebody-in": _changing(_bring_in),
    "link-receipt": _changing(_link),
    "make-reimbursement": _changing(_to_repayment, type="EXPENSE"),
    "delete-bill": _delete,
    "delete-latest-bill": _delete_latest,
    "register-settlement": _settle,
}
"""The kinds of task about bills."""
