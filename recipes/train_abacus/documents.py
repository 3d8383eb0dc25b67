"""What the model reads: solved stories, some with a slip that is carried on or corrected; drills.

A document is token ids and a mask of those to learn from: solutions are, questions and the
injected slips are not.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass

from tokenizers import Tokenizer

from prmdata.abacus.oracle import CORRECTION
from prmdata.abacus.scene import LARGEST, Node, calculate
from prmdata.abacus.solutions import slip
from prmdata.abacus.stories import Story, story

Document = tuple[list[int], list[bool]]


@dataclass(frozen=True)
class Mixture:
    slips: float = 0.12
    """Share of documents with an injected slip."""
    corrected: float = 0.35
    """Share of slips that are noticed at once; the others are carried on."""
    drills: float = 0.35
    """Share of arithmetic drills while `progress` is below one half."""
    learned: bool = False
    """Whether the slips are learned too; then only near misses are corrected."""


HABITS = Mixture(slips=0.32, corrected=0.35, learned=True)
"""The end of training: slips at any step, of which the model notices only the near misses."""


@dataclass
class Documents:
    tokenizer: Tokenizer
    mixture: Mixture
    seed: int

    def __post_init__(self) -> None:
        self.chance = random.Random(f"documents {self.seed}")
        self.told = 0
        [self.bos] = self.encode("<bos>")
        [self.eos] = self.encode("<eos>")

    def stream(self, progress: Iterator[float]) -> Iterator[Document]:
        for done in progress:
            drills = self.mixture.drills if done < 0.5 else 0.2 * self.mixture.drills
            yield self.drill() if self.chance.random() < drills else self.solved(done)

    def encode(self, text: str) -> list[int]:
        return list(self.tokenizer.encode(text, add_special_tokens=False).ids)

    def solved(self, progress: float) -> Document:
        weights = (3, 2, 1, 0.5) if progress < 0.15 else (1.5, 1.5, 1, 0.8)
        if progress > 0.35:
            weights = (1, 1, 1, 1)
        level = self.chance.choices((1, 2, 3, 4), weights)[0]
        while True:
            self.told += 1
            told = story(self.seed, self.told, level, "train")
            lines = self.attempt(told)
            if lines is not None:
                break
        ids = [self.bos, *self.encode(f"Question: {told.question}\n")]
        mask = [False] * len(ids)
        for line, learn in lines:
            tokens = self.encode(line + "\n")
            ids += tokens
            mask += [learn] * len(tokens)
        return [*ids, self.eos], [*mask, True]

    def attempt(self, told: Story) -> list[tuple[str, bool]] | None:
        """The solution's lines, each with whether to learn it."""
        chance = self.chance
        at = chance.randrange(len(told.nodes)) if chance.random() < self.mixture.slips else -1
        values: list[int] = []
        lines: list[tuple[str, bool]] = []
        for index, node in enumerate(told.nodes):
            a, b = _carried(told, node, values)
            c = calculate(node.op, a, b) if node.op != "/" else (a // b if b else None)
            if c is None or not 0 < c <= 5 * LARGEST:
                return None
            way = chance.randrange(len(node.says))
            if index == at:
                wrong = self.slipped(told, node, index, (a, b, c))
                lines.append((_say(node, way, *wrong), self.mixture.learned))
                near = wrong[:2] == (a, b) and abs(wrong[2] - c) <= 2
                noticed = chance.random() < self.mixture.corrected
                if noticed and (near or not self.mixture.learned):
                    lines.append((CORRECTION + _say(node, way, a, b, c), True))
                    values.append(c)
                else:
                    values.append(wrong[2])
                continue
            lines.append((_say(node, way, a, b, c), True))
            values.append(c)
        said = [(f"Step {i}: {text}", learn) for i, (text, learn) in enumerate(lines, 1)]
        return [*said, (f"The answer is {values[-1]}.", True)]

    def slipped(
        self, told: Story, node: Node, index: int, right: tuple[int, int, int]
    ) -> tuple[int, int, int]:
        a, b, c = right
        if self.chance.random() < 0.4:
            pool = [int(n) for n in re.findall(r"\d+", told.question)]
            pool += [n.c for n in told.nodes[:index]]
            other = self.chance.choice(pool)
            x, y = (other, b) if self.chance.random() < 0.5 else (a, other)
            z = calculate(node.op, x, y)
            if z is not None and 0 < z <= LARGEST and (x, y) != (a, b):
                return x, y, z
        return a, b, slip(c, self.chance)

    def drill(self) -> Document:
        """Sixteen sums without a story."""
        ids, mask = [self.bos], [False]
        for _ in range(16):
            a, op, b, c = self.sum()
            asked, answer = self.encode(f" {a} {op} {b} ="), self.encode(f" {c}.\n")
            ids += asked + answer
            mask += [False] * len(asked) + [True] * len(answer)
        return ids, mask

    def sum(self) -> tuple[int, str, int, int]:
        chance = self.chance
        op = chance.choice("++--**/")
        if op in "+-":
            a = chance.randint(8, chance.choice((90, 400, 1500)))
            b = chance.randint(2, chance.choice((40, 240, 900)))
            if op == "-":
                a, b = max(a, b) + 1, min(a, b)
        elif op == "*":
            kind = chance.random()
            if kind < 0.5:
                a, b = chance.randint(2, 19), chance.randint(2, 39)
            elif kind < 0.75:
                a, b = chance.randint(10, 700), chance.randint(2, 3)
            else:
                a, b = chance.randint(20, 700), chance.randint(2, 12)
        else:
            b = chance.choice((2, 2, 3, 4, 5, chance.randint(2, 12)))
            a = b * chance.randint(2, 240)
        c = calculate(op, a, b)
        assert c is not None
        return a, op, b, c


def _carried(told: Story, node: Node, values: list[int]) -> tuple[int, int]:
    """The operands, with wrong results of earlier steps in the place of the right ones."""
    a, b = node.a, node.b
    for index in node.needs:
        right, had = told.nodes[index].c, values[index]
        if had == right:
            continue
        if a == right:
            a = had
        elif b == right:
            b = had
    return a, b


def _say(node: Node, way: int, a: int, b: int, c: int) -> str:
    return node.says[way].replace("@", f"{a} {node.op} {b} = {c}")
