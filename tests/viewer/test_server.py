"""The server answers this machine alone, says what pages may do, and changes nothing."""

from __future__ import annotations

import hashlib
import http.client
import os
import socket

import pytest

from selfgym.memory.store import EpisodeStore
from selfgym.viewer.server import ViewServer
from selfgym.viewer.source import open_source

from .records import episode


@pytest.fixture(scope="module")
def server(run_folder):
    source = open_source(run_folder)
    with ViewServer([source]) as server:
        yield server
    source.close()


def ask(server, path, *, method="GET", **headers):
    connection = http.client.HTTPConnection(server.url.split("/")[2], timeout=20)
    connection.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})
    answer = connection.getresponse()
    body = answer.read().decode()
    connection.close()
    return answer, body


def port_of(server):
    return int(server.url.split(":")[2].strip("/"))


def test_it_listens_on_this_machine_alone(server):
    with socket.create_connection(("127.0.0.1", port_of(server))) as connection:
        assert connection.getpeername()[0] == "127.0.0.1"
    assert server._server.socket.getsockname()[0] == "127.0.0.1"


@pytest.mark.parametrize("host", ["evil.example", "evil.example:{port}", "127.0.0.1", "127.0.0.1.nip.io:{port}", ""])
def test_another_host_name_is_refused(server, host):
    answer, body = ask(server, "/0/episodes", Host=host.format(port=port_of(server)))
    assert answer.status == 421
    assert "task of" not in body


def test_localhost_is_this_machine(server):
    answer, body = ask(server, "/0/episodes", Host=f"localhost:{port_of(server)}")
    assert answer.status == 200
    assert "task of" in body


def test_every_answer_is_strict(server):
    for path, status in (("/0/episodes", 200), ("/0/nowhere", 404), ("/view.css", 200), ("/", 303)):
        answer, _ = ask(server, path)
        assert answer.status == status
        policy = answer.headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'; style-src 'self'; script-src 'self';")
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert "charset=utf-8" in answer.headers["Content-Type"]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_nothing_can_be_changed(server, method):
    assert ask(server, "/0/episodes", method=method)[0].status == 501


def test_head_has_no_body(server):
    answer, body = ask(server, "/0/episodes", method="HEAD")
    assert (answer.status, body) == (200, "")
    assert int(answer.headers["Content-Length"]) > 1000


@pytest.mark.parametrize(
    "path",
    [
        "/0/episodes?after=-1", "/0/episodes?after=99999999999999999999999", "/0/episodes?before=x",
        "/0/episodes?q=%22", "/0/episodes?q=NEAR(a,b)", "/0/episodes?q=task:", "/0/episodes?q=%00", "/0/episodes?q=*",
        "/0/episodes?q=done:%22open", "/0/episodes?outcome=nonsense", "/0/episodes?phase=%22%20OR%201",
        "/0/episode?id=run/sampled&part=99", "/0/items?after=999999999999999999999", "/0/items?q=%25",
        "/0/compare?left=x&right=y", "/0/compare?left=0/99/a&right=0/-1/b", "/0/snapshots", "/0/item", "/0/episode",
        "/0/group", "/0/../../etc/passwd", "//evil.example/", "/%2e%2e/", "/0/episodes?" + "a=1&" * 40,
    ],
)  # fmt: skip
def test_strange_addresses_are_answered(server, path, capfd):
    answer, body = ask(server, path)
    assert answer.status in (200, 400, 404)
    assert "<h1>" in body
    assert "Traceback" not in capfd.readouterr().err


def test_a_store_is_not_written_into(tmp_path):
    with EpisodeStore(tmp_path / "one.db") as store:
        store.append([episode("one", ("open safe 1",))])
    before = hashlib.sha256((tmp_path / "one.db").read_bytes()).hexdigest()
    os.chmod(tmp_path / "one.db", 0o444)
    source = open_source(tmp_path / "one.db")
    with ViewServer([source]) as server:
        while source.index.left():
            pass
        for path in ("/0/episodes?q=safe", "/0/episode?id=one", "/0/curves", "/0/compare"):
            assert ask(server, path)[0].status == 200
    source.close()
    assert hashlib.sha256((tmp_path / "one.db").read_bytes()).hexdigest() == before
    assert {path.name for path in tmp_path.iterdir()} >= {"one.db", "one.db.search"}
