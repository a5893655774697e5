"""`selfgym download code`, from a package index of our own; downloading ALFWorld is tested in tests/envs."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from selfgym.cli import main
from selfgym.envs.code import packages
from selfgym.envs.code.packages import Package

NAMES = ("one", "two")


def content(name: str) -> bytes:
    return f"the archive of {name}".encode()


@pytest.fixture
def index(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[list[str]]:
    """An index with two packages, which are all that tasks are made from; yields what it is asked for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            name = next(name for name in NAMES if name in self.path)
            page = f'<a href="/files/{name}-1.0.tar.gz">x</a>'.encode()
            body = content(name) if "/files/" in self.path else page
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    listed = tuple(
        Package(name, "1.0", f"{name}-1.0.tar.gz", hashlib.sha256(content(name)).hexdigest(), "train", ("x",), ("t",))
        for name in NAMES
    )
    monkeypatch.setattr(packages, "PACKAGES", listed)
    monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{server.server_port}/simple")
    monkeypatch.setenv("SELFGYM_CODE_DATA", str(tmp_path / "usual"))
    yield asked
    server.shutdown()
    server.server_close()
    thread.join()


def test_packages_are_fetched_once(index: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["download", "code"]) == 0
    assert capsys.readouterr().out == f"2 packages are in {tmp_path / 'usual'}\n"
    assert (tmp_path / "usual/one-1.0.tar.gz").read_bytes() == content("one")
    index.clear()
    assert main(["download", "code", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told == {"folder": str(tmp_path / "usual"), "archives": ["one-1.0.tar.gz", "two-1.0.tar.gz"]}
    assert index == []


def test_another_folder_comes_with_the_variable_to_set(
    index: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["download", "code", "--to", str(tmp_path / "other")]) == 0
    assert f"export SELFGYM_CODE_DATA={tmp_path / 'other'}" in capsys.readouterr().out
    assert (tmp_path / "other/two-1.0.tar.gz").read_bytes() == content("two")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["cod"], "Did you mean 'code'? Known: alfworld, code"),
        (["code", "--force"], "--force has no meaning for code"),
        (["code"], "cannot download one 1.0"),
    ],
)
def test_what_cannot_be_fetched_is_one_line(
    arguments: list[str], words: str, index: list[str], capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    assert main(["download", *arguments]) == 1
    caught = capsys.readouterr()
    assert words in caught.err
    assert caught.err.count("\n") == 1
