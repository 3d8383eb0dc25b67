"""Messages on the pipes of a process of ours: four bytes of length, then the message."""

from __future__ import annotations

import os
import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # a zygote forks the faster without asyncio
    from asyncio.subprocess import Process


def framed(message: bytes) -> bytes:
    return struct.pack("!I", len(message)) + message


def send(pipe: int, message: bytes) -> None:
    data = framed(message)
    while data:
        data = data[os.write(pipe, data) :]


def receive(pipe: int) -> bytes | None:
    """None: there will be no more. Reads this message and not a byte of the next."""
    header = _read(pipe, 4)
    return _read(pipe, struct.unpack("!I", header)[0]) if len(header) == 4 else None


def _read(pipe: int, length: int) -> bytes:
    data = bytearray()
    while len(data) < length and (part := os.read(pipe, min(length - len(data), 1 << 20))):
        data += part
    return bytes(data)


async def answer(process: Process) -> bytes:
    assert process.stdout is not None
    (length,) = struct.unpack("!I", await process.stdout.readexactly(4))
    return await process.stdout.readexactly(length)


def let_go(process: Process) -> None:
    """Close the pipes of a process that was killed."""
    transport = getattr(process, "_transport", None)
    if transport is not None:
        transport.close()
