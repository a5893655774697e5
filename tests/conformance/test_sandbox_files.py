"""Contained: files that a program leaves for the host to stumble over when it puts, gets, lists, removes."""

# ruff: noqa: SIM105

import io
import os
import stat
import threading
import time
import zipfile
from pathlib import Path

import pytest

from selfgym.envs.sandbox.limits import SandboxError, SandboxFileError
from selfgym.envs.sandbox.snapshot import Snapshot

from .sandbox_host import empty, program

MB = 2**20


@pytest.fixture(autouse=True)
def clean(box):
    """Every test starts with an empty workspace."""
    empty(box)


def run(box, source):
    result = box.exec(source)
    assert result.ok, result
    return result


@pytest.mark.parametrize(
    "how", ["a link", "a link to a link", "a link to its folder", "the path itself", "a relative path"]
)
def test_get_through_links(box, host, how):
    path, _ = host.secret_file("/tmp")
    folder, name = os.path.split(path)
    up = "../" * 20 + path.lstrip("/")
    run(box, f"import os\nos.symlink({path!r}, 'link')\nos.symlink('link', 'link2')\nos.symlink({folder!r}, 'folder')")
    asked = {"a link": "link", "a link to a link": "link2", "a link to its folder": f"folder/{name}"}
    asked |= {"the path itself": path, "a relative path": up}
    with pytest.raises(SandboxFileError):
        box.get(asked[how])


def test_put_through_a_link(box, host):
    path, secret = host.secret_file("/tmp")
    run(box, f"import os\nos.symlink({path!r}, 'link')")
    try:
        box.put("link", "changed")
    except SandboxFileError:
        pass
    assert Path(path).read_text() == secret


def test_put_below_a_link(box, host):
    folder = host.folder()
    run(box, f"import os\nos.symlink({str(folder)!r}, 'folder')")
    for name in ("folder/new", "folder/deeper/new", f"../../../..{folder}/new", f"{folder}/new"):
        try:
            box.put(name, "new")
        except SandboxFileError:
            pass
    assert list(folder.iterdir()) == []


def test_list_remove_and_restore_through_links(box, host):
    path, secret = host.secret_file(host.folder())
    folder = os.path.dirname(path)
    run(box, f"import os\nos.symlink({folder!r}, 'folder')\nos.symlink({path!r}, 'file')")
    tree = box.snapshot()
    assert [entry.kind for entry in box.list(recursive=True)] == ["link", "link"]
    assert secret.encode() not in tree.blobs.values()
    box.remove("folder")
    box.remove("file")
    box.restore(tree)
    assert Path(path).read_text() == secret
    with pytest.raises(SandboxFileError):
        box.list("folder")


def test_removing_a_link_leaves_what_it_leads_to(box):
    run(box, "import os\nos.makedirs('kept/inner')\nopen('kept/inner/file', 'w').close()\nos.symlink('kept', 'link')")
    box.remove("link")
    assert box.get("kept/inner/file") == b""


@pytest.mark.parametrize(
    "path", ["/usr/bin/env", "/etc/passwd", "/new", "/proc/self/comm", "/dev/null", "/usr/lib/new/new"]
)
def test_put_to_the_system(box, path):
    with pytest.raises(SandboxFileError):
        box.put(path, "new")


@pytest.mark.parametrize("path", ["/usr", "/etc/passwd", "/proc/1", "/dev/null", "nothing"])
def test_remove_of_the_system(box, path):
    with pytest.raises(SandboxFileError):
        box.remove(path)


@pytest.mark.parametrize("path", [".", "/work", "/tmp", "/"])
def test_removing_everything(box, only_contained, path):
    box.put("file", "x")
    try:
        box.remove(path)
    except SandboxFileError:
        pass
    box.put("file", "y")
    assert run(box, "print(open('file').read())").stdout == b"y\n"
    assert box.exec("import os; open('/tmp/file', 'w').close(); print(os.getcwd())").stdout == b"/work\n"


def test_the_program_removes_everything(box, only_contained):
    script = "rm -rf --no-preserve-root / /work /work/* /tmp/* 2>/dev/null; cd /; rmdir /work /tmp"
    box.exec(["sh", "-c", script], timeout=2)
    box.put("file", "y")
    assert run(box, "print(open('file').read())").stdout == b"y\n"


