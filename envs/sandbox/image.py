"""The image that containers are made of, built from files of this machine: no registry is asked, nothing is pulled.

Three layers at most: the base holds this Python with its standard library, a shell and the usual small programs, each
with the shared libraries it needs; then the packages a session imports; then the server. The tag names what went in,
so an image is built once and again when Python, a package or the server changes. Whoever has a registry can name an
image of their own in SELFGYM_SANDBOX_IMAGE (it needs Python 3.11 or newer; see the Dockerfile beside this file);
only the server is put on top of that.

Source: Docker Engine API 1.41 (images/create, commit, containers/{id}/archive).
"""

from __future__ import annotations

import compileall
import fcntl
import io
import os
import platform
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from hashlib import blake2b
from importlib import metadata
from pathlib import Path, PurePosixPath
from typing import Any

from selfgym.envs.sandbox.limits import SandboxUnavailable

REPOSITORY = "selfgym-sandbox"
"""Where the images are kept: ``docker image ls selfgym-sandbox`` shows them, all may be removed at any time."""

OWN_IMAGE = "SELFGYM_SANDBOX_IMAGE"
"""The environment variable that names another base image."""

SERVER = "/run/selfgym_guest"
"""Where the server lies inside."""

_GUEST = Path(__file__).parent / "guest"
_PREFIX = "/usr/local"
PACKAGES = f"{_PREFIX}/lib/python{sys.version_info.major}.{sys.version_info.minor}/site-packages"
"""Where packages lie inside."""
_FOLDERS = {"/work": 0o755, "/tmp": 0o1777, "/dev": 0o755, "/proc": 0o755, "/sys": 0o755, "/run": 0o755}
_LIBRARIES = ("libgcc_s.so.1", "libnss_files.so.2")  # loaded by name while a program runs, so ldd cannot know
_DATA = ("/usr/lib/locale/C.utf8", "/usr/share/zoneinfo", "/usr/share/git-core/templates", "/etc/ld.so.cache")
_UNUSED = re.compile(
    r"config-.*|ensurepip|idlelib|lib2to3|site-packages|dist-packages|test|tests|tkinter|turtledemo|_(test|tkinter).*\.so"
)
_PROGRAMS = (
    "sh bash dash env true false echo printf test expr seq yes sleep timeout nohup nice date uname id whoami hostname",
    "tty stty cat head tail tac nl od wc sort uniq cut paste tr comm join split fold tee touch ls cp mv rm ln mkdir",
    "rmdir mkfifo mktemp chmod stat du df dd truncate readlink realpath basename dirname md5sum sha1sum sha256sum",
    "base64 grep egrep fgrep sed awk find xargs diff cmp patch tar gzip gunzip bzip2 xz which ps kill nproc git",
)


def build_image(client: Any, packages: Sequence[str] = ()) -> str:
    """The tag of an image with the installed distributions ``packages`` and the server, built where it is not there.

    ``client`` is a `docker.DockerClient`. Raises `SandboxUnavailable` with what is missing, and `docker.errors`.
    """
    own = os.environ.get(OWN_IMAGE, "")
    base = own or f"{REPOSITORY}:base-{_hash(_base_inputs())}"
    names = () if own else tuple(sorted(_with_requirements(packages)))
    tag = f"{REPOSITORY}:{_hash([base, *_guest_inputs(), *_package_inputs(names)])}"
    if own and not _exists(client, own):
        raise SandboxUnavailable(f"{OWN_IMAGE} names an image that the engine does not have: docker pull {own}")
    if _exists(client, tag):
        return tag
    with _alone():
        if not own and not _exists(client, base):
            changes = [f"ENV PATH={_PREFIX}/bin:/usr/bin:/bin LANG=C.UTF-8", "WORKDIR /work", "USER 1000:1000"]
            client.api.import_image_from_data(_base(), *base.split(":"), changes=changes)
        if not _exists(client, tag):
            _add(client, base, tag, _top(names))
    return tag


@cache
def distributions(modules: tuple[str, ...]) -> list[str]:
    """The installed distributions that modules come from; those of the standard library and unknown ones left out."""
    tops = {name.partition(".")[0] for name in modules} - sys.stdlib_module_names
    known = metadata.packages_distributions() if tops else {}
    return sorted({name for top in tops for name in known.get(top, ())})


