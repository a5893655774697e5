"""Issues: the tracker Roundup with the sixty issues of a software house; one is robin, an ordinary user."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar

from selfgym.envs.web.sites.drafts import DraftedSite, Kind
from selfgym.envs.web.sites.installing import Package
from selfgym.envs.web.sites.tracker import issues, own, questions, several


def _named(table: str, label: str) -> str:
    """The names that a list of an issue links to, in order."""
    return f"""coalesce((SELECT group_concat(name, ', ') FROM (SELECT t.{label} AS name FROM issue_{table} l
        JOIN _{"user" if table == "nosy" else "issue" if table == "superseder" else table} t ON t.id = l.linkid
        WHERE l.nodeid = i.id ORDER BY name)), '')"""


@lru_cache(maxsize=4096)
def _text(path: str, inode: int, size: int, written: int) -> str:
    """What is in a file, read once as long as nobody touches it: a judge asks after every step."""
    return Path(path).read_text(encoding="utf-8")


class RoundupSite(DraftedSite):
    """The site ``tracker``."""

    name: ClassVar[str] = "tracker"
    version: ClassVar[str] = "1"
    package: ClassVar[Package] = Package(
        name="tracker",
        release="2.6.0",
        requirements=("roundup==2.6.0", "time-machine==3.6.0"),
        module="roundup_server",
        files=("roundup_seed.py",),
    )
    database: ClassVar[str] = "db"
    views: ClassVar[dict[str, str]] = {
        "issue": f"""SELECT i.id AS _id, i._title AS title, s._name AS status, p._name AS priority,
            a._username AS assigned, c._username AS reporter, {_named("keyword", "_name")} AS keywords,
            {_named("nosy", "_username")} AS nosy, {_named("superseder", "id")} AS superseder,
            coalesce((SELECT group_concat(_name) FROM issue_files l JOIN _file f ON f.id = l.linkid
            WHERE l.nodeid = i.id), '') AS files, i.__retired__ AS retired, i._creation AS _created
            FROM _issue i LEFT JOIN _status s ON s.id = i._status LEFT JOIN _priority p ON p.id = i._priority
            LEFT JOIN _user a ON a.id = i._assignedto LEFT JOIN _user c ON c.id = i._creator ORDER BY i.id""",
        # a message that was taken off its issue again is nowhere to be seen
        "comment": """SELECT l.nodeid AS issue, a._username AS author, message(m.id) AS content, m._date AS _when
            FROM issue_messages l JOIN _msg m ON m.id = l.linkid JOIN _user a ON a.id = m._author ORDER BY m.id""",
        "user": """SELECT id AS _id, _username AS username, _realname AS name, _address AS address, _phone AS phone,
            _organisation AS organisation, _timezone AS timezone, _alternate_addresses AS alternates, _roles AS roles,
            _password AS password, __retired__ AS retired, coalesce((SELECT group_concat(_name, ', ')
            FROM user_queries l JOIN _query q ON q.id = l.linkid WHERE l.nodeid = u.id), '') AS queries
            FROM _user u""",
        "keyword": "SELECT id AS _id, _name AS name, __retired__ AS retired FROM _keyword",
        "status": "SELECT id AS _id, _name AS name FROM _status",
        "priority": "SELECT id AS _id, _name AS name FROM _priority",
        "query": """SELECT _klass AS class, q._name AS name, filters(_url) AS filters, o._username AS owner,
            c._username AS creator, q.__retired__ AS retired FROM _query q
            LEFT JOIN _user o ON o.id = q._private_for LEFT JOIN _user c ON c.id = q._creator""",
    }
    drafts: ClassVar[dict[str, Kind]] = {**issues.KINDS, **several.KINDS, **own.KINDS, **questions.KINDS}
    kinds: ClassVar[tuple[str, ...]] = tuple(drafts)

    def functions(self, data: Path) -> Mapping[str, Callable[[Any], Any]]:
        """What is in files or needs taking apart."""

        def message(number: int) -> str:
            path = f"{data}/files/msg/{number // 1000}/msg{number}"
            found = os.stat(path)
            return _text(path, found.st_ino, found.st_size, found.st_mtime_ns)

        return {"filters": own.filters, "message": message}