def test_link_loops(box):
    def guest():
        import os

        os.mkdir("d")
        for target, link in (("a", "b"), ("b", "a"), ("..", "d/up"), (".", "d/self")):
            os.symlink(target, link)

    run(box, program(guest))
    with pytest.raises(SandboxFileError):
        box.get("a")
    with pytest.raises(SandboxFileError):
        box.put("a/file", "x")
    assert sorted(entry.path for entry in box.list(recursive=True)) == ["a", "b", "d", "d/self", "d/up"]
    tree = box.snapshot()
    box.remove("d")
    box.restore(tree)
    assert box.snapshot().key == tree.key


SPECIAL = {
    "named pipe": "import os; os.mkfifo('x')",
    "socket": "import socket; socket.socket(socket.AF_UNIX).bind('x')",
    "folder": "import os; os.mkdir('x')",
    "link to endless zeros": "import os; os.symlink('/dev/zero', 'x')",
    "link to the standard input": "import os; os.symlink('/dev/stdin', 'x')",
    "link to memory": "import os; os.symlink('/proc/self/mem', 'x')",
    "link to the environment of process 1": "import os; os.symlink('/proc/1/environ', 'x')",
    "link to nothing": "import os; os.symlink('nothing', 'x')",
}


@pytest.mark.parametrize("what", SPECIAL)
def test_get_of_what_is_no_file(box, what):
    run(box, SPECIAL[what])
    start = time.monotonic()
    with pytest.raises(SandboxFileError):
        box.get("x")
    if "link" not in what:
        with pytest.raises(SandboxFileError):
            box.put("x", "new")
    tree = box.snapshot()
    box.remove("x")
    box.restore(tree)
    assert len(box.list()) == 1
    assert time.monotonic() - start < 5


def resident_peak():
    return int(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0]) * 1024


def test_large_and_sparse_files(box, only_contained):
    """Many files that look enormous: getting one fails by its size, taking the tree fails or stays small."""

    def guest():
        import os

        for number in range(50):
            with open(f"sparse{number}", "w") as file:
                os.truncate(file.fileno(), 100 * 2**20)

    run(box, program(guest))
    Path("/proc/self/clear_refs").write_text("5")
    before, start = resident_peak(), time.monotonic()
    with pytest.raises(SandboxFileError):
        box.get("sparse1")
    with pytest.raises(SandboxFileError):
        box.get("sparse2", limit=1000)
    try:
        box.snapshot()
    except SandboxFileError:
        pass
    assert resident_peak() - before < 400 * MB
    assert time.monotonic() - start < 15
    box.put("small", b"x" * 1000)
    assert len(box.get("small", limit=1000)) == 1000


def test_get_has_a_limit(box):
    box.put("file", b"x" * 1001)
    with pytest.raises(SandboxFileError, match="1001"):
        box.get("file", limit=1000)


@pytest.mark.parametrize(
    ("name", "depth"), [("d", 2000), ("a-long-name-" * 8, 1000)], ids=["short names", "long names"]
)
def test_deep_folders(box, name, depth):
    def guest(name, depth):
        import os

        for _ in range(depth):
            os.mkdir(name)
            os.chdir(name)
        with open("bottom", "w") as file:
            file.write("deep")

    run(box, program(guest, name=name, depth=depth))
    start = time.monotonic()
    try:
        assert len(box.list(recursive=True)) == depth + 1
        tree = box.snapshot()
        box.restore(tree)
        assert box.snapshot().key == tree.key
        complaint = ""
    except SandboxFileError as error:
        complaint = str(error)
    assert not complaint or "too long" in complaint or "too deep" in complaint
    box.remove(name)
    assert box.list() == []
    assert time.monotonic() - start < 20


def test_ten_thousand_files(box):
    def guest():
        import os

        for folder in range(100):
            os.mkdir(f"d{folder}")
            for number in range(99):
                with open(f"d{folder}/{number}", "w") as file:
                    file.write(str(number))

    run(box, program(guest))
    tree = box.snapshot()
    assert len(box.list(recursive=True)) == 10_000
    run(box, "import shutil\nfor n in range(0, 100, 2): shutil.rmtree(f'd{n}')\nopen('d1/1', 'w').write('other')")
    box.restore(tree)
    assert box.snapshot().key == tree.key
    assert box.get("d98/7") == b"7"


