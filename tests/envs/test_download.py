"""Downloading ALFWorld's games, from a server of our own."""

import hashlib
import io
import json
import socket
import stat
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from selfgym.envs.household.download import RECORD, Archive, DownloadError, data_folder, download_alfworld

GAME = "json_2.1.1/train/a-b-None-c-1/trial/game.tw-pddl"


def _zip(*members: tuple[str | zipfile.ZipInfo, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return file.getvalue()


GOOD = _zip((GAME, b"{}" * 4000), ("json_2.1.1/train/a-b-None-c-1/trial/notes.txt", bytes(range(256)) * 9))


class Server:
    """Serves ``content`` at every path; ``cut`` ends each answer after so many bytes."""

    def __init__(self) -> None:
        self.content = GOOD
        self.cut: int | None = None
        self.requests: list[str | None] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                asked = self.headers.get("Range")
                outer.requests.append(asked)
                start = int(asked.removeprefix("bytes=").removesuffix("-")) if asked else 0
                body = outer.content[start:]
                self.send_response(206 if asked else 200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body[: outer.cut])

            def log_message(self, *_: object) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}/games.zip"
        threading.Thread(target=self.http.serve_forever, args=(0.01,), daemon=True).start()

    def archive(self, *, known: bool = True) -> Archive:
        return Archive(self.url, len(GOOD), hashlib.sha256(GOOD).hexdigest()) if known else Archive(self.url)


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.http.shutdown()
    server.http.server_close()


def test_games_are_unpacked_recorded_and_not_fetched_twice(server: Server, tmp_path: Path) -> None:
    seen: list[tuple[int, int | None]] = []
    found = download_alfworld(tmp_path / "data", archive=server.archive(), progress=lambda *at: seen.append(at))
    assert (found / GAME).read_bytes() == b"{}" * 4000
    assert json.loads((found / RECORD).read_text())["sha256"] == hashlib.sha256(GOOD).hexdigest()
    assert seen[-1] == (len(GOOD), len(GOOD))
    assert sorted(path.name for path in found.iterdir()) == ["json_2.1.1", RECORD]
    download_alfworld(tmp_path / "data", archive=server.archive())
    assert len(server.requests) == 1


def test_force_replaces_games_and_leaves_other_files(server: Server, tmp_path: Path) -> None:
    download_alfworld(tmp_path, archive=server.archive())
    (tmp_path / GAME).write_text("spoilt")
    own = (tmp_path / GAME).with_name("traj_data.json")
    own.write_text("mine")
    download_alfworld(tmp_path, archive=server.archive(), force=True)
    assert (tmp_path / GAME).read_bytes() == b"{}" * 4000
    assert own.read_text() == "mine"


def test_a_broken_connection_is_said_and_resumed(server: Server, tmp_path: Path) -> None:
    server.cut = 100
    with pytest.raises(DownloadError, match=f"100 of {len(GOOD)} bytes; try again"):
        download_alfworld(tmp_path, archive=server.archive())
    assert not (tmp_path / "json_2.1.1").exists()
    server.cut = None
    download_alfworld(tmp_path, archive=server.archive())
    assert server.requests == [None, "bytes=100-"]
    assert (tmp_path / GAME).exists()


def test_another_archive_than_the_known_one_is_refused_and_deleted(server: Server, tmp_path: Path) -> None:
    server.content = _zip((GAME, b"forged"))
    archive = Archive(server.url, None, server.archive().sha256)
    with pytest.raises(DownloadError, match=r"not what is published: sha256 \w{64} instead of"):
        download_alfworld(tmp_path, archive=archive)
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_archive_is_held_to_its_first_download(server: Server, tmp_path: Path) -> None:
    download_alfworld(tmp_path, archive=server.archive(known=False))
    download_alfworld(tmp_path, archive=server.archive(known=False), force=True)
    server.content = _zip((GAME, b"changed"))
    with pytest.raises(DownloadError, match="not what was downloaded before"):
        download_alfworld(tmp_path, archive=server.archive(known=False), force=True)
    assert (tmp_path / GAME).read_bytes() == b"{}" * 4000


def _link() -> zipfile.ZipInfo:
    link = zipfile.ZipInfo("json_2.1.1/link")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    return link


@pytest.mark.parametrize("name", ["../outside", "/outside", "json_2.1.1/../../outside", "..\\outside", "C:/x", _link()])
def test_members_that_point_outside_are_refused(server: Server, tmp_path: Path, name: str | zipfile.ZipInfo) -> None:
    server.content = _zip((GAME, b"{}"), (name, b"/etc/passwd"))
    with pytest.raises(DownloadError, match="points outside"):
        download_alfworld(tmp_path / "data", archive=server.archive(known=False))
    assert not (tmp_path / "outside").exists()
    assert not (tmp_path / "data" / "json_2.1.1").exists()


@pytest.mark.parametrize(
    ("content", "said"), [(b"<html>", "no whole zip file"), (_zip(("a.txt", b"")), "no game files")]
)
def test_what_is_no_archive_of_games_is_refused(server: Server, tmp_path: Path, content: bytes, said: str) -> None:
    server.content = content
    with pytest.raises(DownloadError, match=said):
        download_alfworld(tmp_path, archive=server.archive(known=False))
    assert list(tmp_path.iterdir()) == []


def test_no_network_is_one_clear_line(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/games.zip"
    with pytest.raises(DownloadError, match=r"cannot download http.*refused.*set ALFWORLD_DATA") as caught:
        download_alfworld(tmp_path, archive=Archive(url))
    assert "\n" not in str(caught.value)


def test_a_target_that_cannot_be_written_is_said(server: Server, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DownloadError, match="cannot write the data to"):
        download_alfworld(tmp_path / "file" / "data", archive=server.archive())


def test_the_usual_folder_is_alfworlds(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ALFWORLD_DATA", str(tmp_path))
    assert data_folder() == tmp_path
    monkeypatch.delenv("ALFWORLD_DATA")
    assert data_folder() == Path.home() / ".cache" / "alfworld"
