"""Shared expenses: the application I Hate Money, with a house of six people and a holiday."""

from __future__ import annotations

from typing import ClassVar

from selfgym.envs.web.sites.drafts import DraftedSite, Kind
from selfgym.envs.web.sites.expenses import bills, people, questions, several
from selfgym.envs.web.sites.installing import Package

_REQUIREMENTS = """
alembic==1.20.1 aniso8601==10.0.1 babel==2.19.0 blinker==1.9.0 cachetools==6.2.6 certifi==2026.10.19.post1
charset-normalizer==3.5.3 click==8.5.1 debts==0.5 Deprecated==1.3.1 dnspython==2.9.2 email-validator==2.3.0 Flask==3.1.3
flask-babel==4.0.0 flask-cors==6.0.5 Flask-Limiter==4.1.1 Flask-Mail==0.10.0 Flask-Migrate==4.1.0 Flask-RESTful==0.3.10
Flask-SQLAlchemy==3.1.1 flask-talisman==1.1.0 Flask-WTF==1.2.2 greenlet==3.5.6 idna==3.20 ihatemoney==7.2.1
itsdangerous==2.2.0 Jinja2==3.1.6 limits==5.8.0 Mako==1.4.3 MarkupSafe==3.0.4 ordered-set==4.1.0 packaging==26.4
python-dateutil==4.0.0 pytz==2026.6 qrcode==8.2 requests==2.32.5 six==1.17.0 SQLAlchemy==2.0.58
SQLAlchemy-Continuum==1.5.2 time-machine==3.6.0 typing_extensions==4.16.0 tzdata==2026.6 urllib3==2.8.0 Werkzeug==3.1.9
wrapt==2.5.2 WTForms==3.2.2
"""


class IHateMoneySite(DraftedSite):
    """The site ``expenses``: I Hate Money with two projects, open to everybody who comes."""

    name: ClassVar[str] = "expenses"
    version: ClassVar[str] = "1"
    package: ClassVar[Package] = Package(
        name="expenses",
        release="7.2.1",
        requirements=tuple(_REQUIREMENTS.split()),
        module="ihatemoney_app",
        files=("ihatemoney_bills.py",),
    )
    database: ClassVar[str] = "ihatemoney.db"
    views: ClassVar[dict[str, str]] = {
        "project": """SELECT id AS project, name, password, contact_email AS email, default_currency AS currency,
            logging_preference != 'DISABLED' AS logged, EXISTS (SELECT 1 FROM project_version v WHERE v.id = p.id)
            AS history FROM project p""",
        "member": "SELECT id AS _id, project_id AS project, name, weight, activated FROM person",
        "bill": """SELECT bill.id AS _id, project_id AS project, what, round(amount, 2) AS amount, date, name AS payer,
            (SELECT group_concat(name, ', ') FROM (SELECT name FROM billowers JOIN person ON person.id = person_id
            WHERE bill_id = bill.id ORDER BY person.id)) AS owers, bill_type AS type, external_link AS link,
            CASE original_currency WHEN '' THEN 'XXX' ELSE original_currency END AS currency, archive
            FROM bill LEFT JOIN person ON person.id = payer_id""",
        "settlement": "SELECT project, payer, receiver, amount FROM settlement",
    }
    home: ClassVar[str] = "/elm-street/"
    drafts: ClassVar[dict[str, Kind]] = {**bills.KINDS, **people.KINDS, **several.KINDS, **questions.KINDS}
    kinds: ClassVar[tuple[str, ...]] = tuple(drafts)
