"""A connection to a message bus that asks many things at once and waits for all answers: what walking a tree needs.

Messages are put together and taken apart by dbus-fast, whose own connections wait for each answer in turn or need an
event loop. An error answer is `None`: elements vanish while one asks about them. Specification: D-Bus 1.0.
"""

from __future__ import annotations

import io
import socket
import struct
import time
from collections.abc import Iterable
from functools import lru_cache
from typing import Any, NamedTuple

from gymnasium.error import DependencyNotInstalled

try:
    from dbus_fast import Message, MessageType
    from dbus_fast._private.unmarshaller import Unmarshaller
except ImportError:
    raise DependencyNotInstalled("the desktop needs dbus-fast: pip install 'selfgym[desktop]'") from None

_READ = 1 << 18
_MOST_MESSAGE = 1 << 27  # the specification's own limit


class Call(NamedTuple):
    """A question to an object on the bus."""

    destination: str
    path: str
    interface: str
    member: str
    signature: str = ""
    body: tuple[Any, ...] = ()


class BusError(OSError):
    """The bus is gone, or does not answer in time."""


class Bus:
    """A connection. Not for several threads."""

    def __init__(self, path: str, deadline: float) -> None:
        """Connect to the socket at ``path``. ``deadline``: of `time.monotonic`. Raises `BusError`."""
        self._socket = socket.socket(socket.AF_UNIX)
        self._buffer = bytearray()
        self._serial = 0
        try:
            self._limit(deadline)
            self._socket.connect(path)
            self._socket.sendall(b"\0AUTH EXTERNAL\r\nDATA\r\nBEGIN\r\n")
            words = self._lines(deadline)
            if not words[-1].startswith(b"OK"):
                raise BusError(f"the bus refuses: {words[-1].decode('ascii', 'replace')}")
            hello = self.ask([Call("org.freedesktop.DBus", "/", "org.freedesktop.DBus", "Hello")], deadline)
        except BusError:
            self.close()
            raise
        except OSError as error:
            self.close()
            raise BusError(f"the bus cannot be reached: {error}") from None
        if hello[0] is None:
            self.close()
            raise BusError("the bus does not greet")

    def ask(self, calls: Iterable[Call], deadline: float) -> list[list[Any] | None]:
        """What each call returned, in order; ``None`` for an error. Raises `BusError`, then it should be closed."""
        places: dict[int, int] = {}
        pieces = []
        for place, call in enumerate(calls):
            self._serial += 1
            places[self._serial] = place
            pieces.append(_message(call, self._serial))
        answers: list[list[Any] | None] = [None] * len(places)
        try:
            self._limit(deadline)
            self._socket.sendall(b"".join(pieces))
            while places:
                for frame in self._frames():
                    answer = Unmarshaller(io.BytesIO(frame)).unmarshall()  # type: ignore[arg-type]
                    number = answer.reply_serial if answer is not None else None
                    if answer is None or number not in places:  # a signal, or a question to us
                        continue
                    asked = places.pop(number)
                    if answer.message_type is MessageType.METHOD_RETURN:
                        answers[asked] = answer.body
                if places:
                    self._more(deadline)
        except OSError as error:
            raise BusError(f"the bus does not answer: {error}") from None
        return answers

    def close(self) -> None:
        """Hang up; doing it again does nothing."""
        self._socket.close()

    def _limit(self, deadline: float) -> None:
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("timed out")
        self._socket.settimeout(left)

    def _more(self, deadline: float) -> None:
        self._limit(deadline)
        data = self._socket.recv(_READ)
        if not data:
            raise BusError("it has hung up")
        self._buffer += data

    def _lines(self, deadline: float) -> list[bytes]:
        """What is said before the first message: the challenge and the verdict."""
        while self._buffer.count(b"\r\n") < 2 and not self._buffer.startswith(b"REJECTED"):
            self._more(deadline)
        lines = bytes(self._buffer).split(b"\r\n")
        del self._buffer[:]
        return lines[:2] if len(lines) > 2 else lines[:1]

    def _frames(self) -> Iterable[bytes]:
        """The whole messages that have arrived."""
        start = 0
        while len(self._buffer) - start >= 16:
            order = "<" if self._buffer[start : start + 1] == b"l" else ">"
            body, _, fields = struct.unpack_from(f"{order}III", self._buffer, start + 4)
            size = 16 + (fields + 7 & ~7) + body
            if size > _MOST_MESSAGE:
                raise BusError("it sends nonsense")
            if len(self._buffer) - start < size:
                break
            yield bytes(self._buffer[start : start + size])
            start += size
        del self._buffer[:start]


def _message(call: Call, serial: int) -> bytes:
    """A question as it goes over the wire: of thousands, most differ in path and number only."""
    shape = (call.destination, call.interface, call.member, call.signature, call.body)
    start, middle, end = _shaped(*shape, len(call.path))
    return b"".join((start, serial.to_bytes(4, "little"), middle, call.path.encode("ascii"), end))


@lru_cache(maxsize=4096)
def _shaped(
    destination: str, interface: str, member: str, signature: str, body: tuple[Any, ...], length: int
) -> tuple[bytes, bytes, bytes]:
    """What stands before the number, between it and a path of so many characters, and behind that."""
    path = "/".ljust(length, "x")
    message = Message(
        destination=destination,
        path=path,
        interface=interface,
        member=member,
        signature=signature,
        body=list(body),
        serial=1,
    )
    wire = message._marshall(False)
    middle, _, end = wire[12:].partition(path.encode())
    return bytes(wire[:8]), bytes(middle), bytes(end)