AWKWARD = [
    b"new\nline",
    b"\xff\xfe not utf-8",
    b" ",
    b"-rf",
    b"quote'\"",
    b"\x01\x1b[31m",
    b".erase-0",
    "naïve 文件".encode(),
    b"a" * 255,
]


def test_awkward_names(box):
    def guest(names):
        import os

        for number, name in enumerate(names):
            os.mkdir(b"folder of " + name[:200])
            for path in (name, b"folder of " + name[:200] + b"/" + name):
                with open(path, "wb") as file:
                    file.write(str(number).encode())

    run(box, program(guest, names=AWKWARD))
    tree = box.snapshot()
    assert {entry.path for entry in box.list() if entry.kind == "file"} == {os.fsdecode(name) for name in AWKWARD}
    for number, name in enumerate(AWKWARD):
        assert box.get(os.fsdecode(name)) == str(number).encode()
        box.put(os.fsdecode(name), f"{number}!")
    again = Snapshot.from_bytes(tree.to_bytes())
    assert again.key == tree.key
    box.restore(again)
    for number, name in enumerate(AWKWARD):
        inner = os.fsdecode(b"folder of " + name[:200] + b"/" + name)
        assert box.get(inner) == str(number).encode()
        box.remove(os.fsdecode(name))
        box.remove(os.path.dirname(inner))
    assert box.list() == []


def test_names_that_removing_uses_itself(box):
    def guest():
        import os

        for outer in ("-0", "-1", "-2"):
            for inner in ("-0", "-1", "-2", "x"):
                os.makedirs(f"top/.erase{outer}/.erase{inner}/.erase-0")

    run(box, program(guest))
    box.remove("top")
    assert box.list() == []


@pytest.mark.parametrize("path", ["", "a\0b"])
def test_paths_that_are_none(box, path):
    for ask in (box.get, box.remove, box.list, lambda path: box.put(path, "x")):
        with pytest.raises((ValueError, SandboxFileError)):
            ask(path)


@pytest.mark.parametrize("path", ["x" * 300, "x/" * 3000 + "x"])
def test_paths_that_are_too_long(box, path):
    for ask in (box.get, box.remove, box.list, lambda path: box.put(path, "x")):
        with pytest.raises(SandboxFileError):
            ask(path)


def test_hard_links(box, host):
    run(box, "import os\nopen('a', 'w').write('same')\nos.mkdir('d')\nos.link('a', 'd/b')\nos.link('a', 'c')")
    tree = box.snapshot()
    run(box, "import os\nos.unlink('a')\nopen('d/b', 'w').write('other')")
    box.restore(tree)
    assert run(box, "import os; print(os.stat('a').st_nlink, os.path.samefile('d/b', 'c'))").stdout == b"3 True\n"
    run(box, "open('a', 'a').write('!')")
    assert box.get("d/b") == b"same!"


@pytest.mark.parametrize("path", ["/usr/bin/env", "/etc/passwd", "/proc/self/environ"])
def test_hard_links_to_the_system(box, only_contained, path):
    result = box.exec(f"import os\nos.link({path!r}, 'link')")
    assert result.exit_code == 1, result


def test_zip_bomb(box):
    """A file is a file: nothing on the host looks into it."""
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("first", bytes(50 * MB))
        for number in range(50):
            archive.writestr(f"../../../../tmp/selfgym-test-{number}", b"x")
    Path("/proc/self/clear_refs").write_text("5")
    before = resident_peak()
    box.put("bomb.zip", bomb.getvalue())
    tree = box.snapshot()
    box.restore(tree)
    assert box.get("bomb.zip") == bomb.getvalue()
    assert resident_peak() - before < 20 * MB
    assert not list(Path("/tmp").glob("selfgym-test-*"))


def test_more_than_there_is_room_for(open_box):
    box = open_box(disk=4 * MB, files=100)
    with pytest.raises(SandboxFileError):
        box.put("large", bytes(5 * MB))
    with pytest.raises(SandboxFileError):
        box.put_all({f"d/{number}": b"" for number in range(200)})
    empty(box)
    box.put("file", bytes(3 * MB))
    assert len(box.get("file")) == 3 * MB


