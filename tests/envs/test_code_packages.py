"""The packages that repair tasks are made from: the list, fetching from an index of our own, reading archives."""

import hashlib
import io
import tarfile
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from selfgym.envs.code import package_index
from selfgym.envs.code.packages import (
    PACKAGES,
    Package,
    PackageError,
    data_folder,
    fetch,
    files_of,
    find_package,
    is_test,
    source_files,
)

FILES = {
    "tiny-1.0/tiny/__init__.py": b"def one():\n    return 1\n",
    "tiny-1.0/tiny/data.txt": b"some data\n",
    "tiny-1.0/tiny/tests/test_tiny.py": b"import tiny\n\ndef test_one():\n    assert tiny.one() == 1\n",
    "tiny-1.0/tiny/tests/test_slow.py": b"import time\n",
    "tiny-1.0/tiny/__pycache__/__init__.cpython-311.pyc": b"\0",
    "tiny-1.0/setup.py": b"raise SystemExit('this must never run')\n",
}


def _archive(files: dict[str, bytes], *links: str) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
        for name in links:
            member = tarfile.TarInfo(name)
            member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"
            archive.addfile(member)
    return out.getvalue()


def _package(data: bytes) -> Package:
    return Package(
        name="Tiny.Package",
        version="1.0",
        archive="tiny-1.0.tar.gz",
        sha256=hashlib.sha256(data).hexdigest(),
        split="train",
        sources=("tiny",),
        tests=("tiny/tests",),
        left_out=(("tiny/tests/test_slow.py", "slow"),),
    )


GOOD = _archive(FILES, "tiny-1.0/tiny/link.py")


class Index:
    """A package index that serves one file, below a page that links to it relatively, as mirrors do."""

    def __init__(self) -> None:
        self.content = GOOD
        self.login: str | None = None
        self.asked: list[str] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.asked.append(self.path)
                outer.login = self.headers.get("Authorization")
                pages = {
                    "/simple/tiny-package/": b'<a href="../../files/tiny-0.9.tar.gz">old</a>'
                    b'<a href="../../files/tiny-1.0.tar.gz#sha256=ab">tiny</a>',
                    "/files/tiny-1.0.tar.gz": outer.content,
                }
                body = pages.get(self.path)
                self.send_response(404 if body is None else 200)
                self.send_header("Content-Length", str(len(body or b"")))
                self.end_headers()
                self.wfile.write(body or b"")

            def log_message(self, *_: object) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.host = f"127.0.0.1:{self.http.server_port}"
        threading.Thread(target=self.http.serve_forever, args=(0.01,), daemon=True).start()


@pytest.fixture
def index(monkeypatch: pytest.MonkeyPatch) -> Iterator[Index]:
    index = Index()
    monkeypatch.setenv("PIP_INDEX_URL", f"http://{index.host}/simple/")
    yield index
    index.http.shutdown()
    index.http.server_close()


def _kept(folder: Path, data: bytes) -> Package:
    package = _package(data)
    (folder / package.archive).write_bytes(data)
    return package


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SELFGYM_CODE_DATA", str(tmp_path))
    return tmp_path


def test_the_list_is_pinned_and_no_split_is_empty() -> None:
    splits = [package.split for package in PACKAGES]
    assert len({package.name for package in PACKAGES}) == len(PACKAGES) >= 8
    assert min(splits.count(split) for split in ("train", "valid", "test")) >= 2
    for package in PACKAGES:
        assert len(package.sha256) == 64
        assert package.version in package.archive
        assert all(reason for _, reason in package.left_out)


def test_an_unknown_name_suggests_the_nearest() -> None:
    assert find_package("h11").split == "test"
    with pytest.raises(PackageError, match=r"no package 'bolton'.*did you mean 'boltons'\?"):
        find_package("bolton")
    with pytest.raises(PackageError, match="there are boltons, cachetools"):
        find_package("zzz")


def test_an_archive_is_fetched_once(index: Index, folder: Path) -> None:
    package = _package(GOOD)
    file = fetch(package)
    assert file == folder / "tiny-1.0.tar.gz"
    assert file.read_bytes() == GOOD
    assert index.asked == ["/simple/tiny-package/", "/files/tiny-1.0.tar.gz"]
    assert fetch(package) == file
    assert len(index.asked) == 2
    assert [path.name for path in folder.iterdir()] == [file.name]