class Layer:
    """A tar archive in the making: files of the host under the names they have, or under others."""

    def __init__(self) -> None:
        self._bytes = io.BytesIO()
        self._tar = tarfile.open(fileobj=self._bytes, mode="w")  # noqa: SIM115 (closed by `data`)
        self._names: set[str] = {"/"}

    def data(self) -> bytes:
        """The finished archive."""
        self._tar.close()
        return self._bytes.getvalue()

    def folder(self, path: str, mode: int = 0o755) -> None:
        """A folder, and those above it. Made once: a link that was put there before stays."""
        if path in self._names:
            return
        self.folder(str(PurePosixPath(path).parent))
        entry = self._entry(path)
        entry.type, entry.mode = tarfile.DIRTYPE, mode
        self._tar.addfile(entry)

    def link(self, path: str, target: str) -> None:
        """A symbolic link."""
        if path not in self._names:
            self.folder(str(PurePosixPath(path).parent))
            entry = self._entry(path)
            entry.type, entry.linkname = tarfile.SYMTYPE, target
            self._tar.addfile(entry)

    def file(self, path: str, source: Path) -> None:
        """A copy of a file of the host, with its time of modification: compiled Python refers to it."""
        if path in self._names:
            return
        self.folder(str(PurePosixPath(path).parent))
        info = source.stat()
        entry = self._entry(path)
        entry.size, entry.mtime, entry.mode = info.st_size, int(info.st_mtime), 0o755 if info.st_mode & 0o111 else 0o644
        with source.open("rb") as file:
            self._tar.addfile(entry, file)

    def tree(self, path: str, source: Path, unused: re.Pattern[str] | None = None) -> None:
        """A copy of a folder of the host, without the names that match ``unused``; links are followed."""
        for inner in sorted(source.iterdir()):
            if unused is not None and unused.fullmatch(inner.name):
                continue
            if inner.is_dir():
                self.tree(f"{path}/{inner.name}", inner, unused)
            elif inner.is_file():
                self.file(f"{path}/{inner.name}", inner)

    def as_it_is(self, path: str) -> None:
        """A file of the host under its own name; where that is a link, the links and what they lead to."""
        where = os.path.join(os.path.realpath(os.path.dirname(path)), os.path.basename(path))
        if os.path.islink(where):
            target = os.readlink(where)
            self.link(where, target)
            self.as_it_is(os.path.join(os.path.dirname(where), target))
        elif os.path.isdir(where):
            self.tree(where, Path(where))
        elif where not in self._names:
            self.file(where, Path(where))

    def _entry(self, path: str) -> tarfile.TarInfo:
        self._names.add(path)
        return tarfile.TarInfo(path.lstrip("/"))


def _base() -> bytes:
    """Python, the programs, their libraries and a few files of /etc."""
    layer = Layer()
    for name in ("bin", "sbin", "lib", "lib32", "lib64", "libx32"):
        if os.path.islink(f"/{name}"):
            layer.link(f"/{name}", os.readlink(f"/{name}"))
    for path, mode in _FOLDERS.items():
        layer.folder(path, mode)
    for file in sorted((_GUEST / "etc").iterdir()):
        layer.file(f"/etc/{file.name}", file)
    python = _python()
    name = f"python{sys.version_info.major}.{sys.version_info.minor}"
    layer.file(f"{_PREFIX}/bin/{name}", python)
    layer.folder(PACKAGES)
    for alias in ("python3", "python"):
        layer.link(f"{_PREFIX}/bin/{alias}", name)
    standard = Path(sysconfig.get_path("stdlib"))
    layer.tree(_inside(standard), standard, _UNUSED)
    found = sorted(Path(sysconfig.get_config_var("DESTSHARED")).glob("*.so"))
    extensions = [path for path in found if not _UNUSED.fullmatch(path.name)]
    programs = _programs()
    for program in programs:
        layer.as_it_is(program)
    for library in _libraries([python, *extensions, *map(Path, programs)]):
        layer.as_it_is(library)
    for place in _DATA:
        if os.path.exists(place):
            layer.as_it_is(place)
    return layer.data()


