"""`selfgym view`: a server that can be read and ended, a file, and what cannot be shown in one line."""

from __future__ import annotations

import http.client
import os
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from selfgym.cli import main
from selfgym.memory.item import Item
from selfgym.memory.library import Library

PROGRAM = "import sys; from selfgym.cli import main; sys.exit(main(sys.argv[1:]))"


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Real episodes of the expert."""
    store = tmp_path_factory.mktemp("view") / "mine.db"
    arguments = ["--agent", "expert", "--episodes", "3", "--run", "mine", "--option", "size=tiny", "--quiet"]
    assert main(["run", "--store", str(store), *arguments]) == 0
    return store


def test_a_server_tells_its_address_and_ends_with_ctrl_c(played: Path, tmp_path: Path) -> None:
    path = shutil.copy(played, tmp_path)
    command = [sys.executable, "-W", "error", "-c", PROGRAM, "view", str(path), "--no-open"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        address = process.stdout.readline().split()[0]
        assert process.stdout.readline().startswith("3 episodes are being indexed for searches, in ")
        connection = http.client.HTTPConnection(address.split("/")[2], timeout=30)
        connection.request("GET", "/0/episodes")
        page = connection.getresponse().read().decode()
        connection.close()
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) == 0
        assert process.stderr.read() == ""
    assert "3 of 3 episodes" in page
    assert "mine/2" in page
    assert (tmp_path / "mine.db.search").exists()


def test_a_browser_is_opened_unless_one_asks_not_to(
    played: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    opened: list[str] = []

    def look(address: str) -> None:
        opened.append(address)
        raise KeyboardInterrupt

    monkeypatch.setattr("webbrowser.open", look)
    assert main(["view", str(shutil.copy(played, tmp_path))]) == 0
    assert opened == [capsys.readouterr().out.split()[0]]


def test_a_run_goes_into_one_file(played: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "page.html"
    assert main(["view", str(played), "--export", str(page), "--limit", "2"]) == 0
    told = capsys.readouterr().out
    assert "2 of 3 episodes" in told
    assert "--limit" in told
    written = page.read_text(encoding="utf-8")
    assert written.count('class="whole"') == 2
    assert "Your task is to" in written
    assert os.listdir(tmp_path) == ["page.html"], "nothing is left beside it"
    assert main(["view", str(played), "--export", str(page), "--outcome", "failure"]) == 0
    assert "0 of 0 episodes" in capsys.readouterr().out


def test_what_a_run_remembered_goes_into_the_file_with_it(
    played: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copy(played, tmp_path / "episodes.db")
    with Library(tmp_path / "memory.db") as library:
        library.propose(Item(kind="insight", title="Look first"))
    page = tmp_path / "page.html"
    for runs in ([tmp_path], [tmp_path / "episodes.db", tmp_path / "memory.db"], [tmp_path, tmp_path / "memory.db"]):
        assert main(["view", *map(str, runs), "--export", str(page)]) == 0
        assert "3 of 3 episodes" in capsys.readouterr().out
        assert page.read_text(encoding="utf-8").count("<summary>Look first</summary>") == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nowhere"], "there is no run and no store at"),
        (["."], "no episodes.db"),
        (["{store}", "{store}", "--export", "x.html"], "one RUN"),
        (["{store}", "--phase", "eval-0"], "--export"),
        (["{store}", "--export", "x.html", "--outcome", "won"], "there is no outcome 'won'"),
        (["{store}", "--export", "no/such/folder/x.html"], "no/such/folder"),
        (["{store}", "--no-open", "--port", "{port}"], "cannot be had"),
        (["{text}"], "is not a selfgym store"),
    ],
)
def test_what_cannot_be_shown_is_one_line(
    arguments: list[str],
    words: str,
    played: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text").write_text("no store at all " * 100)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        names = {"store": played, "text": tmp_path / "text", "port": taken.getsockname()[1]}
        assert main(["view", *(argument.format(**names) for argument in arguments)]) == 1
    caught = capsys.readouterr()
    assert words in caught.err
    assert caught.err.count("\n") == 1
