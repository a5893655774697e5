"""Parts of the sandbox that can be looked at without opening one: frames, the system call filter, control groups."""

from __future__ import annotations

import errno
import json
import re
import struct
from contextlib import suppress
from functools import cache
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from selfgym.envs.sandbox import cgroups, seccomp
from selfgym.envs.sandbox.guest import wire
from selfgym.envs.sandbox.limits import Limits
from selfgym.envs.sandbox.snapshot import Snapshot

TEXT = st.text(st.characters(codec=None), max_size=20)  # surrogates too: file names may hold them
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=20,
)
ALLOW, KILL = 0x7FFF0000, 0x80000000
AUDIT = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
HEADERS = {
    "x86_64": Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h"),
    "aarch64": Path("/usr/include/asm-generic/unistd.h"),
}


@example({"": -(10**37)}, b"", 1)
@given(st.dictionaries(TEXT, VALUES, max_size=5), st.binary(max_size=200), st.integers(1, 50))
def test_frames_arrive_as_they_were_sent_however_they_are_cut(header, body, size):
    frames = wire.Frames()
    data = wire.pack(header, body) * 2
    taken = []
    for start in range(0, len(data), size):
        frames.feed(data[start : start + size])
        while (frame := frames.take()) is not None:
            taken.append(frame)
    assert taken == [(header, body)] * 2
    assert not frames.holding


@given(st.binary(max_size=60) | st.text("idlenrtf0123456789:;-.", max_size=40).map(str.encode))
def test_a_header_that_is_none_is_refused_and_nothing_worse(data):
    with suppress(wire.WireError):
        assert wire.pack({"": wire.decode(data)})  # what could be read can be written


@pytest.mark.parametrize(
    "data", [b"\xff" * 8, b"\0\0\0\2\0\0\0\0le", b"\0\0\0\1\0\0\0\0x", b"\0\0\3\xe8\0\0\0\0" + b"l" * 1000]
)
def test_what_is_no_frame_is_said(data):
    frames = wire.Frames()
    frames.feed(data)
    with pytest.raises(wire.WireError):
        frames.take()


@cache
def instructions(machine: str) -> list[tuple[int, int, int, int]]:
    return list(struct.iter_unpack("HBBI", seccomp.program(machine)))


def decide(machine: str, number: int, *arguments: int, audit: int | None = None) -> int:
    """What the kernel would do: the filter run on one call, as linux/filter.h says."""
    program = instructions(machine)
    data = struct.pack("=iIQ6Q", number, AUDIT[machine] if audit is None else audit, 0, *(*arguments, *[0] * 6)[:6])
    accumulator = at = 0
    while True:
        code, yes, no, value = program[at]
        at += 1
        if code == 0x20:
            accumulator = struct.unpack_from("=I", data, value)[0]
        elif code == 0x06:
            return value
        else:
            holds = {0x15: accumulator == value, 0x25: accumulator > value, 0x45: bool(accumulator & value)}[code]
            at += yes if holds else no


def refusal(code: int) -> int:
    return 0x00050000 | code


MACHINES = pytest.mark.parametrize(("machine", "column"), [("x86_64", 0), ("aarch64", 1)])


@MACHINES
def test_the_filter_refuses_what_is_listed_and_allows_the_rest(machine, column):
    refused = {numbers[column] for numbers in seccomp.REFUSED.values()}
    for number in range(seccomp.NEWEST + 1):
        expected = refusal(errno.EPERM) if number in refused else ALLOW
        if number == 435:
            expected = refusal(errno.ENOSYS)
        if number == (41, 198)[column]:
            expected = refusal(errno.EAFNOSUPPORT)  # family 0
        assert decide(machine, number) == expected, number
    assert decide(machine, seccomp.NEWEST + 1) == refusal(errno.ENOSYS)
    assert decide(machine, 0x40000000) == KILL
    assert decide(machine, 0, audit=0x40000003) == KILL  # i386


@MACHINES
def test_the_filter_looks_at_arguments(machine, column):
    clone, unshare, socket, ioctl = (pair[column] for pair in ((56, 220), (272, 97), (41, 198), (16, 29)))
    for bit in range(32):
        flag = 1 << bit
        isolating = flag & seccomp.NAMESPACES
        assert decide(machine, unshare, flag) == (refusal(errno.EPERM) if isolating else ALLOW)
        if bit >= 8:
            assert decide(machine, clone, flag | 17) == (refusal(errno.EPERM) if isolating else ALLOW)
    assert decide(machine, clone, 0x3D0F00) == ALLOW  # a thread
    for family in range(50):
        expected = ALLOW if family in (1, 2, 10) else refusal(errno.EAFNOSUPPORT)
        assert decide(machine, socket, family) == expected
    assert decide(machine, ioctl, 0, 0x5412) == decide(machine, ioctl, 0, 0x541C) == refusal(errno.EPERM)
    assert decide(machine, ioctl, 0, 0x5413) == ALLOW
    for name, (numbers, place) in seccomp.SERVER.items():
        arguments = [0] * 4
        assert decide(machine, numbers[column], *arguments) == ALLOW, name
        arguments[place] = 1
        assert decide(machine, numbers[column], *arguments) == refusal(errno.EPERM), name
    for name, user in seccomp.OF_A_USER.items():
        assert decide(machine, seccomp.SERVER[name][0][column], user, 5) == refusal(errno.EPERM), name


