"""Questions about who paid, owes and spent what."""

from __future__ import annotations

import random
from collections import defaultdict
from datetime import date

from selfgym.envs.web.sites.answers import Number, Text
from selfgym.envs.web.sites.drafts import Draft, Kind, Row, State
from selfgym.envs.web.sites.expenses.bills import HOLIDAY, HOUSE, members, project_name

_CENT = 0.0101
"""Amounts may be rounded either way."""


def _bills(state: State, project: str, expenses: bool = False) -> list[Row]:
    return [
        bill for bill in state["bill"] if bill["project"] == project and (bill["type"] == "EXPENSE" or not expenses)
    ]


def shares(state: State, bill: Row) -> dict[str, float]:
    """What each of those concerned owes of a bill."""
    weights = {member["name"]: member["weight"] for member in state["member"] if member["project"] == bill["project"]}
    owers = bill["owers"].split(", ")
    return {name: bill["amount"] * weights[name] / sum(weights[ower] for ower in owers) for name in owers}


def balances(state: State, project: str) -> dict[str, float]:
    """What each person is owed; less than nothing where they owe."""
    found: dict[str, float] = defaultdict(float)
    for bill in _bills(state, project):
        found[bill["payer"]] += bill["amount"]
        for name, share in shares(state, bill).items():
            found[name] -= share
    return found


def _where(state: State, chance: random.Random) -> tuple[str, str]:
    project = chance.choice([HOUSE, HOLIDAY])
    return project, f"In the project “{project_name(state, project)}”, "


def _living(state: State, project: str, chance: random.Random) -> str:
    """Somebody who has bills."""
    there = {member["name"] for member in members(state, project)}
    return str(chance.choice(sorted(there & {bill["payer"] for bill in _bills(state, project)})))


def _months(state: State) -> list[str]:
    return sorted({bill["date"][:7] for bill in _bills(state, HOUSE)})


def _month(month: str) -> str:
    return f"{date.fromisoformat(f'{month}-01'):%B %Y}"


def _balance(state: State, chance: random.Random) -> Draft:
    project, where = _where(state, chance)
    name, found = _living(state, project, chance), balances(state, project)
    asked = f"what amount is {name}'s balance (how much {name} owes or is owed)?"
    return Draft(where + asked, answer=Number(found[name], _CENT))


def _debtor(state: State, chance: random.Random) -> Draft:
    project, where = _where(state, chance)
    found = balances(state, project)
    if chance.random() < 0.5:
        return Draft(f"{where}who owes the most, all in all?", answer=Text(min(found, key=lambda name: found[name])))
    return Draft(f"{where}who is owed the most, all in all?", answer=Text(max(found, key=lambda name: found[name])))


def _month_total(state: State, chance: random.Random) -> Draft:
    month = chance.choice(_months(state))
    total = sum(bill["amount"] for bill in _bills(state, HOUSE, expenses=True) if bill["date"].startswith(month))
    goal = f"How much were the expenses of the project “{project_name(state, HOUSE)}” in {_month(month)}?"
    return Draft(f"{goal} (Reimbursements are no expenses.)", answer=Number(total, _CENT))


def _paid(state: State, chance: random.Random) -> Draft:
    project, where = _where(state, chance)
    name = _living(state, project, chance)
    total = sum(bill["amount"] for bill in _bills(state, project, expenses=True) if bill["payer"] == name)
    return Draft(f"{where}how much has {name} paid for expenses (no reimbursements)?", answer=Number(total, _CENT))


def _spent(state: State, chance: random.Random) -> Draft:
    project, where = _where(state, chance)
    name = _living(state, project, chance)
    total = sum(shares(state, bill).get(name, 0.0) for bill in _bills(state, project, expenses=True))
    asked = f"how high are {name}'s own expenses, that is {name}'s share of all bills (no reimbursements)?"
    return Draft(where + asked, answer=Number(total, _CENT))


def _dearest(state: State, chance: random.Random) -> Draft:
    month = chance.choice(_months(state))
    rows = [bill for bill in _bills(state, HOUSE) if bill["date"].startswith(month)]
    goal = f"Which was the most expensive bill of {_month(month)} in the project “{project_name(state, HOUSE)}”?"
    return Draft(f"{goal} Give what it was for.", answer=Text(max(rows, key=lambda bill: bill["amount"])["what"]))


def _cheapest(state: State, chance: random.Random) -> Draft:
    project, where = _where(state, chance)
    payer = _living(state, project, chance)
    rows = [bill for bill in _bills(state, project) if bill["payer"] == payer]
    least = min(rows, key=lambda bill: bill["amount"])
    return Draft(
        f"{where}what was the cheapest bill for that {payer} paid? Give what it was for.", answer=Text(least["what"])
    )


def _count_paid(state: State, chance: random.Random) -> Draft:
    project, where = _where(state, chance)
    payer = _living(state, project, chance)
    count = sum(bill["payer"] == payer for bill in _bills(state, project))
    return Draft(f"{where}how many bills did {payer} pay, reimbursements included?", answer=Number(count))


def _count_concerned(state: State, chance: random.Random) -> Draft:
    month = chance.choice(_months(state))
    name = _living(state, HOUSE, chance)
    rows = [bill for bill in _bills(state, HOUSE) if bill["date"].startswith(month)]
    count = sum(name in bill["owers"].split(", ") for bill in rows)
    goal = (
        f"In the project “{project_name(state, HOUSE)}”, how many of the bills dated in {_month(month)} were for {name}"
    )
    return Draft(f"{goal} (alone or among others)?", answer=Number(count))


def _who_paid(state: State, chance: random.Random) -> Draft:
    project, where = _where(state, chance)
    bill = chance.choice(_bills(state, project))
    return Draft(f"{where}who paid the bill “{bill['what']}”?", answer=Text(bill["payer"]))


def _share(state: State, chance: random.Random) -> Draft:
    project, where = _where(state, chance)
    bill = chance.choice([bill for bill in _bills(state, project) if ", " in bill["owers"]])
    name, share = chance.choice(sorted(shares(state, bill).items()))
    asked = f"what is {name}'s share of the bill “{bill['what']}”? Mind the weights."
    return Draft(where + asked, answer=Number(share, _CENT))


def _transfer(state: State, chance: random.Random) -> Draft:
    project, where = _where(state, chance)
    due = chance.choice([row for row in state["settlement"] if row["project"] == project])
    asked = f"how much should {due['payer']} pay to {due['receiver']} to settle, as the site proposes?"
    return Draft(where + asked, answer=Number(due["amount"], _CENT))


def _day(state: State, chance: random.Random) -> Draft:
    project, where = _where(state, chance)
    bill = chance.choice(_bills(state, project))
    day = date.fromisoformat(bill["date"])
    also = (f"{day:%B} {day.day}, {day.year}", f"{day.day} {day:%B} {day.year}")
    asked = f"what is the date of the bill “{bill['what']}”? Answer as in 2026-01-31."
    return Draft(where + asked, answer=Text(bill["date"], also))


KINDS: dict[str, Kind] = {
    "ask-balance": _balance,
    "ask-debtor": _debtor,
    "ask-month-total": _month_total,
    "ask-paid": _paid,
    "ask-spent": _spent,
    "ask-dearest-bill": _dearest,
    "ask-cheapest-bill": _cheapest,
    "ask-bills-paid": _count_paid,
    "ask-bills-for": _count_concerned,
    "ask-payer": _who_paid,
    "ask-share": _share,
    "ask-transfer": _transfer,
    "ask-date": _day,
}
"""The kinds of question."""
