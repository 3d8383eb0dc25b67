"""What the embedded judge reads: abacus stories, attempts at them, and the critique of each.

A critique repeats what each step says in figures, works it out beside that, and says whether it is
right, up to the first that is not:

    Step 1: 7 * 12 = 84: 7 * 12 = 84. right.
    Step 2: 96 + 84 = 170: 96 + 84 = 180. wrong.

Side by side the two are easy to compare; steps apart, a model this small compares them badly.

It is all that is learned; the story and the attempt are only read.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass

from tokenizers import Tokenizer

from prmdata.abacus import judge
from prmdata.abacus.oracle import CORRECTION, ErrorKind
from prmdata.abacus.scene import LARGEST, Node, calculate
from prmdata.abacus.solutions import slip, with_error
from prmdata.abacus.stories import Story, story

Document = tuple[list[int], list[bool]]
WRONG = 0.6
"""The share of attempts with an error."""
PLANTED = 0.75
"""Of these, slips as the policy makes them, carried on to the end; the others are of any kind."""
CORRECTED = 0.05
OPERAND = 0.35
"""Of the slips, those that take a wrong number."""
KINDS: tuple[ErrorKind, ...] = ("subject", "repeat", "answer", "early", "arithmetic", "operand")


@dataclass
class Critiques:
    tokenizer: Tokenizer
    seed: int

    def __post_init__(self) -> None:
        self.chance = random.Random(f"critiques {self.seed}")
        self.told = 0

    def documents(self) -> Iterator[Document]:
        [bos], [eos] = self.encode("<bos>"), self.encode("<eos>")
        while True:
            asked, critique = self.critique()
            prompt, answer = self.encode(asked), self.encode(critique)
            ids = [bos, *prompt, *answer, eos]
            yield ids, [False] * (1 + len(prompt)) + [True] * (len(answer) + 1)

    def stream(self, progress: Iterator[float]) -> Iterator[Document]:
        for _, document in zip(progress, self.documents(), strict=False):
            yield document

    def encode(self, text: str) -> list[int]:
        return list(self.tokenizer.encode(text, add_special_tokens=False).ids)

    def critique(self) -> tuple[str, str]:
        """A prompt as `prmdata judge` writes it, and what a perfect judge answers."""
        told, lines = self.attempt()
        judged = judge(told, lines).steps
        asked = f"Question: {told.question}\n" + "".join(f"{line}\n" for line in lines) + "\n"
        said = []
        for number, truth in enumerate(judged, 1):
            figures = figures_of(lines[number - 1])
            said.append(f"Step {number}: {figures}: {worked(told, lines, number - 1)} ")
            said[-1] += "right.\n" if truth.right else "wrong.\n"
            if not truth.right:
                break
        return asked, "".join(said)

    def attempt(self) -> tuple[Story, list[str]]:
        chance = self.chance
        while True:
            self.told += 1
            level = chance.choice((1, 2, 3, 4))
            told = story(self.seed, self.told, level, "train")
            if chance.random() < WRONG and chance.random() > PLANTED:
                try:
                    return told, with_error(told, chance.choice(KINDS), chance)[0]
                except ValueError:
                    continue
            wrong = chance.random() < WRONG
            lines = self.carried(told, chance.randrange(len(told.nodes)) if wrong else -1)
            if lines is not None:
                return told, lines

    def carried(self, told: Story, at: int) -> list[str] | None:
        """A solution with a slip at one step, whose value later steps take."""
        chance = self.chance
        values: list[int] = []
        said: list[str] = []
        for index, node in enumerate(told.nodes):
            a, b = operands(told, node, values)
            c = calculate(node.op, a, b) if node.op != "/" else (a // b if b else None)
            if c is None or not 0 < c <= 5 * LARGEST:
                return None
            x, y, z = (a, b, c) if index != at else self.slipped(told, node, index, (a, b, c))
            text = node.says[chance.randrange(len(node.says))].replace(
                "@", f"{x} {node.op} {y} = {z}"
            )
            if index == at + 1 and at >= 0 and chance.random() < CORRECTED:
                text = CORRECTION + text
            said.append(text)
            values.append(z)
        steps = [f"Step {i}: {text}" for i, text in enumerate(said, 1)]
        return [*steps, f"The answer is {values[-1]}."]

    def slipped(
        self, told: Story, node: Node, index: int, right: tuple[int, int, int]
    ) -> tuple[int, int, int]:
        a, b, c = right
        chance = self.chance
        if chance.random() < OPERAND:
            pool = numbers(told.question) + [n.c for n in told.nodes[:index]]
            other = chance.choice(pool)
            x, y = (other, b) if chance.random() < 0.5 else (a, other)
            z = calculate(node.op, x, y)
            if z is not None and 0 < z <= LARGEST and (x, y) != (a, b):
                return x, y, z
        return a, b, slip(c, chance)


def worked(told: Story, lines: list[str], at: int) -> str:
    """What the line ought to say in figures: as it stands where it is right, else mended."""
    line = lines[at]
    if at == len(lines) - 1 and line.startswith("The answer"):
        return f"{told.answer}."
    equation = equation_in(line)
    if judge(told, lines[: at + 1]).steps[at].right or equation is None:
        return f"{equation}." if equation else "none."
    a, op, b, c = equation.replace("= ", "").split(" ")
    exact = calculate(op, int(a), int(b))
    if exact is not None and exact != int(c):
        return f"{a} {op} {b} = {exact}."
    node = told.nodes[min(at, len(told.nodes) - 1)]
    return f"{node.a} {node.op} {node.b} = {node.c}."


def figures_of(line: str) -> str:
    """What a step says in figures: its equation, or the number of an answer."""
    found = re.search(r"The answer is (\d+)", line)
    return equation_in(line) or (found[1] if found else "none")


def equation_in(line: str) -> str | None:
    found = re.search(r"[0-9]+ [-+*/] [0-9]+ = [0-9]+", line)
    return found[0] if found else None


def numbers(text: str) -> list[int]:
    return [int(n) for n in re.findall(r"\d+", text)]


def operands(told: Story, node: Node, values: list[int]) -> tuple[int, int]:
    """The operands, with wrong results of earlier steps in the place of the right ones."""
    a, b = node.a, node.b
    for index in node.needs:
        right, had = told.nodes[index].c, values[index]
        if had != right:
            a, b = (had, b) if a == right else (a, had if b == right else b)
    return a, b
