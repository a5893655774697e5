"""The only way out of a browser context: a proxy that lets through what is on its list and nothing else.

The browser sends every request here, those of service workers, prefetching, pop-ups and web sockets included, and
cannot resolve a name by itself. A name may stand for a server on this machine, so that the addresses an agent sees are
the same in every run.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable, Mapping
from ipaddress import ip_address
from urllib.parse import urlsplit

Address = tuple[str, int]
_MOST_HEAD = 2**16  # bytes of a request's head
_MOST_REFUSED = 100
_REFUSAL = b"This host is not on the list of hosts that the task allows.\n"


class Gate:
    """Lets a context reach ``sites``, names that stand for servers on this machine, and the public ``hosts``.

    An entry of ``hosts`` is ``example.org``, ``*.example.org`` or either with ``:port``; without one it means the
    ports 80 and 443. Whoever owns a public name says where it leads, so it may not lead to this machine.
    """

    def __init__(self, sites: Mapping[str, Address], hosts: Iterable[str] = ()) -> None:
        self.sites, self.hosts = dict(sites), tuple(hosts)
        self.refused: list[str] = []
        """Hosts that were asked for and are not allowed, each once, in order."""
        self._server: asyncio.Server | None = None
        self._links: set[asyncio.StreamWriter] = set()

    async def open(self) -> str:
        """Begin to listen, and return the address for the browser."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=_MOST_HEAD)
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def close(self) -> None:
        """Stop, and cut what is open."""
        if self._server is not None:
            self._server.close()
            for link in self._links:
                link.close()
            self._server = None

    def allows(self, host: str, port: int) -> Address | None:
        """Where a request for ``host`` goes; None where it may not go anywhere."""
        host = host.lower().rstrip(".")
        if host in self.sites:
            return self.sites[host] if port in (80, self.sites[host][1]) else None
        for entry in self.hosts:
            name, _, wanted = entry.lower().partition(":")
            fits = host.endswith(name[1:]) if name.startswith("*.") else host == name
            if fits and (port == int(wanted) if wanted else port in (80, 443)):
                return host, port
        return None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._links.add(writer)
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError):
            await self._answer(reader, writer)
        self._links.discard(writer)
        writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        first, _, rest = head.partition(b"\r\n")
        method, target, version = first.decode("latin-1").split(" ")
        tunnel = method == "CONNECT"
        parts = urlsplit(f"//{target}" if tunnel else target)
        host, port = parts.hostname or "", parts.port or (443 if tunnel else 80)
        address = self.allows(host, port)
        if address is None:
            self._refuse(f"{host}:{port}" if port not in (80, 443) else host, writer)
            await writer.drain()
            return
        try:
            far_reader, far_writer = await asyncio.open_connection(*address)
        except OSError as error:
            body = f"{host} does not answer: {error}\n".encode()
            writer.write(_response(502, "Bad Gateway", body))
            await writer.drain()
            return
        if self._astray(host, far_writer.get_extra_info("peername")[0]):
            far_writer.close()
            self._refuse(f"{host} (which leads to this machine)", writer)
            await writer.drain()
            return
        self._links.add(far_writer)
        there: asyncio.Task[None] | None = None
        try:
            if tunnel:
                writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            else:  # one request a connection, so that nobody needs to know where a body ends
                path = parts.path or "/"
                path += f"?{parts.query}" if parts.query else ""
                far_writer.write(f"{method} {path} {version}\r\n".encode("latin-1") + _closing(rest))
            there = asyncio.create_task(_copy(reader, far_writer))
            await _copy(far_reader, writer)
        finally:
            if there is not None:
                there.cancel()
                await asyncio.gather(there, return_exceptions=True)
            self._links.discard(far_writer)
            far_writer.close()

    def _astray(self, host: str, peer: str) -> bool:
        """Whether a public name led to this machine, or to what answers this machine only, as its owner may have it."""
        found = ip_address(peer.partition("%")[0])
        meant = host.lower().rstrip(".") in (*self.sites, "localhost", peer)
        return not meant and (found.is_loopback or found.is_link_local or found.is_unspecified)

    def _refuse(self, host: str, writer: asyncio.StreamWriter) -> None:
        if host not in self.refused and len(self.refused) < _MOST_REFUSED:
            self.refused.append(host)
        writer.write(_response(403, "Forbidden", _REFUSAL))


def _response(status: int, words: str, body: bytes) -> bytes:
    head = f"HTTP/1.1 {status} {words}\r\nContent-Type: text/plain\r\nContent-Length: {len(body)}\r\n"
    return head.encode() + b"Connection: close\r\n\r\n" + body


def _closing(headers: bytes) -> bytes:
    """The headers of a request with the connection's own replaced by one that closes it."""
    kept = [
        line for line in headers.split(b"\r\n") if not line.lower().startswith((b"connection:", b"proxy-connection:"))
    ]
    return b"Connection: close\r\n" + b"\r\n".join(kept)


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(2**16):
        writer.write(data)
        await writer.drain()
    if writer.can_write_eof():
        writer.write_eof()
