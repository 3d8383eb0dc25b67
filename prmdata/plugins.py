"""Methods, formats and sources that other packages bring along, by entry points."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from importlib.metadata import entry_points
from typing import Any, TypeVar

T = TypeVar("T")


def with_plugins(group: str, table: Mapping[str, T]) -> dict[str, T]:
    """`table` and the entry points of `group`; the package's own names win."""
    return {**_plugins(group), **table}


@functools.cache
def _plugins(group: str) -> dict[str, Any]:
    return {point.name: point.load() for point in entry_points(group=group)}