def _top(packages: Sequence[str]) -> bytes:
    """The server, compiled, and the packages with the libraries of the host that they need."""
    compileall.compile_dir(_GUEST, quiet=2)
    layer = Layer()
    layer.tree(SERVER, _GUEST, re.compile("etc"))
    extensions: list[Path] = []
    for name in packages:
        for file in metadata.distribution(name).files or ():
            source = Path(str(file.locate()))
            if ".." not in file.parts and source.is_file():
                layer.file(f"{PACKAGES}/{file.as_posix()}", source)
                extensions += [source] if source.name.endswith(".so") else []
    if packages:
        layer.link(f"{PurePosixPath(PACKAGES).parent}/dist-packages", "site-packages")  # what Debian's Python calls it
    for library in _libraries(extensions):
        if "site-packages" not in library and "dist-packages" not in library:
            layer.as_it_is(library)
    return layer.data()


def _add(client: Any, base: str, tag: str, archive: bytes) -> None:
    """Make the image ``tag`` of ``base`` and an archive, through a container that is never started."""
    from docker.errors import NotFound

    name = f"{tag.replace(':', '-')}-being-built"
    with suppress(NotFound):  # left by a process that was killed right here
        client.api.remove_container(name, force=True)
    client.api.create_container_from_config({"Image": base, "Cmd": ["true"]}, name)
    try:
        client.api.put_archive(name, "/", archive)
        client.api.commit(name, *tag.split(":"))
    finally:
        client.api.remove_container(name, force=True)


def _exists(client: Any, tag: str) -> bool:
    from docker.errors import ImageNotFound

    try:
        client.api.inspect_image(tag)
    except ImageNotFound:
        return False
    return True


@contextmanager
def _alone() -> Iterator[None]:
    """One process builds, the others wait for it. The lock is on a folder that is there anyway."""
    folder = os.open(_GUEST, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def _python() -> Path:
    """This Python's own program, not that of a virtual environment."""
    return Path(os.path.realpath(sys.executable))


def _inside(path: Path) -> str:
    """Where a folder of this Python's prefix lies in the image."""
    return f"{_PREFIX}/{path.relative_to(sys.base_prefix)}"


def _programs() -> list[str]:
    found = (
        shutil.which(name, path="/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin") for name in " ".join(_PROGRAMS).split()
    )
    return [path for path in found if path is not None]


def _libraries(files: Sequence[Path]) -> list[str]:
    """The shared libraries that files of this machine load, by ldd(1)."""
    if not files:
        return []
    if (ldd := shutil.which("ldd")) is None:
        raise SandboxUnavailable("the image cannot be built: there is no ldd, which comes with the C library's tools")
    told = subprocess.run([ldd, *files], capture_output=True, text=True, env={"LC_ALL": "C", "PATH": os.defpath})
    found = set(re.findall(r"(?:^|=>)\s*(/\S+) \(0x", told.stdout, re.MULTILINE))
    beside = {os.path.dirname(path) for path in found if os.path.basename(path).startswith("libc.")}
    found |= {path for folder in beside for name in _LIBRARIES if os.path.exists(path := f"{folder}/{name}")}
    return sorted(found)


def _with_requirements(packages: Iterable[str]) -> set[str]:
    """Distributions and the installed ones they require, by normalised name."""
    found: set[str] = set()
    waiting = list(packages)
    while waiting:
        name = re.sub(r"[-_.]+", "-", waiting.pop()).lower()
        if name in found:
            continue
        found.add(name)
        for requirement in metadata.distribution(name).requires or ():
            other = re.match(r"[\w.-]+", requirement)
            if other and "extra ==" not in requirement and _installed(other[0]):
                waiting.append(other[0])
    return found


def _installed(name: str) -> bool:
    try:
        metadata.distribution(name)
    except metadata.PackageNotFoundError:
        return False
    return True


@cache
def _base_inputs() -> tuple[str, ...]:
    recipe = [Path(__file__), *sorted((_GUEST / "etc").iterdir())]
    files = [str(_python()), *_programs(), *filter(os.path.exists, ("/etc/ld.so.cache",))]
    kept = [f"{path} {os.stat(path).st_mtime_ns}" for path in files]
    return (sys.version, platform.machine(), *(path.read_text() for path in recipe), *kept)


def _guest_inputs() -> list[str]:
    return [path.read_text() for path in sorted(_GUEST.glob("*.py"))]


def _package_inputs(names: Sequence[str]) -> list[str]:
    return [f"{name}\n{metadata.distribution(name).read_text('RECORD')}" for name in names]


def _hash(parts: Iterable[str]) -> str:
    return blake2b("\0".join(parts).encode(), digest_size=8).hexdigest()
