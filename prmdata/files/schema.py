"""The Arrow schema of a record, derived from its dataclass: one definition, two formats.

Free-form dictionaries become JSON strings, since Arrow structs would invent nulls in them.
"""

from __future__ import annotations

import dataclasses
import functools
import types
import typing
from typing import Any, Literal, get_args, get_origin

import msgspec


def arrow_schema(record: type) -> object:
    import pyarrow as pa

    hints = typing.get_type_hints(record)
    return pa.schema(
        [
            pa.field(f.name, _arrow_type(hints[f.name]))
            for f in dataclasses.fields(record)
            if f.name != "stream"
        ]
    )


def _arrow_type(hint: object) -> object:
    import pyarrow as pa

    hint = without_none(hint)
    plain = {str: pa.string(), int: pa.int64(), float: pa.float64(), bool: pa.bool_()}
    if hint in plain:
        return plain[hint]
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        hints = typing.get_type_hints(hint)
        return pa.struct([(f.name, _arrow_type(hints[f.name])) for f in dataclasses.fields(hint)])
    origin = get_origin(hint)
    if origin is tuple:
        inner = get_args(hint)
        if len(inner) == 2 and inner[1] is Ellipsis:
            return pa.list_(_arrow_type(inner[0]))
        return pa.string()  # a pair: JSON
    if origin is Literal:
        return pa.string()
    if origin is dict or hint is dict:
        return pa.string()
    raise TypeError(f"no Arrow type for {hint}")


def to_row(record: object) -> dict[str, object]:
    """A record as the Python values that its Arrow schema takes."""
    kind: object = type(record)
    row = _packer(kind)(record)
    row.pop("stream", None)
    return typing.cast("dict[str, Any]", row)


@functools.cache
def _packer(kind: Any) -> Any:
    hints = typing.get_type_hints(kind)
    parts = [(f.name, _pack_of(hints[f.name])) for f in dataclasses.fields(kind)]

    def pack(record: object) -> dict[str, object]:
        return {
            name: (value if part is None or value is None else part(value))
            for name, part in parts
            for value in (getattr(record, name),)
        }

    return pack


def _pack_of(hint: object) -> Any:
    """The function that packs one field, or `None` where the value is stored as it is."""
    hint = without_none(hint)
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return _packer(hint)
    origin = get_origin(hint)
    if origin is tuple:
        inner = get_args(hint)
        if len(inner) == 2 and inner[1] is Ellipsis:
            part = _pack_of(inner[0])
            return list if part is None else (lambda values: [part(value) for value in values])
        return _json
    return _json if origin is dict or hint is dict else None


def unpacked(hint: object, value: Any) -> Any:
    """What `to_row` made of a value of this type, with its JSON strings read again."""
    hint = without_none(hint)
    if value is None:
        return None
    if dataclasses.is_dataclass(hint):
        hints = _hints(typing.cast("type", hint))
        return {name: unpacked(hints[name], part) for name, part in value.items()}
    origin = get_origin(hint)
    if origin is tuple and get_args(hint)[-1] is Ellipsis:
        return [unpacked(get_args(hint)[0], part) for part in value]
    packed = origin in (tuple, dict) or hint is dict
    return msgspec.json.decode(value) if packed else value


_hints = functools.cache(typing.get_type_hints)


def _json(value: object) -> str:
    """With keys in the order that they have: a chat template prints them so."""
    return msgspec.json.encode(value).decode()


def without_none(hint: object) -> object:
    if get_origin(hint) in (typing.Union, types.UnionType):
        inner = [part for part in get_args(hint) if part is not type(None)]
        return inner[0]
    return hint
