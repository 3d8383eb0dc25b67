"""`--engine-arg NAME=VALUE`, read for the samplers that are ours."""

from __future__ import annotations

from collections.abc import Mapping

from prmdata.errors import UsageError, unknown


def whole_number(arguments: Mapping[str, str], name: str, default: int) -> int:
    if name not in arguments:
        return default
    value = arguments[name]
    if not value.isdecimal() or int(value) == 0:
        raise UsageError(f"--engine-arg {name}={value}: must be a whole number above 0")
    return int(value)


def one_of(arguments: Mapping[str, str], name: str, known: tuple[str, ...]) -> str:
    """The first of `known` where nothing is said."""
    value = arguments.get(name, known[0])
    if value not in known:
        raise unknown(name, value, known)
    return value
