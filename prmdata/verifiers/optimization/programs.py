"""Steps → the linear or integer program they have written so far, in the LP format.

A step adds to it in fenced blocks (```lp), or in lines from `Maximize` or `Minimize` to `End`. A
section that is written again goes on where it was; an objective that is written again begins anew.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

_BEGINS = re.compile(r"(max|min)(?:imi[sz]e|imum)?(?!\w):?", re.IGNORECASE)
_CONSTRAINS = re.compile(r"(?:subject to|such that|s\.t\.|st(?!\w)):?", re.IGNORECASE)
_ALONE = {
    "bounds": re.compile(r"bounds?:?", re.IGNORECASE),
    "integers": re.compile(r"(?:gen(?:erals?)?|int(?:egers?)?):?", re.IGNORECASE),
    "binaries": re.compile(r"bin(?:ar(?:y|ies))?:?", re.IGNORECASE),
    "end": re.compile(r"end\.?", re.IGNORECASE),
}
_WRITTEN = {
    "constraints": "subject to",
    "bounds": "bounds",
    "integers": "general",
    "binaries": "binary",
}
_NAME = re.compile(r"[A-Za-z_]\w*")
_LABEL = re.compile(r"[A-Za-z_]\w*\s?:")
_KEYWORDS = frozenset(("free", "inf", "infinity"))
_SIGNS = str.maketrans({"≤": "<=", "≥": ">=", "−": "-"})


@dataclass(slots=True)
class LinearProgram:
    maximize: bool = False
    begun: int = 0
    """How many objectives were written."""
    sections: dict[str, list[str]] = field(default_factory=dict)

    def add(self, step: str) -> bool:
        """Take in what a step writes; whether it wrote anything."""
        wrote = False
        for lines in _blocks(step):
            section = "constraints"
            for line in lines:
                wrote = True
                section, rest = _heading(line, section)
                if section == "objective" and rest != line:
                    self.maximize = line.lower().startswith("max")
                    self.begun += 1
                    self.sections = {}
                if rest:
                    self.sections.setdefault(section, []).append(rest)
        return wrote

    def joined(self, later: LinearProgram) -> LinearProgram:
        """Both, as if one text had written them: a later objective begins anew."""
        if later.begun:
            return later
        sections = {name: [*lines] for name, lines in self.sections.items()}
        for name, lines in later.sections.items():
            sections.setdefault(name, []).extend(lines)
        return LinearProgram(self.maximize, self.begun, sections)

    def under(self, objective: LinearProgram) -> LinearProgram:
        """What is written here, with the objective of another program."""
        sections = {**self.sections, "objective": objective.sections["objective"]}
        return LinearProgram(objective.maximize, objective.begun, sections)

    @property
    def objective(self) -> LinearProgram:
        """Its objective alone, where it writes one."""
        sections = {name: rows for name, rows in self.sections.items() if name == "objective"}
        return LinearProgram(self.maximize, self.begun, sections)

    @property
    def constraints(self) -> LinearProgram:
        """All but its objective."""
        sections = {name: rows for name, rows in self.sections.items() if name != "objective"}
        return LinearProgram(self.maximize, 0, sections)

    @property
    def names(self) -> frozenset[str]:
        """Its variables."""
        rows = " ".join(row for rows in self.sections.values() for row in rows)
        return frozenset(_NAME.findall(_LABEL.sub(" ", rows))) - _KEYWORDS

    @property
    def bounds(self) -> tuple[int, int]:
        """Changes where bounds are written: unlike constraints, they may let more through."""
        return self.begun, len(self.sections.get("bounds", ()))

    @property
    def is_whole(self) -> bool:
        """Whether there is something to optimise under constraints."""
        return bool(self.sections.get("objective")) and bool(self.sections.get("constraints"))

    def text(self) -> str:
        lines = ["maximize" if self.maximize else "minimize", *self.sections["objective"]]
        for section, heading in _WRITTEN.items():
            if section in self.sections:
                lines += [heading, *self.sections[section]]
        return "\n".join([*lines, "end", ""])


def _heading(line: str, section: str) -> tuple[str, str]:
    """The section that a line belongs to, and what it says there."""
    for name, shape in (("objective", _BEGINS), ("constraints", _CONSTRAINS)):
        if found := shape.match(line):
            return name, line[found.end() :].strip()
    alone = next((name for name, shape in _ALONE.items() if shape.fullmatch(line)), None)
    return (alone, "") if alone else (section, line)


def _blocks(step: str) -> Iterator[list[str]]:
    """The lines of each block that writes a program, without comments."""
    lines = [line.partition("\\")[0].strip().translate(_SIGNS) for line in step.splitlines()]
    block: list[str] | None = None
    fenced = False
    for line in lines:
        if line.startswith("```"):
            if fenced and block:
                yield block
            fenced = not fenced and line[3:].strip().lower() == "lp"
            block = [] if fenced else None
        elif block is None and _BEGINS.match(line):
            block = [line]
        elif block is not None and line:
            block.append(line)
        if block and not fenced and _ALONE["end"].fullmatch(line):
            yield block
            block = None
    if fenced and block:
        yield block
