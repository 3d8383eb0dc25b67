"""What a story has told so far: people, what they have, and the steps that found it."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from prmdata.abacus.vocabulary import GOODS, MEN, RANGES, WOMEN

LARGEST = 9999


@dataclass(frozen=True, slots=True)
class Node:
    """One step of the solution: `a op b = c`, and the ways to say it."""

    op: str
    a: int
    b: int
    c: int
    needs: tuple[int, ...]
    """The nodes whose results it uses."""
    says: tuple[str, ...]
    """Sentences; `@` stands for the equation."""


@dataclass(slots=True)
class Person:
    name: str
    own: str
    """her or his."""
    amount: int = 0
    node: int | None = None
    """The step that found `amount`; `None`: the text gives it."""


class DeadEnd(Exception):
    """A number out of range, or too few steps left."""


def calculate(op: str, a: int, b: int) -> int | None:
    """The result, or `None` where the division leaves a rest."""
    if op == "+":
        return a + b
    if op == "-":
        return a - b
    if op == "*":
        return a * b
    return a // b if b and a % b == 0 else None


@dataclass(slots=True)
class Scene:
    chance: random.Random
    steps: int
    """How many the solution will have."""
    nodes: list[Node] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    people: list[Person] = field(default_factory=list)
    goods: str = ""
    packs: str = ""
    pack: str = ""
    pack_size: int | None = None
    """What the text says that every pack holds."""

    def draw_goods(self) -> None:
        self.goods, self.packs, self.pack = self.chance.choice(GOODS)

    def draw_people(self, count: int) -> None:
        while len(self.people) < count:
            woman = self.chance.random() < 0.5
            name = self.chance.choice(WOMEN if woman else MEN)
            if all(person.name != name for person in self.people):
                self.people.append(Person(name, "her" if woman else "his"))

    def tell(self, *ways: str) -> None:
        """Adds a sentence: one of these."""
        self.told.append(self.chance.choice(ways) if len(ways) > 1 else ways[0])

    def number(self, kind: str) -> int:
        low, high = self.chance.choice(RANGES[kind])
        return self.chance.randint(low, high)

    def part(self, amount: int) -> int:
        """A number to take away from `amount`."""
        if amount < 8:
            raise DeadEnd
        return min(self.number("change"), self.chance.randint(2, amount - 2))

    def node(self, op: str, a: int, b: int, needs: tuple[int | None, ...], *says: str) -> int:
        c = calculate(op, a, b)
        if c is None or not 0 < c <= LARGEST:
            raise DeadEnd
        used = tuple(sorted({need for need in needs if need is not None}))
        self.nodes.append(Node(op, a, b, c, used, says))
        return len(self.nodes) - 1

    def change(self, who: Person, op: str, by: int, needs: int | None = None) -> None:
        says = (f"Now {who.name} has @ {self.goods}.", f"{who.name} then has @ {self.goods}.")
        who.node = self.node(op, who.amount, by, (who.node, needs), *says)
        who.amount = self.nodes[who.node].c
