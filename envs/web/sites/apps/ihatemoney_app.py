"""I Hate Money for `serving`: two projects of shared expenses, both open without asking for their codes."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import ihatemoney_bills as bills

STATIC = ("/static/", "/favicon.ico")
_PROJECTS = (bills.HOUSE, bills.HOLIDAY)


def prepare(folder: Path, clock: Callable[[datetime], None]) -> None:
    """Make the database, and in it the table ``settlement``: who pays whom, as the application proposes it at first."""
    from ihatemoney.models import Project, db
    from sqlalchemy import text

    (folder / "data").mkdir()
    clock(datetime(2025, 9, 28, 18, tzinfo=UTC))
    app = _made(folder, folder / "data")
    with app.app_context():
        _fill(bills.HOUSE, bills.house(), clock)
        _fill(bills.HOLIDAY, bills.holiday(), clock)
        db.session.execute(text("CREATE TABLE settlement (project TEXT, payer TEXT, receiver TEXT, amount FLOAT)"))
        for project in Project.query.all():
            for due in project.get_transactions_to_settle_bill(pretty_output=True):
                row = {"project": project.id, **due, "amount": float(due["amount"])}
                db.session.execute(text("INSERT INTO settlement VALUES (:project, :ower, :receiver, :amount)"), row)
        db.session.commit()
    _settle_schema(folder / "data" / "ihatemoney.db")


def _settle_schema(path: Path) -> None:
    """Write the database anew, its schema in a fixed order: the application's migrations leave that to chance."""
    drawn = path.with_suffix(".drawn")
    path.rename(drawn)
    with closing(sqlite3.connect(path)) as base:
        base.execute("ATTACH ? AS drawn", (str(drawn),))
        made = "SELECT name, sql FROM drawn.sqlite_master WHERE type = ? AND sql NOT NULL AND name NOT LIKE 'sqlite%'"
        for name, sql in sorted(base.execute(made, ("table",)).fetchall()):
            base.execute(_ordered(sql))
            base.execute(f'INSERT INTO "{name}" SELECT * FROM drawn."{name}" ORDER BY rowid')
        for _, sql in sorted(base.execute(made, ("index",)).fetchall()):
            base.execute(sql)
        base.execute("DELETE FROM sqlite_sequence")
        base.execute("INSERT INTO sqlite_sequence SELECT * FROM drawn.sqlite_sequence ORDER BY name")
        base.commit()
    drawn.unlink()


def _ordered(sql: str) -> str:
    """The statement with its foreign keys in the order of their names."""
    lines = sql.split("\n")
    places = [place for place, line in enumerate(lines) if line.startswith("\tFOREIGN KEY")]
    keys = sorted(lines[place].rstrip(", ") for place in places)
    for place, key in zip(places, keys, strict=True):
        lines[place] = key + lines[place][len(lines[place].rstrip(", ")) :]
    return "\n".join(lines)


def application(folder: Path, data: Path) -> Any:
    """The application, for whom every visitor has given the codes of both projects."""
    from flask.sessions import SecureCookieSessionInterface
    from ihatemoney import run

    class Known(SecureCookieSessionInterface):
        """Sessions that begin with both projects open."""

        def open_session(self, app: Any, request: Any) -> Any:
            session = super().open_session(app, request)
            if session is not None and "projects" not in session:
                session["projects"] = {project["id"]: project["name"] for project in _PROJECTS}
            return session

        def get_expiration_time(self, app: Any, session: Any) -> None:
            """Never: a browser, whose clock is another, would throw away a cookie that ends by ours."""

    run.upgrade = lambda path: None  # what was prepared is of this very version
    app = _made(folder, data)
    app.session_interface = Known()
    return app


def release() -> None:
    """Nothing: a connection ends with its request, and nothing read is kept."""


def _made(folder: Path, data: Path) -> Any:
    from ihatemoney.run import create_app
    from sqlalchemy.pool import NullPool

    settings = SimpleNamespace(
        SQLALCHEMY_DATABASE_URI=f"sqlite:///{data / 'ihatemoney.db'}",
        SQLALCHEMY_ENGINE_OPTIONS={"poolclass": NullPool},
        SECRET_KEY="the sessions of a world that is nobody's",
        SESSION_COOKIE_SECURE=False,
        ACTIVATE_DEMO_PROJECT=False,
        SUPPORTED_LANGUAGES=["en"],
        BABEL_DEFAULT_TIMEZONE="UTC",
        MAIL_SUPPRESS_SEND=True,
        RATELIMIT_ENABLED=False,
    )
    return create_app(settings, instance_path=str(folder))


def _fill(project: dict[str, Any], entries: list[dict[str, Any]], clock: Callable[[datetime], None]) -> None:
    """Write the project's people and bills on the evenings of their dates."""
    from ihatemoney.models import Bill, Person, Project, db

    made = Project(
        id=project["id"],
        name=project["name"],
        password=_hashed(project["code"]),
        contact_email=project["email"],
        default_currency="XXX",
    )
    people = {name: Person(name=name, project=made, weight=weight) for name, weight in project["members"].items()}
    db.session.add(made)
    for person in people.values():
        db.session.add(person)
        db.session.flush()  # so that their numbers follow the list
    db.session.commit()
    for entry in entries:
        day = date.fromisoformat(entry["date"])
        clock(datetime(day.year, day.month, day.day, 20, tzinfo=UTC))
        bill = Bill(
            amount=entry["amount"],
            date=day,
            original_currency="XXX",
            owers=[people[name] for name in entry["owers"]],
            payer_id=people[entry["payer"]].id,
            project_default_currency="XXX",
            what=entry["what"],
            bill_type="Reimbursement" if entry["back"] else "Expense",
        )
        db.session.add(bill)
        db.session.commit()
    for name in project["gone"]:
        people[name].activated = False
        db.session.commit()


def _hashed(code: str) -> str:
    """The code as the application keeps it, with a salt that is always the same."""
    digest = hashlib.pbkdf2_hmac("sha256", code.encode(), b"elm", 1000).hex()
    return f"pbkdf2:sha256:1000$elm${digest}"
