"""Math-Shepherd (input, label): a text whose steps end in `ки`, and the same text with `+` or `-`
there.

The signs come from rollouts, not from people. The set holds no gold answers: whether a trace ends
right is what its last sign says.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from prmdata.errors import InputError
from prmdata.imports.contract import Row, bare, separated, text_of
from prmdata.records import Evidence, Labels, Trace

NAME = "math-shepherd"
MARK = "ки"
FIRST_STEP = "Step 1:"


@dataclass(frozen=True, slots=True)
class MathShepherd:
    @classmethod
    def fits(cls, row: Row) -> bool:
        text = row.get("input")
        return isinstance(text, str) and MARK in text and isinstance(row.get("label"), str)

    def traces(self, row: Row, where: str) -> Iterator[Trace]:
        pieces, signs = self._signed(text_of(row, "input", where), row["label"], where)
        start = pieces[0].find(FIRST_STEP)
        if start < 0:
            raise InputError(f"{where}: the input has no 'Step 1:' where the solution would begin")
        question, pieces[0] = pieces[0][:start].rstrip(), pieces[0][start:]
        values = tuple(float(sign == "+") for sign in signs)
        first = next((i for i, value in enumerate(values) if not value), None)
        steps = separated([piece.strip() for piece in pieces], "\n")
        yield replace(
            bare(question, None, steps, str(row.get("task") or NAME)),
            correct=bool(values[-1]),
            evidence=(Evidence(name=NAME, kind="scores", values=values),),
            labels=Labels(by=NAME, first_error=first, values=values),
        )

    def _signed(self, text: str, label: str, where: str) -> tuple[list[str], list[str]]:
        """The text between marks, and the sign that stands in the place of each mark."""
        *pieces, rest = text.split(MARK)
        signs, at = [], 0
        for piece in pieces:
            at += len(piece)
            if label[at - len(piece) : at] != piece or label[at : at + 1] not in ("+", "-"):
                raise InputError(
                    f"{where}: the label should be the input with + or - in place of each {MARK}"
                )
            signs.append(label[at])
            at += 1
        if not signs or rest.strip() or label[at:].strip():
            raise InputError(f"{where}: there is text after the last {MARK}")
        return pieces, signs
