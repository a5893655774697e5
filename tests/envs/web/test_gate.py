"""What the gate lets through, as a client of it sees it: no browser needed."""

from __future__ import annotations

import asyncio
import http.client
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from selfgym.envs.web.background import run
from selfgym.envs.web.gate import Gate


class _Echo(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        told = f"{self.path} {self.headers['Host']} {self.headers.get('X-Mine')} {body.decode()}".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(told)))
        self.end_headers()
        self.wfile.write(told)

    def log_message(self, *arguments):
        pass


@pytest.fixture
def server():
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Echo)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield "127.0.0.1", server.server_address[1]
    server.shutdown()
    server.server_close()


@pytest.fixture
def through(server):
    """Posts to a URL through a gate that knows echo.test; returns status and body."""
    gate = Gate({"echo.test": server}, ("public.example",))
    host, port = run(gate.open()).removeprefix("http://").split(":")

    def post(url, body="hello"):
        connection = http.client.HTTPConnection(host, int(port), timeout=10)
        connection.request("POST", url, body, {"X-Mine": "yes"})
        answer = connection.getresponse()
        told = answer.status, answer.read().decode()
        connection.close()
        return told

    post.gate = gate
    yield post
    run(gate.close())


def test_a_name_leads_to_its_server(through):
    assert through("http://echo.test/a/b?c=d") == (200, "/a/b?c=d echo.test yes hello")
    assert through("http://echo.test", "x" * 100_000)[1].endswith("x" * 100)


@pytest.mark.parametrize("url", ["http://other.test/", "http://127.0.0.1:1/", "http://echo.test:81/", "http://[::1]/"])
def test_anything_else_is_refused_and_remembered(through, url):
    status, body = through(url)
    assert status == 403
    assert "not on the list" in body
    assert len(through.gate.refused) == 1


def test_a_server_that_is_gone_is_said_to_be(server):
    gate = Gate({"gone.test": ("127.0.0.1", 1)})
    host, port = run(gate.open()).removeprefix("http://").split(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=10)
    connection.request("GET", "http://gone.test/")
    assert connection.getresponse().status == 502
    connection.close()
    run(gate.close())


def test_patterns_of_public_hosts():
    gate = Gate({}, ("example.org", "*.wiki.org", "shop.example:8443"))
    allowed = {
        ("example.org", 80): True, ("EXAMPLE.org.", 443): True, ("example.org", 22): False,
        ("sub.example.org", 80): False, ("en.wiki.org", 443): True, ("wiki.org", 443): False,
        ("notwiki.org", 443): False, ("shop.example", 8443): True, ("shop.example", 443): False,
    }  # fmt: skip
    assert {key: gate.allows(*key) is not None for key in allowed} == allowed


@pytest.mark.parametrize("junk", [b"\r\n\r\n", b"GET\r\n\r\n", b"GET http://[ HTTP/1.1\r\n\r\n", b"\xff" * 70_000])
def test_junk_is_hung_up_on(through, junk):
    async def send():
        server = through.gate._server.sockets[0].getsockname()
        reader, writer = await asyncio.open_connection(*server)
        writer.write(junk)
        writer.write_eof()
        await asyncio.wait_for(reader.read(), 10)
        writer.close()

    asyncio.run(send())
    assert through("http://echo.test/still")[0] == 200
