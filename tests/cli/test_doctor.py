"""`selfgym doctor` says what is there, what is missing and how to get it, and never fails for it."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import time
from pathlib import Path

import pytest

from selfgym.cli import main
from selfgym.cli.sandboxes import Asked, _backend, packages_check
from selfgym.envs.code.packages import PACKAGES
from selfgym.envs.sandbox.limits import SandboxUnavailable
from selfgym.envs.sandbox.opening import probe


def report(capsys: pytest.CaptureFixture[str]) -> dict[str, dict]:
    assert main(["doctor", "--json"]) == 0
    return {check["name"]: check for check in json.loads(capsys.readouterr().out)}


def test_it_reports_this_machine(capsys: pytest.CaptureFixture[str]) -> None:
    checks = report(capsys)
    assert checks["Python"]["found"].startswith(platform.python_version())
    assert "cores" in checks["machine"]["found"]
    assert {"torch", "transformers", "Chromium", "applications", "vllm", "ray", "Code-v0 packages"} <= checks.keys()


def test_the_core_install_is_enough_for_it(tmp_path: Path) -> None:
    extras = "torch transformers peft accelerate gguf pyarrow tensorboard matplotlib playwright PIL Xlib dbus_fast"
    program = (
        f"import sys; sys.modules.update(dict.fromkeys({extras.split()!r}))\n"
        "from selfgym.cli import main; sys.exit(main(['doctor', '--json']))"
    )
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=tmp_path)
    assert answer.returncode == 0, answer.stderr
    checks = {check["name"]: check for check in json.loads(answer.stdout)}
    assert not any(checks[name]["ok"] for name in ("torch", "Xlib", "PIL", "pyarrow"))


def test_what_is_missing_comes_with_how_to_get_it(capsys: pytest.CaptureFixture[str]) -> None:
    missing = [check for check in report(capsys).values() if not check["ok"]]
    assert all(check["remedy"] and check["use"] for check in missing)


def test_alfworld_games_are_found_where_the_variable_says(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALFWORLD_DATA", str(tmp_path))
    check = report(capsys)["ALFWorld games"]
    assert not check["ok"]
    assert "selfgym download alfworld" in check["remedy"]
    game = tmp_path / "json_2.1.1/valid_seen/pick/trial/game.tw-pddl"
    game.parent.mkdir(parents=True)
    game.write_text("{}")
    assert report(capsys)["ALFWorld games"]["ok"]


def test_a_person_reads_lines(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor"]) == 0
    assert capsys.readouterr().out.startswith("ok       Python")


def test_the_local_sandbox_is_what_a_session_finds(capsys: pytest.CaptureFixture[str]) -> None:
    check = report(capsys).get("local sandbox")
    if check is None:
        pytest.skip(f"there are no sandboxes on {sys.platform}")
    try:
        guarantees, reason = probe(), ""
    except SandboxUnavailable as error:
        guarantees, reason = None, str(error)
    assert check["ok"] == (guarantees is not None)
    assert (" ".join(guarantees.namespaces) if guarantees else reason) in check["found"]


def test_without_an_engine_the_docker_line_says_where_it_was_looked_for(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("docker")
    monkeypatch.setenv("DOCKER_HOST", "unix:///no/such/socket")
    check = report(capsys)["Docker sandbox"]
    assert not check["ok"]
    assert "/no/such/socket" in check["found"]
    assert "DOCKER_HOST" in check["remedy"]


def test_packages_are_counted_by_what_is_in_them(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SELFGYM_CODE_DATA", str(tmp_path))
    (tmp_path / PACKAGES[0].archive).write_bytes(b"not an archive")
    check = packages_check()
    assert check.found == f"0 of {len(PACKAGES)} archives in {tmp_path}"
    assert "selfgym download code" in check.remedy
    assert main(["envs", "--json"]) == 0
    [code] = [entry for entry in json.loads(capsys.readouterr().out) if entry["name"] == "selfgym/Code-v0"]
    assert not code["available"]
    assert code["needs"]


def test_every_gap_is_a_line_with_its_remedy() -> None:
    told = {"namespaces": ["pid"], "seccomp": True, "landlock": 0, "cgroup": []}
    gaps = ["no Landlock (Linux 5.13 and newer has it): one layer less", "programs have no name"]
    sandbox, *lines = _backend("local sandbox", told | {"gaps": gaps}, "by bwrap", "install it")
    assert sandbox.ok
    assert sandbox.found == "by bwrap: namespaces pid, seccomp, no Landlock, no control groups"
    assert [line.name for line in lines] == ["local sandbox: gap 1", "local sandbox: gap 2"]
    assert (lines[0].found, lines[0].remedy) == ("no Landlock: one layer less", "Linux 5.13 and newer has it")
    assert all(not line.ok and line.remedy and line.use for line in lines)


@pytest.mark.parametrize("stubborn", [False, True])
def test_what_does_not_answer_is_ended(stubborn: bool, tmp_path: Path) -> None:
    program = (
        "import os, signal, sys, time\n"
        f"signal.signal(signal.SIGTERM, {'signal.SIG_IGN' if stubborn else 'lambda *_: sys.exit(1)'})\n"
        f"open({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid()))\n"
        "time.sleep(600)"
    )
    asked = Asked(program, seconds=1.0)
    begun = time.monotonic()
    assert asked.answer() == {"unavailable": "no answer within 1 seconds"}
    assert time.monotonic() - begun < 30
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


@pytest.mark.parametrize(
    ("program", "words"),
    [("raise SystemExit('no luck')", "no luck"), ("print('[')", "exit code 0"), ("import nonsense", "nonsense")],
)
def test_what_breaks_is_told_in_words(program: str, words: str) -> None:
    assert words in Asked(program).answer()["unavailable"]
