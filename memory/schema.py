"""The tables of a library of items, beside the episodes in the same SQLite file.

``items``, ``events`` and ``snapshots`` are append-only: triggers refuse anything else. ``standing`` (what the events
of an item add up to) and ``words`` (the full-text index of the items that may be shown) are derived from them by
triggers in the same transaction, so they cannot drift; `REBUILD` makes them anew and changes nothing. This file adds up
and indexes; it may not decide an item's fate.
"""

from __future__ import annotations

SHOWABLE = ("trial", "active")
"""The statuses in which an item may be retrieved."""

_TABLES = """
CREATE TABLE IF NOT EXISTS library (version INTEGER NOT NULL, showable INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS items (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    env TEXT NOT NULL,
    task TEXT NOT NULL,
    split TEXT NOT NULL,
    source TEXT NOT NULL,
    title TEXT NOT NULL,
    whn TEXT NOT NULL,
    body TEXT NOT NULL,
    code TEXT NOT NULL,
    doc TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS events (
    seq INTEGER PRIMARY KEY,
    at REAL NOT NULL,
    item TEXT NOT NULL,
    episode TEXT NOT NULL,
    what TEXT NOT NULL,
    value REAL,
    note TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS events_item ON events (item, what);
CREATE INDEX IF NOT EXISTS events_episode ON events (episode, item);
CREATE UNIQUE INDEX IF NOT EXISTS events_once ON events (episode, item, what)
    WHERE what IN ('shown', 'withheld', 'reward');
CREATE TABLE IF NOT EXISTS snapshots (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    parent TEXT NOT NULL,
    items TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS standing (
    seq INTEGER PRIMARY KEY,
    item TEXT NOT NULL UNIQUE,
    status TEXT NOT NULL,
    shown INTEGER NOT NULL DEFAULT 0,
    withheld INTEGER NOT NULL DEFAULT 0,
    used INTEGER NOT NULL DEFAULT 0,
    shown_closed INTEGER NOT NULL DEFAULT 0,
    shown_sum REAL NOT NULL DEFAULT 0,
    withheld_closed INTEGER NOT NULL DEFAULT 0,
    withheld_sum REAL NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS standing_status ON standing (status);
CREATE VIRTUAL TABLE IF NOT EXISTS words USING fts5(
    title, whn, body, code, content='items', content_rowid='seq', tokenize='porter unicode61 remove_diacritics 2'
);
CREATE VIRTUAL TABLE IF NOT EXISTS vocabulary USING fts5vocab(words, 'row');
"""
_INDEXED = "seq, title, whn, body, code"
_TO = "substr(NEW.note, 1, instr(NEW.note, ':') - 1)"
"""The status that an event sets: its note is ``status: reason``."""
_SHOWABLE = ", ".join(f"'{status}'" for status in SHOWABLE)
_WAS = f"((SELECT status FROM standing WHERE item = NEW.item) IN ({_SHOWABLE}))"
_COUNTED = "\n".join(
    f"""
CREATE TRIGGER IF NOT EXISTS count_{what} AFTER INSERT ON events WHEN NEW.what = '{what}'
BEGIN UPDATE standing SET {what} = {what} + 1 WHERE item = NEW.item; END;
"""
    for what in ("shown", "withheld", "used")
)
_REWARDED = "\n".join(
    f"""
CREATE TRIGGER IF NOT EXISTS reward_{what} AFTER INSERT ON events WHEN NEW.what = 'reward' AND EXISTS (
    SELECT 1 FROM events WHERE episode = NEW.episode AND item = NEW.item AND what = '{what}')
BEGIN
    UPDATE standing SET {what}_closed = {what}_closed + 1, {what}_sum = {what}_sum + NEW.value WHERE item = NEW.item;
END;
"""
    for what in ("shown", "withheld")
)
_DERIVED = f"""
CREATE TRIGGER IF NOT EXISTS status_set AFTER INSERT ON events WHEN NEW.what = 'status'
BEGIN
    INSERT INTO words(words, rowid, title, whn, body, code)
        SELECT 'delete', {_INDEXED} FROM items WHERE id = NEW.item AND {_WAS} AND {_TO} NOT IN ({_SHOWABLE});
    INSERT INTO words(rowid, title, whn, body, code)
        SELECT {_INDEXED} FROM items WHERE id = NEW.item AND NOT {_WAS} AND {_TO} IN ({_SHOWABLE});
    UPDATE library SET showable = showable + ({_TO} IN ({_SHOWABLE})) - {_WAS};
    UPDATE standing SET status = {_TO} WHERE item = NEW.item;
END;
CREATE TRIGGER IF NOT EXISTS item_added AFTER INSERT ON items
BEGIN INSERT INTO standing (item, seq, status) VALUES (NEW.id, NEW.seq, 'candidate'); END;
{_COUNTED}
{_REWARDED}
"""
_APPEND_ONLY = "".join(
    f"""
CREATE TRIGGER IF NOT EXISTS {table}_{verb.lower()} BEFORE {verb} ON {table} {condition}
BEGIN SELECT RAISE(ABORT, 'the library is append-only: {table} cannot be changed or removed'); END;
"""
    for table, same in (
        ("items", "id = NEW.id OR seq = NEW.seq"),
        ("events", "seq = NEW.seq"),
        ("snapshots", "id = NEW.id OR seq = NEW.seq"),
    )
    for verb, condition in (
        ("UPDATE", ""),
        ("DELETE", ""),
        ("INSERT", f"WHEN EXISTS (SELECT 1 FROM {table} WHERE {same})"),
    )
)
SCHEMA = _TABLES + _DERIVED + _APPEND_ONLY
"""Every statement, each harmless where it has been run before."""
REBUILD = """
DELETE FROM standing;
INSERT INTO standing (item, seq, status, shown, withheld, used, shown_closed, shown_sum, withheld_closed, withheld_sum)
SELECT id, items.seq,
    COALESCE((SELECT substr(note, 1, instr(note, ':') - 1) FROM events WHERE item = id AND what = 'status'
        ORDER BY events.seq DESC LIMIT 1), 'candidate'),
    (SELECT COUNT(*) FROM events WHERE item = id AND what = 'shown'),
    (SELECT COUNT(*) FROM events WHERE item = id AND what = 'withheld'),
    (SELECT COUNT(*) FROM events WHERE item = id AND what = 'used'),
    (SELECT COUNT(*) FROM events s JOIN events r ON r.episode = s.episode AND r.item = s.item AND r.what = 'reward'
        WHERE s.item = id AND s.what = 'shown'),
    (SELECT COALESCE(SUM(r.value), 0) FROM events s JOIN events r
        ON r.episode = s.episode AND r.item = s.item AND r.what = 'reward' WHERE s.item = id AND s.what = 'shown'),
    (SELECT COUNT(*) FROM events s JOIN events r ON r.episode = s.episode AND r.item = s.item AND r.what = 'reward'
        WHERE s.item = id AND s.what = 'withheld'),
    (SELECT COALESCE(SUM(r.value), 0) FROM events s JOIN events r
        ON r.episode = s.episode AND r.item = s.item AND r.what = 'reward' WHERE s.item = id AND s.what = 'withheld')
FROM items;
UPDATE library SET showable = (SELECT COUNT(*) FROM standing WHERE status IN ('trial', 'active'));
"""
