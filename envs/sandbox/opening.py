"""The door: `open_sandbox` opens a session on a backend, `probe` says whether one could be opened and with what.

It fails closed: where the isolation that a backend stands for cannot be had, it raises `SandboxUnavailable` with what
is missing. Running without isolation has to be asked for twice, by name and by ``unsafe=True``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Literal

from selfgym.envs.sandbox.limits import Limits, SandboxUnavailable
from selfgym.envs.sandbox.link import Guarantees, Link, Options
from selfgym.envs.sandbox.sandbox import Sandbox

Backend = Literal["local", "docker", "unsafe"]


def open_sandbox(
    backend: Backend = "local",
    *,
    limits: Limits | None = None,
    preimport: Sequence[str] = (),
    readonly: Sequence[str] | Mapping[str, str] = (),
    env: Mapping[str, str] | None = None,
    unsafe: bool = False,
) -> Sandbox:
    """A new session.

    ``backend``: ``local`` (bubblewrap), ``docker`` (an engine and the image of `selfgym.envs.sandbox.image`) or
    ``unsafe`` (a bare process; only with ``unsafe=True``). ``preimport``: modules imported once, before the first
    program. ``readonly``: folders or files of the host that programs may read, at the same path or, as a mapping, at
    another. ``env``: environment variables of every program. Raises `SandboxUnavailable`, and `ValueError` for an
    argument that cannot be meant.
    """
    if isinstance(preimport, str) or isinstance(readonly, str):
        raise ValueError("preimport and readonly are lists, not single texts")
    start = _starter(backend, unsafe)
    shown = dict(readonly) if isinstance(readonly, Mapping) else {path: path for path in readonly}
    for inside in shown.values():
        if not inside.startswith("/"):
            raise ValueError(f"readonly: {inside!r} is no absolute path inside the sandbox")
    options = Options(limits or Limits(), tuple(preimport), shown, dict(env or {}))
    return _open(start, options)


def probe(backend: Backend = "local") -> Guarantees:
    """What a session of this backend would stand for on this machine; opens one to see. Raises `SandboxUnavailable`."""
    with open_sandbox(backend) as sandbox:
        result = sandbox.exec("print(6 * 7)")
        if result.stdout != b"42\n":
            raise SandboxUnavailable(f"a session opens, but a program in it does not run: {result.text.strip()}")
        return sandbox.guarantees


def _open(start: Callable[[Options], Link], options: Options) -> Sandbox:
    return Sandbox(start(options), options, partial(_open, start, options))


def _starter(backend: str, unsafe: bool) -> Callable[[Options], Link]:
    if backend == "local":
        from selfgym.envs.sandbox.local import LocalLink

        return LocalLink
    if backend == "docker":
        from selfgym.envs.sandbox.container import DockerLink

        return DockerLink
    if backend == "unsafe":
        if not unsafe:
            raise SandboxUnavailable("the backend 'unsafe' isolates nothing; say unsafe=True if that is what you want")
        from selfgym.envs.sandbox.bare import BareLink

        return BareLink
    raise ValueError(f"there is no sandbox backend {backend!r}; there are local, docker and unsafe")
