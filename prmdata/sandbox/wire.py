"""Values between a program's process and its tests': plain data by copy, all else by a number.

Both ends are in the sandbox; what arrives is parsed as JSON, never evaluated.
"""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any

MOST_BYTES = 8 << 20
_PLAIN = (bool, int, float, str, type(None))
_SEQUENCES: dict[type, str] = {list: "list", tuple: "tuple", set: "set", frozenset: "frozenset"}
_MAKERS: dict[str, Callable[[Any], Any]] = {
    "list": list, "tuple": tuple, "set": set, "frozenset": frozenset, "bytes": bytes.fromhex,
    "complex": lambda parts: complex(*parts), "fraction": Fraction, "decimal": Decimal,
}  # fmt: skip


class Closed(Exception):
    """The other end is gone, or sends what is no message."""


def send(channel: int, message: object) -> None:
    data = json.dumps(message).encode()
    if len(data) > MOST_BYTES:
        raise ValueError("too much to send")
    data = struct.pack("!I", len(data)) + data
    while data:
        data = data[os.write(channel, data) :]


def receive(channel: int) -> Any:
    (length,) = struct.unpack("!I", _exactly(channel, 4))
    if length > MOST_BYTES:
        raise Closed
    try:
        return json.loads(_exactly(channel, length))
    except (ValueError, RecursionError):
        raise Closed from None


def _exactly(channel: int, length: int) -> bytes:
    data = bytearray()
    while len(data) < length:
        part = os.read(channel, min(length - len(data), 1 << 16))
        if not part:
            raise Closed
        data += part
    return bytes(data)


def packed(value: Any, other: Callable[[object], object]) -> object:
    """`other` packs what is not plain data."""
    kind = type(value)
    if kind in _PLAIN:
        return value
    if isinstance(value, tuple | list | set | frozenset):
        name = next(name for base, name in _SEQUENCES.items() if isinstance(value, base))
        return [name, [packed(item, other) for item in value]]
    if isinstance(value, dict):
        return ["dict", [[packed(k, other), packed(v, other)] for k, v in value.items()]]
    if isinstance(value, bytes | bytearray):
        return ["bytes", value.hex()]
    if kind is complex:
        return ["complex", [value.real, value.imag]]
    if kind in (Fraction, Decimal):
        return [kind.__name__.lower(), str(value)]
    if isinstance(value, int):  # a subclass may lie about itself: take what it is
        return int.__pos__(value)
    if isinstance(value, float):
        return float.__pos__(value)
    if isinstance(value, str):
        return str.__getitem__(value, slice(None))
    return other(value)


def unpacked(data: object, other: Callable[[str, object], object]) -> object:
    if not isinstance(data, list):
        return data
    name, held = data
    if name == "dict":
        return {unpacked(k, other): unpacked(v, other) for k, v in held}
    if name in ("list", "tuple", "set", "frozenset"):
        return _MAKERS[name](unpacked(item, other) for item in held)
    return _MAKERS[name](held) if name in _MAKERS else other(name, held)
