"""Actions on a screen, rewarded by rules (UI-R1, arXiv 2503.21620)."""

from __future__ import annotations

from collections.abc import Mapping

from prmdata.verifiers.calls.likeness import Call, same

BOXES = ("box", "bbox", "bounding_box")
"""What a gold action calls the place where a click counts: left, top, right, bottom."""
POINTS = ("coordinate", "coordinates", "point", "position", "start_point")


def acted(call: Call, gold: Call) -> tuple[float, float]:
    """Whether the kind of action is the same (0 or 1), and whether its arguments are too."""
    (name, own), (wanted, theirs) = call, gold
    if name.casefold() != wanted.casefold():
        return 0.0, 0.0
    if own is None:  # they cannot be read
        return 1.0, 0.0
    return 1.0, float(all(_fits(own, key, value) for key, value in (theirs or {}).items()))


def _fits(own: Mapping[str, object], key: str, value: object) -> bool:
    if key in BOXES and (box := _numbers(value, 4)) is not None:
        left, top, right, bottom = box
        point = _point(own)
        return point is not None and left <= point[0] <= right and top <= point[1] <= bottom
    if isinstance(value, str):
        return isinstance(said := own.get(key), str) and _plain(said) == _plain(value)
    return key in own and same(own[key], value)


def _point(own: Mapping[str, object]) -> list[float] | None:
    if "x" in own and "y" in own:
        return _numbers([own["x"], own["y"]], 2)
    return next((p for name in POINTS if (p := _numbers(own.get(name), 2)) is not None), None)


def _numbers(value: object, count: int) -> list[float] | None:
    if not isinstance(value, list) or len(value) != count:
        return None
    fine = all(isinstance(n, int | float) and not isinstance(n, bool) for n in value)
    return [float(n) for n in value] if fine else None


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())
