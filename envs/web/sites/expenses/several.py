"""Tasks of several steps: something has to be worked out first, or more than one thing done."""

from __future__ import annotations

import random
from datetime import date

from selfgym.envs.web.sites.drafts import Draft, Kind, State, one
from selfgym.envs.web.sites.expenses.bills import (
    HOLIDAY,
    HOUSE,
    PURCHASES,
    editable,
    listed,
    members,
    new_bill,
    numbers,
    project_name,
    send,
    some_amount,
    some_day,
)
from selfgym.envs.web.sites.expenses.people import NEWCOMERS, member_form
from selfgym.envs.web.sites.expenses.questions import shares
from selfgym.envs.web.sites.person import Post


def _delete_dearest(state: State, chance: random.Random) -> Draft:
    rows = [bill for bill in state["bill"] if bill["project"] == HOUSE]
    month = chance.choice(sorted({bill["date"][:7] for bill in rows}))
    bill = max((bill for bill in rows if bill["date"].startswith(month)), key=lambda bill: bill["amount"])
    told = f"{date.fromisoformat(bill['date']):%B %Y}"
    return Draft(
        f"In the project “{project_name(state, HOUSE)}”, delete the most expensive bill of {told}.",
        lambda wanted: wanted["bill"].remove(bill),
        posts=[Post(f"/{HOUSE}/", f"/{HOUSE}/delete/{bill['_id']}")],
    )


def _two_bills(state: State, chance: random.Random) -> Draft:
    people = [member["name"] for member in members(state)]
    bills = [
        new_bill(HOUSE, what, some_amount(chance), some_day(chance), chance.choice(people), people)
        for what in chance.sample(PURCHASES, 2)
    ]
    told = [f"“{bill['what']}”, {bill['amount']:.2f}, on {bill['date']}, paid by {bill['payer']}" for bill in bills]
    return Draft(
        f"In the project “{project_name(state, HOUSE)}”, add two bills, both for everybody: {'; and '.join(told)}.",
        lambda wanted: wanted["bill"].extend(bills),
        posts=[send(state, bill) for bill in bills],
    )


def _correct_two(state: State, chance: random.Random) -> Draft:
    bill, amount = editable(state, chance), some_amount(chance)
    payer = chance.choice([member["name"] for member in members(state) if member["name"] != bill["payer"]])
    return Draft(
        f"In the project “{project_name(state, HOUSE)}”, the bill “{bill['what']}” should be {amount:.2f}, "
        f"and it was paid by {payer}. Correct both.",
        lambda wanted: one(wanted["bill"], _id=bill["_id"]).update(amount=amount, payer=payer),
        posts=[send(state, {**bill, "amount": amount, "payer": payer}, bill["_id"])],
    )


def _replace(state: State, chance: random.Random) -> Draft:
    people = [member["name"] for member in members(state)]
    bill = editable(state, chance)
    owers = bill["owers"].split(", ")
    out, new = chance.choice(owers), chance.choice([name for name in people if name not in owers])
    left = ", ".join(name for name in people if name == new or (name in owers and name != out))
    return Draft(
        f"In the project “{project_name(state, HOUSE)}”, the bill “{bill['what']}” was not for {out} but for {new}. "
        f"Put {new} in the place of {out}.",
        lambda wanted: one(wanted["bill"], _id=bill["_id"]).update(owers=left),
        posts=[send(state, {**bill, "owers": left}, bill["_id"])],
    )


def _repay_share(state: State, chance: random.Random) -> Draft:
    fits = []
    for bill in (bill for bill in state["bill"] if bill["project"] == HOLIDAY and ", " in bill["owers"]):
        for name, share in shares(state, bill).items():
            exact = abs(share * 100 - round(share * 100)) < 1e-6
            if exact and name != bill["payer"] and one(state["member"], project=HOLIDAY, name=name)["activated"]:
                fits.append((bill, name, round(share, 2)))
    bill, name, share = chance.choice(fits)
    day = some_day(chance)
    back = new_bill(HOLIDAY, f"Share of {name}", share, day, name, [bill["payer"]], repayment=True)
    return Draft(
        f"In the project “{project_name(state, HOLIDAY)}”, {name} has paid {bill['payer']} back exactly {name}'s share "
        f"of the bill “{bill['what']}”. Add this as a bill of the type Reimbursement: “{back['what']}”, on {day}, "
        f"paid by {name} for {bill['payer']} only.",
        lambda wanted: wanted["bill"].append(back),
        posts=[send(state, back)],
    )


def _newcomer_shares(state: State, chance: random.Random) -> Draft:
    name, bill = chance.choice(NEWCOMERS), editable(state, chance)
    number = 1 + max(member["_id"] for member in state["member"])
    member = {"project": HOUSE, "name": name, "weight": 1.0, "activated": 1}
    owers = ", ".join([*bill["owers"].split(", "), name])
    there = {**state, "member": [*state["member"], {**member, "_id": number}]}

    def edit(wanted: State) -> None:
        wanted["member"].append(member)
        one(wanted["bill"], _id=bill["_id"])["owers"] = owers

    changed = {**bill, "owers": owers}
    return Draft(
        f"Add {name} to the project “{project_name(state, HOUSE)}”, and then to those for whom the bill "
        f"“{bill['what']}” was.",
        edit,
        posts=[member_form(f"/{HOUSE}/members/add", name, 1.0), send(there, changed, bill["_id"])],
    )


def _two_weights(state: State, chance: random.Random) -> Draft:
    first, second = chance.sample(members(state), 2)
    weight = chance.choice([0.5, 2.5, 3.0])

    def edit(wanted: State) -> None:
        for member in (first, second):
            one(wanted["member"], _id=member["_id"])["weight"] = weight

    names = [member["name"] for member in (first, second)]
    pages = [f"/{HOUSE}/members/{number}/edit" for number in numbers(state, HOUSE, names)]
    return Draft(
        f"In the project “{project_name(state, HOUSE)}”, {listed(names)} should each have the weight {weight:g}.",
        edit,
        posts=[member_form(page, name, weight) for page, name in zip(pages, names, strict=True)],
    )


KINDS: dict[str, Kind] = {
    "delete-dearest-bill": _delete_dearest,
    "add-two-bills": _two_bills,
    "correct-amount-and-payer": _correct_two,
    "replace-somebody": _replace,
    "repay-share": _repay_share,
    "newcomer-shares": _newcomer_shares,
    "change-two-weights": _two_weights,
}
"""The kinds of task of several steps."""
