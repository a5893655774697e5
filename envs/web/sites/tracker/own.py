"""Tasks about one's own account, saved searches, and keywords."""

from __future__ import annotations

import json
import random
from typing import Any
from urllib.parse import parse_qs, urlencode

from selfgym.envs.web.sites.drafts import Draft, Kind, Row, State, one
from selfgym.envs.web.sites.person import Post
from selfgym.envs.web.sites.tracker.issues import ME, STATUSES, people, real_name

_COMPANIES = ("Paperlight", "Inkwell Labs", "Northern Pages", "Folio House", "Quarto Press")
_WORDS = ("audio", "comics", "translation", "printing", "privacy", "tablets", "performance", "themes")
_NAMES = ("Monday list", "For the meeting", "To look at", "Before the release", "Ask about these", "Weekly round")


def filters(url: str) -> str:
    """What a saved search looks for, whatever columns and order it shows."""
    asked = parse_qs(url, keep_blank_values=False)
    names = ",".join(asked.get("@filter", [])).split(",")
    wanted = {name: sorted(",".join(asked[name]).split(",")) for name in names if name in asked}
    if "@search_text" in asked:
        wanted["@search_text"] = asked["@search_text"]
    return json.dumps(wanted, sort_keys=True)


def _account(state: State, goal: str, **values: Any) -> Draft:
    me = one(state["user"], username=ME)
    columns = {"organisation": "organisation", "phone": "phone", "timezone": "timezone", "address": "address"}
    columns |= {"alternates": "alternate_addresses", "name": "realname"}
    fields = [(columns[column], str(value)) for column, value in values.items()]
    always = [("@template", "item"), ("@required", "username,address"), ("@action", "edit")]
    always += [("username", ME), ("address", me["address"])] if "address" not in values else [("username", ME)]
    page = f"/user{me['_id']}"
    return Draft(
        goal,
        lambda wanted: one(wanted["user"], username=ME).update(values),
        posts=[Post(page, page, (*fields, *always))],
    )


def _phone(state: State, chance: random.Random) -> Draft:
    phone = f"555-{chance.randint(2000, 9999)}"
    return _account(state, f"Your phone number has changed. Enter {phone} in your details.", phone=phone)


def _company(state: State, chance: random.Random) -> Draft:
    company = chance.choice(_COMPANIES)
    return _account(state, f"You work for {company} now: enter it as your organisation.", organisation=company)


def _address(state: State, chance: random.Random) -> Draft:
    address = f"robin.hale{chance.randint(10, 99)}@{chance.choice(('lantern.test', 'mail.test'))}"
    return _account(state, f"Change your e-mail address in the tracker to {address}.", address=address)


def _alternate(state: State, chance: random.Random) -> Draft:
    address = f"robin{chance.randint(100, 999)}@home.test"
    return _account(state, f"Add {address} as an alternate e-mail address of yours.", alternates=address)


def _timezone(state: State, chance: random.Random) -> Draft:
    zone = chance.choice([str(hours) for hours in range(-9, 13) if hours])
    return _account(state, f"Set the timezone in your details to {zone} (hours from UTC).", timezone=zone)


def _saved(state: State, name: str, wanted: dict[str, Row]) -> Draft:
    """A saved search that looks for these rows of priority, status, keyword or user."""
    numbers = {field: str(row["_id"]) for field, row in wanted.items()}
    looks = json.dumps({field: [number] for field, number in numbers.items()}, sort_keys=True)
    query = {"class": "issue", "name": name, "filters": looks, "owner": ME, "creator": ME, "retired": 0}

    def edit(state: State) -> None:
        state["query"].append(query)
        one(state["user"], username=ME)["queries"] = name

    said = {field: row.get("username") or row["name"] for field, row in wanted.items()}
    labels = {"assignedto": "assigned to", "status": "status", "priority": "priority", "keyword": "keyword"}
    goal = f"Save a search called “{name}” that finds the issues with "
    goal += " and ".join(f"{labels[field]} “{value}”" for field, value in said.items())
    fields = [*numbers.items(), ("@action", "search"), ("@queryname", name), ("@old-queryname", "")]
    fields += [("@columns", "id,activity,title,status"), ("@sort", "activity"), ("@pagesize", "50")]
    return Draft(f"{goal}, and nothing else to filter on.", edit, posts=[Post(f"/issue?{urlencode(fields)}")])


def _query_status(state: State, chance: random.Random) -> Draft:
    wanted = {"status": one(state["status"], name=chance.choice(STATUSES)), "keyword": chance.choice(state["keyword"])}
    return _saved(state, chance.choice(_NAMES), wanted)


def _query_person(state: State, chance: random.Random) -> Draft:
    who = one(state["user"], username=chance.choice(people(state, ME)))
    return _saved(state, chance.choice(_NAMES), {"priority": chance.choice(state["priority"]), "assignedto": who})


def _new_keyword(state: State, chance: random.Random) -> Draft:
    word = chance.choice(_WORDS)
    fields = (("name", word), ("@required", "name"), ("@template", "item"), ("@action", "new"))
    return Draft(
        f"Create the keyword “{word}”.",
        lambda wanted: wanted["keyword"].append({"name": word, "retired": 0}),
        posts=[Post("/keyword?@template=item", "/keyword", fields)],
    )


def _rename_keyword(state: State, chance: random.Random) -> Draft:
    old, new = chance.choice(state["keyword"]), chance.choice(_WORDS)

    def edit(wanted: State) -> None:
        one(wanted["keyword"], _id=old["_id"])["name"] = new
        for row in wanted["issue"]:
            words = [new if word == old["name"] else word for word in row["keywords"].split(", ")]
            row["keywords"] = ", ".join(sorted(words))

    fields = (("name", new), ("@required", "name"), ("@template", "item"), ("@action", "edit"))
    page = f"/keyword{old['_id']}"
    return Draft(f"Rename the keyword “{old['name']}” to “{new}”.", edit, posts=[Post(page, page, fields)])


def _introduce(state: State, chance: random.Random) -> Draft:
    """Two fields, one of which is a colleague's and has to be looked up."""
    who = chance.choice([name for name in people(state, ME) if one(state["user"], username=name)["phone"]])
    phone = one(state["user"], username=who)["phone"]
    goal = f"From today on you share the telephone of {real_name(state, who)}: enter the same number in your details."
    return _account(state, goal, phone=phone)


KINDS: dict[str, Kind] = {
    "phone": _phone,
    "shared-phone": _introduce,
    "organisation": _company,
    "address": _address,
    "alternate-address": _alternate,
    "timezone": _timezone,
    "query-status": _query_status,
    "query-person": _query_person,
    "new-keyword": _new_keyword,
    "rename-keyword": _rename_keyword,
}
"""By name."""
