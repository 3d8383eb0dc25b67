"""Messages on the pipes of a process of ours: four bytes of length, then the message."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:  # a zygote forks the faster without asyncio
    from asyncio.subprocess import Process


def framed(message: bytes) -> bytes:
    return struct.pack("!I", len(message)) + message


def send(sink: BinaryIO, message: bytes) -> None:
    sink.write(framed(message))
    sink.flush()


def receive(source: BinaryIO) -> bytes | None:
    """None: there will be no more."""
    header = source.read(4)
    return source.read(struct.unpack("!I", header)[0]) if header else None


async def answer(process: Process) -> bytes:
    assert process.stdout is not None
    (length,) = struct.unpack("!I", await process.stdout.readexactly(4))
    return await process.stdout.readexactly(length)


def let_go(process: Process) -> None:
    """Close the pipes of a process that was killed."""
    transport = getattr(process, "_transport", None)
    if transport is not None:
        transport.close()