def test_restoring_more_than_there_is_room_for(open_box):
    large, small = open_box(disk=16 * MB), open_box(disk=4 * MB)
    large.put("large", os.urandom(8 * MB))
    with pytest.raises(SandboxFileError):
        small.restore(large.snapshot())
    small.restore(open_box().snapshot())
    assert small.list() == []
    assert small.exec("print(1)").ok


def test_a_tree_that_leads_out(box, host):
    """A tree whose paths climb out of the workspace, as only a forged one has, ends in an error, never on the host."""
    folder = host.folder()
    box.put("file", "forged")
    tree = box.snapshot()
    mode, mtime = stat.S_IFREG | 0o644, 0
    content = next(iter(tree.blobs))
    for path in (f"/work/../..{folder}/file", f"{folder}/file", "/usr/bin/forged", "/work/../usr/bin/forged", "file"):
        forged = Snapshot((*tree.nodes, (path, "file", mode & 0o7777, mtime, content)), tree.blobs)
        try:
            box.restore(forged)
        except (SandboxFileError, ValueError):
            pass
    assert list(folder.iterdir()) == []
    assert not Path("/usr/bin/forged").exists()
    box.restore(tree)
    assert box.get("file") == b"forged"


def test_a_file_that_is_swapped_for_a_link_while_it_is_read(box, host, only_contained):
    path, secret = host.secret_file("/tmp")

    def guest(path):
        import os
        import time

        end = time.monotonic() + 2
        while time.monotonic() < end:
            with open("new", "w") as file:
                file.write("mine")
            os.rename("new", "swapped")
            os.symlink(path, "new")
            os.rename("new", "swapped")

    thread = threading.Thread(target=box.exec, args=(program(guest, path=path),))
    thread.start()
    seen = set()
    while thread.is_alive():
        try:
            seen.add(box.get("swapped"))
        except SandboxFileError:
            pass
    thread.join()
    assert secret.encode() not in seen


def test_a_closed_session_says_so(open_box):
    box = open_box()
    box.close()
    box.close()
    for ask in (lambda: box.exec("print(1)"), lambda: box.put("a", "b"), box.snapshot, box.fork, box.list):
        with pytest.raises(SandboxError, match="closed"):
            ask()


def test_the_workspace_is_closed(box, only_contained):
    """A program takes every right to its workspace away: a tree can be taken, one put back, and all is well again."""
    box.put("file", "x")
    before = box.snapshot()
    run(box, "import os\nos.chmod('/tmp', 0)\nos.chmod('/work', 0)")
    box.exec("print(1)")
    closed = box.snapshot()
    assert closed.blobs == before.blobs
    box.restore(before)
    assert box.get("file") == b"x"
    assert run(box, "open('/tmp/new', 'w').close(); print(open('file').read())").stdout == b"x\n"


def test_a_full_workspace_can_be_taken(open_box, only_contained):
    """Both folders full to the brim, with the usual limits: that is allowed, so the server must be able to carry it."""

    def guest(folder, number):
        import os

        with open(f"{folder}/{number}", "wb") as file:
            file.write(os.urandom(25 * 2**20))

    box = open_box()
    for folder in (".", "/tmp"):
        for number in range(5):
            assert box.exec(program(guest, folder=folder, number=number)).ok
    assert len(box.get("4")) == 25 * MB
    tree = box.snapshot()
    with box.fork() as twin:
        assert twin.snapshot().key == tree.key
    assert box.exec("print(1)").ok


def test_more_names_than_can_be_told(open_box):
    """Thousands of files whose paths are thousands of characters long: an error about files at worst."""

    def guest():
        import os

        for _ in range(18):
            os.mkdir("n" * 200)
            os.chdir("n" * 200)
        for number in range(19_900):
            os.close(os.open(f"{'f' * 200}{number}", os.O_CREAT))

    box = open_box()
    assert run(box, program(guest)).ok
    for ask in (box.snapshot, lambda: box.list(recursive=True)):
        try:
            ask()
        except SandboxFileError:
            pass
    box.remove("n" * 200)
    assert box.list() == []
