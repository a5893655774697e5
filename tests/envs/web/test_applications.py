"""Servers of existing applications: they die with us, leave nothing behind, and take no damaged data."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from selfgym.envs.core import SnapshotError
from selfgym.envs.web.sites.application import Application
from selfgym.envs.web.sites.installing import Package, install, installed, template
from selfgym.envs.web.sites.roundup import RoundupSite
from selfgym.envs.web.sites.site import SiteError


@pytest.fixture
def site(started: Callable[[type[Application]], Application]) -> Application:
    return started(RoundupSite)


def status(site: Application, path: str = "/issue1") -> int:
    host, port = site.start()
    with urllib.request.urlopen(f"http://{host}:{port}{path}") as answered:
        return int(answered.status)


def process(site: Application) -> int:
    assert site._server is not None
    return int(site._server._process.pid)


def gone(pid: int, seconds: float = 10.0) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        path = Path(f"/proc/{pid}/stat")
        if not path.exists() or path.read_text().split(") ")[1][0] == "Z":
            return True
        time.sleep(0.02)
    return False


def signed(body: bytes) -> bytes:
    return b"selfgym-site-1\n" + hashlib.sha256(body).digest() + body


def test_a_server_dies_with_its_owner_even_by_kill_9(site: Application) -> None:
    script = (
        "import time; from selfgym.envs.web.sites.roundup import RoundupSite\n"
        "site = RoundupSite(); site.start()\n"
        "print(site._server._process.pid, site._server.place, flush=True); time.sleep(600)"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None
        pid, place = owner.stdout.readline().split()
        assert Path(place).exists()
        owner.send_signal(signal.SIGKILL)
        owner.wait()
        assert gone(int(pid))
    until = time.monotonic() + 10
    while Path(place).exists() and time.monotonic() < until:
        time.sleep(0.02)
    assert not Path(place).exists()


def test_close_leaves_neither_processes_nor_files_nor_descriptors(site: Application) -> None:
    def open_files() -> int:
        return len(os.listdir("/proc/self/fd"))

    before, threads = open_files(), threading.active_count()
    for _ in range(2):
        other = type(site)()
        other.start()
        pid, place = process(other), other.data.parent
        other.reset()
        other.load(other.save())
        other.close()
        other.close()
        assert gone(pid, 1.0)
        assert not place.exists()
    assert open_files() == before
    assert threading.active_count() == threads


def test_a_site_that_is_forgotten_is_closed(site: Application) -> None:
    other = type(site)()
    other.start()
    pid, place = process(other), other.data.parent
    del other
    assert gone(pid, 1.0)
    assert not place.exists()


@pytest.mark.parametrize("then", ["start", "reset", "load"])
def test_a_dead_server_is_an_error_and_then_starts_anew(site: Application, then: str) -> None:
    saved = site.save()
    os.kill(process(site), signal.SIGKILL)
    assert gone(process(site))
    with pytest.raises(SiteError, match="has ended"):
        site.save()
    with pytest.raises(SiteError, match="has ended"), site.reading():
        pass
    if then == "load":
        site.load(saved)
    else:
        getattr(site, then)()
    assert status(site) == 200


def test_a_server_that_dies_while_it_is_asked_is_an_error(site: Application) -> None:
    os.kill(process(site), signal.SIGSTOP)
    killer = threading.Timer(0.2, os.kill, (process(site), signal.SIGKILL))
    killer.start()
    with pytest.raises(SiteError, match="start it anew"):
        site.reset()
    killer.join()
    site.reset()
    assert status(site) == 200


def test_damaged_and_foreign_snapshots_change_nothing(site: Application) -> None:
    status(site)
    saved = site.save()
    label, _, state = zlib.decompress(saved[47:]).partition(b"\n")
    head, _, rest = state.partition(b"\n")
    outside = json.dumps({"requests": 0, "files": [["../evil", len(rest)]]}).encode()
    damaged = [
        b"",
        b"nonsense",
        saved[:-1],
        saved + b"x",
        saved[:100] + bytes([saved[100] ^ 1]) + saved[101:],
        signed(b"not compressed"),
        signed(zlib.compress(b'["tracker", "1.0", "1"]\n' + state)),
        signed(zlib.compress(label + b"\n" + head + b"\n" + rest[1:])),
        signed(zlib.compress(label + b"\n" + outside + b"\n" + rest)),
        signed(zlib.compress(label + b"\n[]\n")),
    ]
    for data in damaged:
        with pytest.raises(SnapshotError):
            site.load(data)
    assert site.save() == saved


def test_reset_save_and_load_are_quick(site: Application) -> None:
    saved = site.save()
    taken = {}
    for name, act in {"reset": site.reset, "save": site.save, "load": lambda: site.load(saved)}.items():
        times = []
        for _ in range(5):
            begin = time.perf_counter()
            act()
            times.append(time.perf_counter() - begin)
        taken[name] = min(times)
    assert max(taken.values()) < 0.05, taken


def test_requests_at_once_are_answered_one_after_the_other(site: Application) -> None:
    found: list[int] = []
    threads = [threading.Thread(target=lambda: found.append(status(site))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [200] * 6
    head = zlib.decompress(site.save()[47:]).split(b"\n")[1]
    assert json.loads(head)["requests"] == 6


def test_a_browser_that_neither_speaks_nor_reads_holds_up_nobody(site: Application) -> None:
    with socket.create_connection(site.start()) as silent, socket.create_connection(site.start()) as deaf:
        silent.sendall(b"POST /issue1 HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n")
        deaf.sendall(b"GET /issue HTTP/1.1\r\nHost: x\r\n\r\n" * 20)
        begin = time.monotonic()
        site.reset()
        assert status(site) == 200
        assert time.monotonic() - begin < 10


@pytest.mark.skipif(os.geteuid() != 0, reason="not root: the server has no more rights than we")
def test_the_server_of_root_is_nobody(site: Application) -> None:
    told = Path(f"/proc/{process(site)}/status").read_text()
    assert "Uid:\t65534\t65534\t65534\t65534" in told
    assert "CapEff:\t0000000000000000" in told


def test_what_is_not_installed_says_how_to_install_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SELFGYM_SITES", str(tmp_path / "sites"))
    assert installed(RoundupSite.package) is None
    with pytest.raises(SiteError, match="run: selfgym download sites"):
        RoundupSite().start()
    assert not list(tmp_path.rglob("template*"))


def test_a_failing_installation_says_why_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SELFGYM_SITES", str(tmp_path))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    package = Package("nothing", "1", ("no-such-package-of-selfgym==1",), "roundup_server")
    with pytest.raises(SiteError, match="pip could not install nothing"):
        install(package, str)
    assert installed(package) is None
    assert [path for path in package.folder.iterdir() if path.is_dir()] == []


def test_two_that_prepare_at_once_get_one_template(site: Application, tmp_path: Path) -> None:
    script = (
        "from selfgym.envs.web.sites.roundup import RoundupSite as R; from selfgym.envs.web.sites.installing import *"
    )
    sites = tmp_path / "sites"
    folder = site.package.folder
    (sites / folder.name).mkdir(parents=True)
    (sites / folder.name / "venv").symlink_to(folder / "venv")
    command = [sys.executable, "-c", f"{script}\nprint(template(R.package))"]
    variables = {**os.environ, "SELFGYM_SITES": str(sites)}
    both = [subprocess.Popen(command, env=variables, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    told = {process.communicate()[0].strip() for process in both}
    assert len(told) == 1
    made = Path(told.pop())
    ours = template(site.package)
    assert [path.name for path in (sites / folder.name).iterdir() if path.is_dir() and not path.is_symlink()] == [
        made.name
    ]
    assert (made / "data" / "db").read_bytes() == (ours / "data" / "db").read_bytes()
