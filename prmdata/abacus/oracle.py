"""Which lines of an attempt are right, and what is wrong with the others: exactly, for any text.

A line is right when it is one of the solution's steps, all that it builds on stands there
already, and it is not said twice. So any order that the story allows is accepted. `strict` reads
the whole sentence, `numeric` the equation alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from prmdata.abacus.scene import Node, calculate
from prmdata.abacus.stories import Story

ErrorKind = Literal["arithmetic", "operand", "subject", "repeat", "early", "form", "answer"]
CORRECTION = "Wait, that is wrong. "
_STEP = re.compile(r"Step ([0-9]{1,3}): (.{1,300})")
_EQUATION = re.compile(r"(?<![0-9.])([0-9]{1,9}) ([-+*/]) ([0-9]{1,9}) = ([0-9]{1,9})(?!\.?[0-9])")
_ANSWER = re.compile(r"The answer is ([0-9]{1,9})\.")


@dataclass(frozen=True, slots=True)
class StepTruth:
    right: bool
    error: ErrorKind | None = None


@dataclass(frozen=True, slots=True)
class Judgement:
    steps: tuple[StepTruth, ...]
    answer_right: bool

    @property
    def first_error(self) -> int | None:
        """Index of the first wrong line, from 0."""
        return next((i for i, step in enumerate(self.steps) if not step.right), None)


def sentence(node: Node, way: int = 0, *, swapped: bool = False) -> str:
    a, b = (node.b, node.a) if swapped else (node.a, node.b)
    return node.says[way].replace("@", f"{a} {node.op} {b} = {node.c}")


def judge(
    story: Story, lines: Sequence[str], mode: Literal["strict", "numeric"] = "strict"
) -> Judgement:
    oracle = _Oracle(story, mode)
    return Judgement(tuple(oracle.line(line.rstrip("\n")) for line in lines), oracle.answer_right)


class _Oracle:
    """Reads an attempt line by line."""

    def __init__(self, story: Story, mode: Literal["strict", "numeric"]) -> None:
        self.story = story
        self.mode = mode
        self.answer_right = False
        self._done: set[int] = set()
        self._number = 0
        self._answered = False
        self._known: dict[str, list[int]] = {}
        self._equations: set[str] = set()
        for index, node in enumerate(story.nodes):
            for text in _spellings(node):
                self._known.setdefault(self._read(text), []).append(index)
                self._equations.add(_equation(text))

    def line(self, line: str) -> StepTruth:
        self._number += 1
        if self._answered:
            return _wrong("form")
        if found := _ANSWER.fullmatch(line):
            return self._answer(int(found[1]))
        found = _STEP.fullmatch(line)
        if not found or int(found[1]) != self._number:
            return _wrong("form")
        return self._step(found[2].removeprefix(CORRECTION))

    def _step(self, text: str) -> StepTruth:
        nodes = self._known.get(self._read(text))
        if nodes:
            fresh = [n for n in nodes if n not in self._done]
            ready = [n for n in fresh if self._done.issuperset(self.story.nodes[n].needs)]
            self._done.update(ready[:1] or fresh[:1])
            if ready:
                return StepTruth(True)
            return _wrong("early" if fresh else "repeat")
        found = _EQUATION.search(text)
        if not found:
            return _wrong("form")
        a, op, b, c = int(found[1]), found[2], int(found[3]), int(found[4])
        if calculate(op, a, b) != c:
            return _wrong("arithmetic")
        return _wrong("subject" if found[0] in self._equations else "operand")

    def _answer(self, number: int) -> StepTruth:
        self._answered = True
        self.answer_right = number == self.story.answer
        if not self.answer_right:
            return _wrong("answer")
        return StepTruth(True) if len(self._done) == len(self.story.nodes) else _wrong("early")

    def _read(self, text: str) -> str:
        return text if self.mode == "strict" else _equation(text)


def _wrong(kind: ErrorKind) -> StepTruth:
    return StepTruth(False, kind)


def _spellings(node: Node) -> Iterator[str]:
    """Every way to say a step: its sentences, and the operands of + and * in either order."""
    orders = (False, True) if node.op in "+*" and node.a != node.b else (False,)
    for way in range(len(node.says)):
        for swapped in orders:
            yield sentence(node, way, swapped=swapped)


def _equation(text: str) -> str:
    found = _EQUATION.search(text)
    return found[0] if found else text
