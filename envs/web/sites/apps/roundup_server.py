"""The issue tracker Roundup for ``serving.py``: its classic template, the data of ``roundup_seed.py``."""

from __future__ import annotations

import importlib
import random
import shutil
import sys
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

STATIC = ("/@@file/",)
USER = "robin"
"""Who is logged in."""

_CONFIG = """\
[main]
admin_email = admin@lantern.test
dispatcher_email = admin@lantern.test
email_registration_confirmation = no
[web]
use_tokenless_csrf_protection = yes
http_auth = yes
[tracker]
name = Lantern
web = http://tracker.test/
email = tracker@lantern.test
timezone = UTC
[mail]
domain = lantern.test
host = localhost
debug = /dev/null
[rdbms]
backend = sqlite
[sessiondb]
backend = sqlite
"""


def prepare(folder: Path, clock: Callable[[datetime], None]) -> None:
    """Lay out a tracker with its issues."""
    home = folder / "home"
    shutil.copytree(Path(sys.prefix) / "share/roundup/templates/classic", home)
    (home / "config.ini").write_text(_CONFIG)
    (folder / "data").mkdir()
    tracker = _tracker(home, folder / "data")
    clock(datetime(2026, 1, 1, 9, tzinfo=UTC))
    password = importlib.import_module("roundup.password").Password
    tracker.init(password("Lantern-2026", config=tracker.config), tx_Source="cli")
    db = tracker.open("admin")
    _people(db, importlib.import_module("roundup_seed"), password)
    _issues(db, importlib.import_module("roundup_seed"), clock)
    db.commit()
    db.close()


def application(folder: Path, data: Path) -> Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]:
    """The WSGI application."""
    dispatcher = importlib.import_module("roundup.cgi.wsgi_handler").RequestDispatcher(str(folder / "home"))
    dispatcher.tracker = _tracker(folder / "home", data)
    client: Any = importlib.import_module("roundup.cgi.client")
    client.seed_pseudorandom = lambda: None  # chance is the server's

    def answer(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        dispatcher.tracker.config["TRACKER_WEB"] = f"http://{environ.get('HTTP_HOST', 'tracker.test')}/"
        environ["REMOTE_USER"] = USER
        answered: Iterable[bytes] = dispatcher(environ, start)
        return answered

    return answer


def release() -> None:
    """Nothing is open between two requests."""


def _tracker(home: Path, data: Path) -> Any:
    tracker = importlib.import_module("roundup.instance").open(str(home), True)
    tracker.config["DATABASE"] = str(data)
    return tracker


def _people(db: Any, seed: Any, password: Any) -> None:
    for username, realname, organisation, phone in seed.PEOPLE:
        db.user.create(
            username=username,
            realname=realname,
            address=f"{username}@lantern.test",
            organisation=organisation,
            phone=phone,
            roles="User",
            timezone="UTC",
            password=password(f"{username}-2026", config=db.config),
        )
    for name in seed.KEYWORDS:
        db.keyword.create(name=name)


def _issues(db: Any, seed: Any, clock: Callable[[datetime], None]) -> None:
    """Issues come in one after the other; what happens to them comes a day or more later, in the order of time."""
    chance = random.Random(2026)
    names = [person[0] for person in seed.PEOPLE]
    start = datetime(2026, 1, 5, 8, tzinfo=UTC)
    later: list[tuple[datetime, str, str, dict[str, Any]]] = []
    for number, (title, keywords, report) in enumerate(seed.ISSUES):
        moment = start + timedelta(hours=18 * number, minutes=chance.randrange(600))
        reporter = chance.choice(names)
        clock(moment)
        db.setCurrentUser(reporter)
        message = _message(db, reporter, report)
        issue = db.issue.create(
            title=title,
            messages=[message],
            keyword=[db.keyword.lookup(name) for name in keywords],
            priority=db.priority.lookup(chance.choices(seed.PRIORITIES, seed.PRIORITY_WEIGHTS)[0]),
            nosy=[db.user.lookup(name) for name in chance.sample(names, chance.choice((0, 0, 1, 2)))],
        )
        later += _history(issue, moment, chance, seed, [name for name in names if name != reporter])
    for moment, who, issue, values in sorted(later, key=lambda entry: entry[0]):
        clock(moment)
        db.setCurrentUser(who)
        if "note" in values:
            note = _message(db, who, values["note"])
            values = {"messages": [*db.issue.get(issue, "messages"), note], "status": db.issue.get(issue, "status")}
        if "status" in values and not values["status"].isdigit():
            values = {**values, "status": db.status.lookup(values["status"])}
        if "assignedto" in values:
            values = {**values, "assignedto": db.user.lookup(values["assignedto"])}
        db.issue.set(issue, **values)


def _history(
    issue: str, moment: datetime, chance: random.Random, seed: Any, others: list[str]
) -> list[tuple[datetime, str, str, dict[str, Any]]]:
    """Somebody may be assigned, answer and set a status."""
    status = chance.choices(seed.STATUSES, seed.STATUS_WEIGHTS)[0]
    steps: list[dict[str, Any]] = []
    if status != "unread" and chance.random() < 0.85:
        steps.append({"assignedto": chance.choice([*others, USER])})
    if status != "unread":
        steps += [{"note": note} for note in chance.sample(seed.NOTES, chance.choice((0, 1, 1, 2)))]
        steps.append({"status": status})
    latest = datetime(2026, 3, 1, 18, tzinfo=UTC)
    times = sorted(min(latest, moment + timedelta(hours=chance.randrange(8, 200))) for _ in steps)
    return [
        (when + timedelta(seconds=number), chance.choice(others), issue, step)
        for number, (when, step) in enumerate(zip(times, steps, strict=True))
    ]


def _message(db: Any, author: str, content: str) -> str:
    created: str = db.msg.create(author=db.user.lookup(author), date=_now(), content=content)
    return created


def _now() -> Any:
    return importlib.import_module("roundup.date").Date(".")
