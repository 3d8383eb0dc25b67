"""Problems that a benchmark holds: those whose question has N words in a row from one of its own.

Thirteen words is the rule of the GPT-3 paper (arXiv 2005.14165, appendix C). A benchmark's
question of fewer words counts where a problem's question is that and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from prmdata.dataset.wording import runs, words
from prmdata.errors import InputError
from prmdata.files import Unreadable, rows

COLUMNS = ("question", "problem", "prompt", "text", "input")
"""Where a benchmark's question stands: the first with text, or with one of these inside."""


@dataclass(frozen=True, slots=True)
class Overlap:
    where: str
    """The benchmark's row."""
    words: str


@dataclass(slots=True)
class Contamination:
    length: int = 13
    _where: list[str] = field(default_factory=list)
    _runs: dict[int, int] = field(default_factory=dict)
    """Hash of a run of words → the row it stands in."""
    _whole: dict[int, int] = field(default_factory=dict)
    """Hash of a question too short to have a run."""

    @classmethod
    def of(cls, files: Iterable[str], length: int = 13) -> Contamination:
        found = cls(length)
        for file in files:
            for question, where in questions(file):
                found.add(question, where)
        return found

    def add(self, question: str, where: str) -> None:
        said = words(question)
        table = self._whole if len(said) < self.length else self._runs
        for run in runs(said, self.length):
            table.setdefault(hash(run), len(self._where))
        self._where.append(where)

    def overlap(self, question: str) -> Overlap | None:
        said = words(question)
        table = self._whole if len(said) < self.length else self._runs
        for run in runs(said, self.length):
            row = table.get(hash(run))
            if row is not None:
                return Overlap(self._where[row], run)
        return None


def questions(file: str) -> Iterator[tuple[str, str]]:
    """The questions of a file of any known layout, each with where it stands."""
    for row, where in rows.read(file):
        if isinstance(row, Unreadable):
            raise InputError(row.reason)
        question = _question(row)
        if question is None:
            raise InputError(
                f"{where}: no question found (columns: {', '.join(row)}); a benchmark's stands in "
                f"one of {', '.join(COLUMNS)}"
            )
        yield question, file_name(where)


def file_name(path: str) -> str:
    """Without its folders, which are nobody's business in a dataset that is published."""
    return path.rstrip("/").rsplit("/", 1)[-1]


def _question(row: Mapping[str, object]) -> str | None:
    for column in COLUMNS:
        value = row.get(column)
        if isinstance(value, str) and value.strip():
            return value
        if isinstance(value, Mapping) and (inner := _question(value)):
            return inner
    return None
