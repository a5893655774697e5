"""The world of apps without an environment around it: rows from a seed, endpoints, documentation, errors."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfgym.envs.apps.api.endpoint import APPS, GUARDED, MOST_GROWN, ApiError, endpoints, find
from selfgym.envs.apps.api.manual import manual
from selfgym.envs.apps.api.schema import TABLES, as_json, opened
from selfgym.envs.apps.api.session import MOST_CALLS, run
from selfgym.envs.apps.host import Host, ReportError, read_report
from selfgym.envs.apps.world import make_world

EVERY = [endpoint for app in APPS for endpoint in endpoints(app).values()]


@pytest.fixture
def db():
    db = opened(make_world(1).data)
    yield db
    db.close()


def ran(code, kept=(), variables=None):
    """The report of one step on the world of seed 1, as the host reads it."""
    job = {"code": code, "most": 2000, "kept": list(kept), "variables": variables or {}}
    return read_report(as_json(run(json.loads(as_json(job)), make_world(1).data)).encode())


def test_the_same_seed_gives_the_same_world_in_any_process():
    script = "from selfgym.envs.apps.world import make_world; import hashlib\n"
    script += "print(hashlib.sha256(make_world(5).data).hexdigest(), len(make_world(5).rows('mail')))"
    told = {
        subprocess.run(
            [sys.executable, "-c", script],
            capture_output=True,
            text=True,
            check=True,
            env=os.environ | {"PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2")
    }
    assert len(told) == 1
    assert make_world(5).data != make_world(6).data


def test_a_world_is_small_and_has_something_in_every_table():
    world = make_world(3)
    assert 8 <= len(world.rows("contacts")) <= 12
    assert sum(len(world.rows(table)) for table in TABLES) < 1500
    assert [table for table in TABLES if not world.rows(table)] == ["sessions"]


def test_there_are_as_many_endpoints_as_promised():
    wanted = {"mail", "calendar", "contacts", "notes", "files", "shop", "payments", "music", "todo", "messages"}
    assert wanted <= set(APPS)
    assert len(EVERY) >= 120
    assert len({endpoint.name for endpoint in EVERY}) == len(EVERY)


def test_the_documentation_lists_every_endpoint_with_types():
    for app, what in APPS.items():
        assert f"{app}: {what}" in manual().splitlines()
    for endpoint in EVERY:
        app = endpoint.name.partition(".")[0]
        assert endpoint.signature() in manual(app).splitlines()
        page = manual(endpoint.name)
        assert page.startswith(endpoint.signature())
        for name, parameter in endpoint.parameters.items():
            assert re.search(rf"^  {name}: \S", page, re.MULTILINE), (endpoint.name, parameter)
        assert re.search(r"^Returns (dict|list\[(dict|str)\]|str|int|bool)\.$", page, re.MULTILINE), page
        assert len(page.splitlines()[1]) > 5


def test_every_endpoint_of_a_guarded_app_wants_a_token():
    for app in GUARDED:
        for name, endpoint in endpoints(app).items():
            assert ("access_token" in endpoint.parameters) == (name != "login")


BAD = {
    "apis.mial.search()": "Did you mean 'mail'?",
    "apis.mail.sned()": "Did you mean 'send'?",
    "apis.mail.star()": "'mail_id' is missing",
    "apis.mail.star(mail=1)": "Did you mean 'mail_id'?",
    "apis.mail.star('1')": "must be int, not '1'",
    "apis.mail.star(True)": "must be int, not True",
    "apis.mail.star(99999)": "there is no mail with id 99999",
    "apis.mail.star(1, True, 3)": "takes 2 values at most",
    "apis.mail.search(folder='bin')": "must be 'inbox' or 'sent'",
    "apis.mail.search(page_limit=100)": "page_limit is 1 to 20",
    "apis.mail.send(to='a@b', subject='', body='')": "must be list[str]",
    "apis.mail.send(to=['nobody'], subject='', body='')": "mail addresses",
    "apis.mail.send(to=['a@b'], subject='', body='x' * 9999)": "the limit is 2000",
    "apis.calendar.day(date='1.2.2026')": "must be str YYYY-MM-DD, not",
    "apis.calendar.day(date='2026-02-30')": "must be str YYYY-MM-DD, not",
    "apis.calendar.create('a', '2026-02-03', '10:00', '09:00')": "not after 10:00",
    "apis.supervisor.weekday('9999-12-31')": "too far away",
    "apis.shop.cart(access_token='guess')": "shop.login gives you one",
    "apis.shop.login(password='guess')": "supervisor.passwords",
    "apis.notes.create(title={1}, body='')": "plain values",
    "docs('mail.sned')": "Did you mean 'send'?",
}


@pytest.mark.parametrize("code", BAD)
def test_a_bad_call_is_answered_clearly(code):
    error = ran(code).error
    assert error.startswith("ApiError: ")
    assert BAD[code] in error
    assert "\n" not in error
    assert len(error) < 500


def test_a_write_happens_wholly_or_not_at_all(db):
    before = db.serialize()
    login = find("payments.login").call(
        db, {"password": make_world(1).rows("passwords", app="payments")[0]["password"]}
    )
    middle = db.serialize()
    assert middle != before
    email = make_world(1).rows("contacts")[0]["email"]
    with pytest.raises(ApiError, match="more than the balance"):
        find("payments.send").call(db, {"email": email, "amount": 10**6, **login})
    assert list(opened(middle).iterdump()) == list(db.iterdump())


def test_a_text_cannot_grow_without_end(db):
    note = make_world(1).rows("notes")[0]["id"]
    append = find("notes.append")
    for _ in range(4):
        append.call(db, {"note_id": note, "line": "x" * 2000})
    with pytest.raises(ApiError, match=str(MOST_GROWN)):
        append.call(db, {"note_id": note, "line": "x" * 2000})


ANY = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(), max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)


@settings(max_examples=250, deadline=None)
@given(data=st.data())
def test_no_arguments_raise_anything_but_api_errors(data):
    endpoint = data.draw(st.sampled_from(EVERY))
    likely = st.sampled_from(
        [0, 1, 2, 10**9, -1, "", "2026-03-04", "9999-12-31", "0001-01-01", "10:00", "a@b", ["a@b"]]
    )
    names = dict.fromkeys(endpoint.parameters, likely | ANY)
    arguments = data.draw(st.fixed_dictionaries({}, optional=names))
    with_token = opened(make_world(1).data)
    with_token.execute("insert into sessions values (1, 'shop', 't'), (2, 'payments', 't')")
    if "access_token" in endpoint.parameters:
        arguments["access_token"] = "t"
    try:
        assert as_json(endpoint.call(with_token, arguments))
    except ApiError:
        assert arguments or endpoint.parameters or endpoint.writes
    finally:
        with_token.close()


def test_definitions_imports_and_plain_values_last():
    first = ran(
        "import math\nfrom json import dumps as d\ntotal = [1, {'a': None}]\n"
        "def f(x):\n    return math.floor(x) + len(total)"
    )
    assert [name for name, _ in first.kept] == ["import math", "from json import dumps as d", "f"]
    assert first.variables == {"total": [1, {"a": None}]}
    second = ran("print(f(2.5), d(total))", first.kept, first.variables)
    assert second.output == '4 [1, {"a": null}]\n'
    third = ran("f = 3\ntotal.append(4)\nprint(f)", second.kept, second.variables)
    assert [name for name, _ in third.kept] == ["import math", "from json import dumps as d"]
    assert third.variables == {"f": 3, "total": [1, {"a": None}, 4]}


def test_a_decorated_function_is_kept_with_its_decorator():
    first = ran("def twice(f):\n    return lambda: f() * 2\n@twice\ndef g():\n    return 'ab'  # \x0c\n")
    assert ran("print(g())", first.kept).output == "abab\n"


def test_the_order_of_a_dictionary_lasts():
    first = ran("d = {'b': 1, 'a': 2}")
    assert ran("print(list(d))", first.kept, first.variables).output == "['b', 'a']\n"


def test_what_cannot_be_kept_is_said():
    assert "x is not kept" in ran("x = {1: 2}").output
    assert "x is too large" in ran("x = 'a' * 50_000").output


def test_an_error_names_the_line_of_the_agent():
    kept = ran("def f(x):\n    y = 1\n    return x / 0").kept
    assert ran("a = 1\nf(a)", kept).error == "ZeroDivisionError: division by zero (f, line 3: return x / 0)"
    assert ran("a = 1\nb = = 2").error == "SyntaxError: invalid syntax (line 2: b = = 2)"
    assert "ends before" in ran("for x in [1]:").error


def test_a_loop_of_calls_has_an_end():
    report = ran(f"for n in range({MOST_CALLS + 1}):\n    apis.todo.lists()")
    assert f"{MOST_CALLS} calls" in report.error
    assert len(report.calls) == MOST_CALLS


GOOD = {
    "output": "",
    "error": None,
    "calls": [],
    "digest": "",
    "finished": False,
    "answer": None,
    "kept": [],
    "variables": {},
}
FORGED = {
    "no JSON": b"{",
    "not finite": as_json(GOOD).replace('"variables":{}', '"variables":{"a":NaN}').encode(),
    "deep": as_json(GOOD).replace('"answer":null', '"answer":' + "[" * 100_000 + "]" * 100_000).encode(),
    "another field": as_json(GOOD | {"reward": 1}).encode(),
    "a field less": as_json({"output": ""}).encode(),
    "no list": as_json(GOOD | {"calls": {}}).encode(),
    "no endpoint": as_json(GOOD | {"calls": [[1, {}]]}).encode(),
    "no arguments": as_json(GOOD | {"calls": [["mail.search", []]]}).encode(),
    "many calls": as_json(GOOD | {"calls": [["todo.lists", {}]] * (MOST_CALLS + 1)}).encode(),
    "long name": as_json(GOOD | {"calls": [["a" * 101, {}]]}).encode(),
    "much kept": as_json(GOOD | {"kept": [["a", "x" * 200_000]]}).encode(),
    "much remembered": as_json(GOOD | {"variables": {"a": "x" * 200_000}}).encode(),
    "infinite": as_json(GOOD).replace('"calls":[]', '"calls":[["mail.show",{"mail_id":1e999}]]').encode(),
    "huge": b" " * 2**21,
    "no text": b"\xff\xfe",
    "huge number": as_json(GOOD).replace('"answer":null', '"answer":' + "9" * 9999).encode(),
}


@pytest.mark.parametrize("what", FORGED)
def test_a_forged_report_is_refused(what):
    assert read_report(as_json(GOOD).encode()).calls == []
    with pytest.raises(ReportError):
        read_report(FORGED[what])


@settings(max_examples=100, deadline=None)
@given(
    calls=st.lists(
        st.tuples(
            st.sampled_from([one.name for one in EVERY]) | st.text(max_size=20),
            st.dictionaries(st.text(max_size=9), ANY, max_size=3),
        ),
        max_size=5,
    )
)
def test_forged_calls_have_no_effect_but_that_of_calls(calls):
    host = Host(make_world(1))
    try:
        data = as_json(GOOD | {"calls": calls}).encode()
        try:
            report = read_report(data)
        except ReportError:
            return
        assert host.apply(report) in (True, False)
    finally:
        host.close()
