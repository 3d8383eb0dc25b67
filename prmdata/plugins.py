"""Methods, formats and sources that other packages bring along, by entry points."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import Any, TypeVar

from prmdata.errors import UsageError

T = TypeVar("T")


def with_plugins(group: str, table: Mapping[str, T]) -> dict[str, T]:
    """`table` and the entry points of `group`; the package's own names win."""
    return {**_plugins(group), **table}


@functools.cache
def _plugins(group: str) -> dict[str, Any]:
    return {point.name: _loaded(point) for point in entry_points(group=group)}


def _loaded(point: EntryPoint) -> Any:
    try:
        return point.load()
    except (ImportError, AttributeError) as error:
        package = point.dist.name if point.dist is not None else point.value
        raise UsageError(
            f"the plug-in '{point.name}' of {package} cannot be loaded ({error}); install what it "
            f"needs, or take it out with pip uninstall {package}"
        ) from None