@MACHINES
def test_the_numbers_are_the_kernels(machine, column):
    header = HEADERS[machine]
    if not header.exists():
        pytest.skip(f"the kernel's header {header} is not installed")
    found = re.findall(r"#define __NR(?:3264)?_(\w+) (\d+)", header.read_text())
    defined = {name: int(number) for name, number in found}
    listed = seccomp.REFUSED | {name: numbers for name, (numbers, _) in seccomp.SERVER.items()}
    wrong = {
        name: (numbers[column], defined[name])
        for name, numbers in listed.items()
        if name in defined and numbers[column] != defined[name]
    }
    assert not wrong
    assert sum(name in defined for name in listed) > 50


def test_the_docker_profile_names_the_same_calls():
    profile = json.loads(json.dumps(seccomp.docker_profile()))
    rules = profile["syscalls"]
    assert profile["defaultAction"] == "SCMP_ACT_ALLOW"
    assert set(seccomp.REFUSED) <= {name for rule in rules if "args" not in rule for name in rule["names"]}
    assert all(rule["action"] == "SCMP_ACT_ERRNO" for rule in rules)
    refused = {rule["args"][0]["value"] for rule in rules if rule["names"] == ["socket"]}
    assert not refused & {1, 2}
    assert {0, 16, 17} - refused == {16, 17}  # families above 10 are refused by one rule


def test_no_filter_for_an_unknown_processor():
    assert not seccomp.supported("vax")
    with pytest.raises(KeyError):
        seccomp.program("vax")


def test_a_group_of_version_2_says_its_limits_in_the_files_of_version_2(tmp_path, monkeypatch):
    monkeypatch.setattr(cgroups, "_groups", lambda pid: [("", "/user.slice/session.scope")])
    mounts = [("/", tmp_path, "cgroup2", ["rw"])]
    monkeypatch.setattr(cgroups, "_mounts", lambda: mounts)
    beside = tmp_path / "user.slice"
    beside.mkdir()
    assert cgroups.hierarchy() is None
    (beside / "cgroup.subtree_control").write_text("cpu memory pids\n")
    where = cgroups.hierarchy()
    assert where is not None
    assert where.version == 2
    limits = Limits(memory=100, disk=10, cpus=0.5)
    group = cgroups.Cgroup(where, limits, 7)
    (made,) = beside.glob("selfgym-*")
    assert (made / "memory.max").read_text() == "120"
    assert (made / "pids.max").read_text() == "7"
    assert (made / "cpu.max").read_text() == "50000 100000"
    (made / "memory.events").write_text("low 0\noom 3\noom_kill 2\n")
    (made / "pids.events").write_text("max 4\n")
    assert group.hits() == {"memory": 2, "processes": 4}
    for file in made.iterdir():
        file.unlink()
    group.remove()
    assert not made.exists()


def test_groups_of_dead_processes_are_swept_and_those_of_living_ones_are_not(tmp_path):
    dead, alive, other = tmp_path / "selfgym-999999999-5-0", tmp_path / "selfgym-1-x-0", tmp_path / "somebody-else"
    own = cgroups.Cgroup(cgroups.Hierarchy(2, {}), Limits(), 1)  # makes nothing, but draws a name like any other
    own.remove()
    for folder in (dead, alive, other):
        folder.mkdir()
    assert cgroups.sweep(cgroups.Hierarchy(2, {"memory": tmp_path})) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["selfgym-1-x-0", "somebody-else"]


@pytest.mark.parametrize(
    "field", ["timeout", "memory", "processes", "disk", "files", "output", "open_files", "cpu", "cpus"]
)
@pytest.mark.parametrize("value", [0, -1, float("nan")])
def test_limits_that_limit_nothing_are_refused(field, value):
    with pytest.raises(ValueError, match=f"the limit {field} must be"):
        Limits(**{field: value})


def test_a_snapshot_survives_its_bytes_and_foreign_bytes_are_refused():
    from selfgym.envs.sandbox.guest.tree import digest

    content = b"hello"
    snapshot = Snapshot(
        (("/work", "folder", 0o755, 5, ""), ("/work/\udcff", "file", 0o644, 7, digest(content))),
        {digest(content): content},
    )
    again = Snapshot.from_bytes(snapshot.to_bytes())
    assert again == snapshot
    assert again.key == snapshot.key
    later = Snapshot((("/work", "folder", 0o755, 99, ""), *snapshot.nodes[1:]), snapshot.blobs)
    assert later.key == snapshot.key  # times are left out
    for data in (b"", b"x", snapshot.to_bytes()[:-3], snapshot.to_bytes().replace(b"tree-1", b"tree-2")):
        with pytest.raises(ValueError, match="snapshot"):
            Snapshot.from_bytes(data)