def test_a_damaged_archive_is_fetched_again(index: Index, folder: Path) -> None:
    package = _package(GOOD)
    (folder / package.archive).write_bytes(GOOD[:100])
    with pytest.raises(PackageError, match="its sha256 differs; run `selfgym download code`"):
        files_of(package)
    assert fetch(package).read_bytes() == GOOD


def test_an_archive_that_was_changed_is_not_kept(index: Index, folder: Path) -> None:
    index.content = _archive({**FILES, "tiny-1.0/tiny/evil.py": b""})
    with pytest.raises(PackageError, match=r"not the archive that tasks were made from.*not kept"):
        fetch(_package(GOOD))
    assert list(folder.iterdir()) == []


def test_without_a_network_it_says_what_to_do(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    with pytest.raises(PackageError, match=r"cannot download Tiny.Package 1.0: .*copy tiny-1.0.tar.gz") as caught:
        fetch(_package(GOOD))
    assert "\n" not in str(caught.value)
    with pytest.raises(PackageError, match=r"not on this machine.*run `selfgym download code`"):
        files_of(_package(GOOD))


def test_a_version_the_index_lacks(index: Index, folder: Path) -> None:
    with pytest.raises(PackageError, match=r"does not list tiny-2.0.tar.gz"):
        fetch(replace(_package(GOOD), archive="tiny-2.0.tar.gz"))


def test_a_password_goes_to_the_index_and_into_no_message(
    index: Index, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", f"http://me:secret%21@{index.host}/simple")
    fetch(_package(GOOD))
    assert index.login == "Basic bWU6c2VjcmV0IQ=="
    monkeypatch.setenv("PIP_INDEX_URL", "http://me:secret@127.0.0.1:9/simple")
    with pytest.raises(PackageError) as caught:
        fetch(replace(_package(GOOD), archive="other.tar.gz"))
    assert "secret" not in str(caught.value)


def test_the_index_is_the_one_pip_is_configured_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PIP_INDEX_URL", raising=False)
    configuration = tmp_path / "pip.conf"
    configuration.write_text("[global]\nindex-url = https://mirror.example/simple\n", "utf-8")
    monkeypatch.setenv("PIP_CONFIG_FILE", str(configuration))
    assert package_index.index_url() == "https://mirror.example/simple"


def test_an_index_that_is_no_web_address(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "file:///etc")
    with pytest.raises(PackageError, match="must be an http or https address"):
        fetch(_package(GOOD))


def test_the_workspace_is_sources_and_tests_only(folder: Path) -> None:
    package = _kept(folder, GOOD)
    files = files_of(package)
    assert list(files) == ["tiny/__init__.py", "tiny/data.txt", "tiny/tests/test_tiny.py"]
    assert files["tiny/data.txt"] == b"some data\n"
    assert source_files(package) == ["tiny/__init__.py"]
    assert is_test(package, "tiny/tests/test_tiny.py")
    assert not is_test(package, "tiny/testsuite.py")
    files["tiny/__init__.py"] = b"changed"
    assert files_of(package)["tiny/__init__.py"] != b"changed"


def test_an_archive_that_points_outside_is_refused(folder: Path) -> None:
    package = _kept(folder, _archive({"tiny-1.0/tiny/../../evil.py": b""}))
    with pytest.raises(PackageError, match=r"refused, its member 'tiny-1.0/tiny/../../evil.py'"):
        files_of(package)


def test_an_archive_that_would_fill_the_memory_is_refused(folder: Path) -> None:
    package = _kept(folder, _archive({"tiny-1.0/tiny/huge.py": bytes(5 << 20)}))
    with pytest.raises(PackageError, match="too large"):
        files_of(package)


def test_real_packages_hold_sources_and_tests() -> None:
    here = [package for package in PACKAGES if (data_folder() / package.archive).exists()]
    if not here:
        pytest.skip("no package is on this machine: run `selfgym download code` to test with the real ones")
    for package in here:
        files = files_of(package)
        sources = source_files(package)
        assert sources
        assert any(is_test(package, path) and path.endswith(".py") for path in files)
        assert all(any(path.startswith(place) for place in package.sources) for path in sources)
        for test, _ in package.left_out:
            file, is_id, _ = test.partition("::")
            assert (file in files) == bool(is_id)
