"""Which words after a number are a unit, and which units are the same.

Measures come from a list. Nouns that are counted ("35 cars") are recognised by their plural; words
that change a number ("5 million", "18 or 19", "2 pi") are never units.
"""

from __future__ import annotations

import functools
import re


def _listed(words: str) -> list[str]:
    return words.split()


SAME = {
    "mm": "millimeter millimetre", "cm": "centimeter centimetre", "m": "meter metre",
    "km": "kilometer kilometre", "in": "inch", "ft": "foot feet", "yd": "yard", "mi": "mile",
    "mg": "milligram", "g": "gram gm", "kg": "kilogram kilo", "lb": "pound lbs", "oz": "ounce",
    "t": "ton tonne", "ml": "milliliter millilitre", "l": "liter litre", "gal": "gallon",
    "s": "second sec", "min": "minute", "h": "hour hr", "day": "", "week": "wk", "month": "",
    "year": "yr", "$": "dollar usd buck", "cent": "¢", "€": "euro eur", "£": "gbp", "¥": "yen",
    "₹": "rupee", "degree": "deg °", "%": "percent", "rad": "radian",
    "mi/h": "mph", "km/h": "kph kmh",
    "unit": "", "square": "sq", "cubic": "cu", "j": "joule", "w": "watt", "v": "volt",
    "n": "newton", "kw": "kilowatt", "hz": "hertz", "pa": "pascal", "mol": "mole", "k": "kelvin",
    "person": "people", "child": "children", "man": "men", "woman": "women", "fish": "",
    "sheep": "", "mouse": "mice", "goose": "geese", "tooth": "teeth", "half-hour": "",
    "time": "", "way": "", "piece": "", "point": "", "page": "", "book": "", "card": "",
    "apple": "", "egg": "", "car": "", "student": "", "cup": "", "box": "boxes", "coin": "",
    "penny": "pence pennies", "quart": "qt", "pint": "pt", "tablespoon": "tbsp",
    "teaspoon": "tsp", "acre": "", "hectare": "ha", "knot": "", "calorie": "cal kcal",
    "bit": "", "byte": "", "gb": "gigabyte", "mb": "megabyte", "kb": "kilobyte",
}  # fmt: skip
"""A unit → its other spellings; plurals are understood."""

NEVER = frozenset(
    _listed(
        """and or to plus minus over by than not pi sin cos tan log ln exp sqrt mod hundred thousand
        million billion trillion dozen score hundreds thousands millions billions trillions dozens
        half halves third thirds fourths fifths sixths sevenths eighths ninths tenths hundredths
        thousandths squared cubed factorial choose less more if is are was but either between
        through versus cosine sine tangent abs gcd lcm max min radicals"""
    )
)
"""Words that make another number of the one before them, or another statement."""

_NAMES = {spelling: unit for unit, others in SAME.items() for spelling in (unit, *others.split())}
_PLURAL = re.compile(r"[a-z]{3,}s")
_WORD = re.compile(r"[a-z][a-z'-]{2,}")
_TOKEN = re.compile(r"([^\s^/]+?)(?:\^\{?([23])\}?)?")


@functools.lru_cache(maxsize=4096)
def unit_of(words: str) -> str | None:
    """The unit in one spelling; `None` where these words are no unit."""
    if len(words) > 60:
        return None
    text = re.sub(r"[\s.{}]+$", "", words.strip().replace("\\", ""))
    parts = re.split(r"\s*/\s*|\s+(?:per|a|an|each|every)\s+", f" {text}")
    found = [_one(part.split()) for part in parts]
    return None if None in found or not found else "/".join(str(unit) for unit in found)


def listed(words: str) -> str | None:
    """As `unit_of`, of the list alone: for what follows an expression."""
    last = re.sub(r"\^.*", "", words).split()[-1].casefold()
    known = {last, last.removesuffix("s"), last.removesuffix("es")} & _NAMES.keys()
    return unit_of(words) if known else None


def _one(tokens: list[str]) -> str | None:
    """`square feet`, `cm^2`, `red cars`: its last word is the unit."""
    if not tokens or len(tokens) > 4:
        return None
    last = _TOKEN.fullmatch(tokens[-1])
    if last is None:
        return None
    name, power = last[1], last[2]
    unit = _named(name)
    if unit is None:
        return None
    for word in map(str.casefold, tokens[:-1]):
        if _NAMES.get(word) in ("square", "cubic"):
            power = "2" if _NAMES[word] == "square" else "3"
        elif word in NEVER or word == "times" or not _WORD.fullmatch(word):
            return None
    return f"{unit}^{power}" if power else unit


def _named(name: str) -> str | None:
    small = name.casefold()
    if small in _NAMES:
        return _NAMES[small]
    if small in NEVER:
        return None
    for ending in ("s", "es"):
        if small.endswith(ending) and small.removesuffix(ending) in _NAMES:
            return _NAMES[small.removesuffix(ending)]
    return small.removesuffix("s") if _PLURAL.fullmatch(small) else None
