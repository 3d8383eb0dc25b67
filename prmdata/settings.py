"""`--set name=value` → the fields of a frozen dataclass, checked against their types."""

from __future__ import annotations

import dataclasses
import math
import types
import typing
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, TypeVar

import msgspec

from prmdata.errors import UsageError, unknown

T = TypeVar("T")

Count = Annotated[int, msgspec.Meta(ge=1)]
Whole = Annotated[int, msgspec.Meta(ge=0)]
Positive = Annotated[float, msgspec.Meta(gt=0)]
Amount = Annotated[float, msgspec.Meta(ge=0)]
Share = Annotated[float, msgspec.Meta(ge=0, le=1)]


def configured(kind: type[T], settings: Mapping[str, Any]) -> T:
    """An instance of the dataclass `kind`; text is read as the field's type asks."""
    fields = {f.name: f for f in dataclasses.fields(kind)}  # type: ignore[arg-type]
    hints = typing.get_type_hints(kind, include_extras=True)
    values = {}
    for name, value in settings.items():
        if name not in fields:
            raise unknown("setting", name, fields)
        if typing.get_origin(hints[name]) is typing.Literal:
            values[name] = _chosen(name, value, typing.get_args(hints[name]))
            continue
        try:
            values[name] = msgspec.convert(_plain(value), hints[name], strict=False)
        except msgspec.ValidationError as error:
            raise UsageError(f"--set {name}={value}: {error}") from None
        if isinstance(values[name], float) and not math.isfinite(values[name]):
            raise UsageError(f"--set {name}={value}: must be a number")
    for name, field in fields.items():
        required = field.default is field.default_factory is dataclasses.MISSING
        if required and name not in values:
            raise UsageError(f"{kind.__name__.lower()} needs a {name}: --set {name}=…")
    return kind(**values)


def _chosen(name: str, value: Any, choices: tuple[Any, ...]) -> Any:
    """One of a few words, as it stands: `none` may be one of them."""
    for choice in choices:
        if str(choice) == str(value):
            return choice
    raise UsageError(f"--set {name}={value}: write {' or '.join(map(str, choices))}")


def _plain(value: Any) -> Any:
    if isinstance(value, str) and value.lower() in ("none", "null"):
        return None
    if isinstance(value, str) and value.lower() in ("yes", "true", "no", "false"):
        return value.lower() in ("yes", "true")
    return value


def pairs(options: Iterable[str], option: str) -> dict[str, str]:
    """`name=value` words, also several in one, separated by commas where values hold none."""
    found = {}
    for words in options:
        for word in _split(words):
            name, mark, value = word.partition("=")
            if not mark or not name:
                raise UsageError(f"{option} {word}: write it as name=value")
            found[name.strip()] = value
    return found


def _split(words: str) -> list[str]:
    parts = words.split(",")
    return parts if all("=" in part for part in parts) else [words]


def describe(kind: type) -> list[tuple[str, str, str]]:
    """Each setting's name, type and default, as text."""
    hints = typing.get_type_hints(kind)
    return [
        (
            f.name,
            _type_name(hints[f.name]),
            "" if f.default is dataclasses.MISSING else str(f.default),
        )
        for f in dataclasses.fields(kind)
    ]


def _type_name(hint: Any) -> str:
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        return " | ".join(_type_name(part) for part in typing.get_args(hint))
    if hint is type(None):
        return "None"
    return hint.__name__ if isinstance(hint, type) else str(hint).replace("typing.", "")


def settings_of(configured: Any) -> dict[str, Any]:
    """Every setting with its value, defaults included."""
    return dataclasses.asdict(configured)
