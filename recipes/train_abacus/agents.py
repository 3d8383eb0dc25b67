"""What the agent reads: episodes in the world `ledger`, by a program that knows the solution.

The program looks a number up when it first needs it and leaves the arithmetic to the calculator.
In some episodes it slips once: it takes another number or another operation, misreads a digit,
looks up what it does not need, or ends too early. It goes on from there with what the tools say, or
notices at once. The turns are learned, slips included; what the tools say is not.
"""

from __future__ import annotations

import random
import re
from collections.abc import Generator, Iterator
from dataclasses import dataclass

from documents import Document
from tokenizers import Tokenizer

from prmdata.abacus.oracle import CORRECTION
from prmdata.abacus.solutions import slip
from prmdata.abacus.stories import Story, story
from prmdata.records import Problem
from prmdata.worlds.contract import made
from prmdata.worlds.ledger import LEVELS, Book, Ledger, hide

HABITS = 0.88
"""From there on the slips are learned too; before, there are a third as many, and only what follows
them is."""
CORRECTED = 0.2
"""Share of slips in a calculation that are noticed at once."""
KINDS = ("number", "number", "digit", "digit", "operation", "lookup", "skip", "answer")
"""Of slips, as often as they are drawn."""


@dataclass
class Agents:
    tokenizer: Tokenizer
    seed: int
    slips: float
    """Share of the episodes with a slip."""

    def __post_init__(self) -> None:
        self.chance = random.Random(f"agents {self.seed}")
        self.told = 0

    def stream(self, progress: Iterator[float]) -> Iterator[Document]:
        for done in progress:
            yield self.document(done > HABITS)

    def document(self, habits: bool = True) -> Document:
        self.told += 1
        told = story(self.seed, self.told, self.chance.choice(LEVELS), "train")
        problem = posed(told, self.chance)
        parts = [("<bos>" + TOOLS + f"Question: {problem.question}\n", False)]
        share = self.slips if habits else self.slips / 3
        player = Player(told, problem, self.chance, self.chance.random() < share)
        for number, turn in enumerate(player.play(), 1):
            step = "" if turn.result is None else f"Step {number}: "
            parts.append((f"{step}{turn.text}<eos>", habits or not turn.slip))
            parts.append((f"\nResult: {turn.result}\n", False))
        ids: list[int] = []
        mask: list[bool] = []
        for text, learn in parts[:-1]:
            tokens = self.tokenizer.encode(text, add_special_tokens=False).ids
            ids += tokens
            mask += [learn] * len(tokens)
        return ids, mask


TOOLS = "Tools: calculator lookup\n"


def posed(told: Story, chance: random.Random) -> Problem:
    question, numbers = hide(told, chance)
    return made("ledger", 0, 0, question, str(told.answer), numbers)


def call(thought: str, tool: str, parameter: str, text: str) -> str:
    """A turn as the chat template writes it."""
    arguments = f'{{"{parameter}": "{text}"}}'
    return f'{thought}\n<tool_call>\n{{"name": "{tool}", "arguments": {arguments}}}\n</tool_call>'


@dataclass(frozen=True)
class Turn:
    text: str
    result: str | None
    """What the tool says."""
    slip: bool = False


class Player:
    """One episode."""

    def __init__(self, told: Story, problem: Problem, chance: random.Random, slips: bool) -> None:
        self.told, self.chance = told, chance
        self.world = Ledger()
        self.book: Book = self.world.start(problem)
        self.hidden = dict(self.book.hidden)
        self.numbers = [int(n) for n in re.findall(r"\d+", problem.question)] or [7]
        self.kind = chance.choice(KINDS) if slips else ""
        self.place = chance.randrange(len(told.nodes)) if slips else -1
        self.values: dict[int, int] = {}
        """What was found for each step."""
        self.read: dict[str, int] = {}
        """Numbers of the ledger, as far as they are known."""

    def play(self) -> Iterator[Turn]:
        for index, node in enumerate(self.told.nodes):
            here = index == self.place
            if here and self.kind == "lookup":
                yield from self.waste()
            yield from self.look_up(index)
            if here and self.kind == "skip" and index:
                self.values[index] = self.values[index - 1]
                continue
            a, b = self.operands(index)
            says = self.chance.choice(node.says)
            op, x, y = self.slipped(node.op, a, b) if here else (node.op, a, b)
            slips = (op, x, y) != (node.op, a, b)
            self.values[index] = yield from self.calculate(says, op, x, y, slips)
            if slips and self.chance.random() < CORRECTED:
                self.values[index] = yield from self.calculate(CORRECTION + says, node.op, a, b)
        answer = self.values[len(self.told.nodes) - 1]
        if self.kind == "answer":
            answer = self.chance.choice([*self.values.values(), slip(answer, self.chance)])
        yield Turn(f"The answer is {answer}.", None, self.kind == "answer")

    def act(self, tool: str, **arguments: str) -> str:
        move = self.world.act(self.book, arguments, tool)
        self.book = move.state
        return move.text

    def look_up(self, index: int) -> Iterator[Turn]:
        letters = sorted(self.book.entries[index].letters)
        for letter in letters:
            if letter not in self.read:
                said = self.act("lookup", letter=letter)
                yield Turn(call(f"I look up {letter}.", "lookup", "letter", letter), said)
                self.read[letter] = int(said) if said.isdecimal() else self.guess()

    def waste(self) -> Iterator[Turn]:
        """A look-up of what is not needed, or known already."""
        needed = frozenset[str]().union(*(entry.letters for entry in self.book.entries))
        idle = [letter for letter in self.hidden if letter not in needed] or sorted(self.read)
        if idle:
            letter = self.chance.choice(idle)
            said = self.act("lookup", letter=letter)
            yield Turn(call(f"I look up {letter}.", "lookup", "letter", letter), said, True)

    def guess(self) -> int:
        return self.chance.choice(self.numbers)

    def operands(self, index: int) -> tuple[int, int]:
        """With what was read and found, right or not."""
        node = self.told.nodes[index]
        had = {self.told.nodes[need].c: self.values[need] for need in node.needs}
        had |= {self.hidden[letter]: value for letter, value in self.read.items()}
        return had.get(node.a, node.a), had.get(node.b, node.b)

    def slipped(self, op: str, a: int, b: int) -> tuple[str, int, int]:
        chance = self.chance
        if self.kind == "operation":
            return chance.choice([other for other in "+-*" if other != op]), a, b
        if self.kind == "digit":
            return (op, slip(a, chance), b) if chance.random() < 0.6 else (op, a, slip(b, chance))
        if self.kind == "number":
            pool = [*self.numbers, *self.values.values(), *self.read.values()]
            other = chance.choice(pool)
            return (op, other, b) if chance.random() < 0.5 else (op, a, other)
        return op, a, b

    def calculate(
        self, says: str, op: str, a: int, b: int, slip: bool = False
    ) -> Generator[Turn, None, int]:
        expression = f"{a} {op} {b}"
        said = self.act("calculator", expression=expression)
        thought = says.replace("@", expression)
        yield Turn(call(thought, "calculator", "expression", expression), said, slip)
        return _whole(said, a)


def _whole(said: str, otherwise: int) -> int:
    """What goes on from a result: its whole part; where there is none, the number before."""
    try:
        return abs(int(float(said)))
    except ValueError:
        return otherwise
