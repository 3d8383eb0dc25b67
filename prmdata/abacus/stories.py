"""Worded sums: a story of people and goods, told in text, with every step of its solution.

Stories are a pure function of (namespace, seed, index, level). Training draws from the namespace
`train`, users from `test`: two namespaces never share a random state, whatever the seeds.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field

LEVELS = {1: (2, 3), 2: (4, 5), 3: (6, 8), 4: (9, 12)}
"""Level → the fewest and the most steps of a solution."""
LARGEST = 9999

WOMEN = "Ada Bea Cleo Dina Edith Flora Greta Hanna Ines Judy Karla Lena Maya Nina Olga Petra".split()
MEN = "Adam Boris Carl Dan Emil Felix Gus Hans Igor Jonas Karl Liam Milo Noel Oscar Pablo".split()
GOODS = [
    ("apples", "crates", "crate"), ("buttons", "boxes", "box"), ("candles", "packs", "pack"),
    ("coins", "pouches", "pouch"), ("cookies", "tins", "tin"), ("eggs", "cartons", "carton"),
    ("lemons", "baskets", "basket"), ("magnets", "packs", "pack"), ("marbles", "pouches", "pouch"),
    ("nails", "boxes", "box"), ("olives", "jars", "jar"), ("pencils", "cases", "case"),
    ("photos", "albums", "album"), ("plums", "baskets", "basket"), ("seeds", "packets", "packet"),
    ("stamps", "albums", "album"), ("tickets", "rolls", "roll"), ("tulips", "bunches", "bunch"),
]  # fmt: skip
SHARES = {2: "half", 3: "one third", 4: "one fourth", 5: "one fifth"}


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


@dataclass(frozen=True, slots=True)
class Story:
    question: str
    nodes: tuple[Node, ...]
    answer: int
    level: int


class Dead(Exception):
    """This draw led nowhere: a number out of range, too few steps left."""


def story(seed: int, index: int, level: int, namespace: str = "test") -> Story:
    chance = random.Random(f"prmdata abacus {namespace} {seed} {index} {level}")
    while True:
        try:
            return _Teller(chance, level).tell()
        except Dead:
            continue


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
class _Person:
    name: str
    own: str
    """her or his."""
    amount: int = 0
    node: int | None = None
    """The step that found `amount`; `None`: the text gives it."""


@dataclass(slots=True)
class _Teller:
    """Draws one story, event by event; raises `Dead` when a draw leads nowhere."""

    chance: random.Random
    level: int
    nodes: list[Node] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    facts: list[str] = field(default_factory=list)
    goods: str = ""
    packs: str = ""
    pack: str = ""
    pack_size: int | None = None
    steps: int = 0

    def tell(self) -> Story:
        chance = self.chance
        fewest, most = LEVELS[self.level]
        self.steps = chance.randint(fewest, most)
        self.goods, self.packs, self.pack = chance.choice(GOODS)
        if chance.random() < 0.5:
            self.pack_size = self.number("pack")
            self.facts.append(
                chance.choice(
                    (
                        f"Each {self.pack} holds {self.pack_size} {self.goods}.",
                        f"There are {self.pack_size} {self.goods} in every {self.pack}.",
                    )
                )
            )
        two = self.level > 1 and chance.random() < 0.25
        people = self.people(2 if two else 1)
        end = self.draw_end(two)
        self.begin(people)
        tries = 0
        while len(self.nodes) < self.steps - end:
            tries += 1
            if tries > 60:
                raise Dead
            self.event(people, self.steps - end - len(self.nodes))
        question, answer = self.finish(people, end)
        if len(self.nodes) != self.steps:
            raise Dead
        if chance.random() < 0.3:
            self.facts.append(self.aside(people[0]))
        chance.shuffle(self.facts)
        text = " ".join([*self.facts, *self.told, question])
        return Story(text, tuple(self.nodes), answer, self.level)

    def number(self, kind: str) -> int:
        """How big numbers are: small and large ones of each kind, so that slips come anywhere."""
        low, high = self.chance.choice(RANGES[kind])
        return self.chance.randint(low, high)

    def node(self, op: str, a: int, b: int, needs: tuple[int | None, ...], *says: str) -> int:
        c = calculate(op, a, b)
        if c is None or not 0 < c <= LARGEST:
            raise Dead
        used = tuple(sorted({n for n in needs if n is not None}))
        self.nodes.append(Node(op, a, b, c, used, says))
        return len(self.nodes) - 1

    def change(self, who: _Person, op: str, by: int, needs: int | None = None) -> None:
        says = (f"Now {who.name} has @ {self.goods}.", f"{who.name} then has @ {self.goods}.")
        who.node = self.node(op, who.amount, by, (who.node, needs), *says)
        who.amount = self.nodes[who.node].c

    def people(self, count: int) -> list[_Person]:
        found: list[_Person] = []
        while len(found) < count:
            woman = self.chance.random() < 0.5
            name = self.chance.choice(WOMEN if woman else MEN)
            if all(person.name != name for person in found):
                found.append(_Person(name, "her" if woman else "his"))
        return found

    def aside(self, who: _Person) -> str:
        """A number that has nothing to do with it."""
        number = self.chance.randint(5, 95)
        return self.chance.choice(
            (
                f"{who.name} is {number} years old.",
                f"The market is {number} miles away.",
                f"{who.name} lives at number {number}.",
            )
        )

    def begin(self, people: list[_Person]) -> None:
        first = people[0]
        first.amount = self.number("start")
        says = self.chance.choice(("has", "starts with"))
        self.told.append(f"{first.name} {says} {first.amount} {self.goods}.")
        for other in people[1:]:
            kind = self.chance.choice(("own", "more", "fewer", "times"))
            if kind == "own" or self.steps < 5:
                other.amount = self.number("start")
                self.told.append(f"{other.name} has {other.amount} {self.goods}.")
                continue
            if kind == "times":
                by, op, said = self.chance.randint(2, 5), "*", "times as many"
            else:
                op, said = ("+", "more") if kind == "more" else ("-", "fewer")
                by = self.number("change") if op == "+" else self.part(first.amount)
            self.told.append(f"{other.name} has {by} {said} {self.goods} {_than(kind, first.name)}.")
            says_it = f"{other.name} has @ {self.goods}."
            other.node = self.node(op, first.amount, by, (first.node,), says_it)
            other.amount = self.nodes[other.node].c

    def part(self, amount: int) -> int:
        """A number to take away from `amount`."""
        if amount < 8:
            raise Dead
        return min(self.number("change"), self.chance.randint(2, amount - 2))

    def event(self, people: list[_Person], room: int) -> None:
        who = self.chance.choice(people)
        kind = self.chance.choice(EVENTS)
        before = len(self.nodes), len(self.told), who.amount, who.node
        try:
            getattr(self, f"event_{kind}")(who, people, room)
        except Dead:  # another event may do
            nodes, told, who.amount, who.node = before
            del self.nodes[nodes:], self.told[told:]

    def event_find(self, who: _Person, people: list[_Person], room: int) -> None:
        number = self.number("change")
        self.told.append(
            self.chance.choice(
                (
                    f"{who.name} finds {number} more {self.goods}.",
                    f"{who.name} buys {number} more {self.goods}.",
                    f"A friend gives {who.name} {number} {self.goods}.",
                )
            )
        )
        self.change(who, "+", number)

    def event_lose(self, who: _Person, people: list[_Person], room: int) -> None:
        number = self.part(who.amount)
        self.told.append(
            self.chance.choice(
                (
                    f"{who.name} loses {number} {self.goods}.",
                    f"{who.name} sells {number} of the {self.goods}.",
                    f"{who.name} gives {number} {self.goods} to a friend.",
                )
            )
        )
        self.change(who, "-", number)

    def event_buy(self, who: _Person, people: list[_Person], room: int) -> None:
        _needs_room(room, 2)
        count, size = self.number("count"), self.pack_size or self.number("pack")
        what = f"{self.packs} of {self.goods}"
        if self.pack_size is None:
            what = f"{self.packs} of {size} {self.goods} each"
        self.told.append(f"{who.name} buys {count} {what}.")
        bought = self.node("*", count, size, (), f"{who.name} buys @ {self.goods}.")
        self.change(who, "+", self.nodes[bought].c, bought)

    def event_collect(self, who: _Person, people: list[_Person], room: int) -> None:
        _needs_room(room, 2)
        days, each = self.number("count"), self.number("pack")
        self.told.append(
            self.chance.choice(
                (
                    f"{who.name} collects {each} {self.goods} a day for {days} days.",
                    f"For {days} days {who.name} collects {each} {self.goods} a day.",
                )
            )
        )
        made = self.node("*", days, each, (), f"{who.name} collects @ {self.goods}.")
        self.change(who, "+", self.nodes[made].c, made)

    def event_hand_out(self, who: _Person, people: list[_Person], room: int) -> None:
        _needs_room(room, 2)
        friends, each = self.number("count"), self.chance.randint(2, 12)
        if friends * each >= who.amount - 1:
            raise Dead
        self.told.append(f"{who.name} gives {each} {self.goods} to each of {friends} friends.")
        given = self.node("*", friends, each, (), f"{who.name} gives away @ {self.goods}.")
        self.change(who, "-", self.nodes[given].c, given)

    def event_share(self, who: _Person, people: list[_Person], room: int) -> None:
        by = self.chance.choice([d for d in SHARES if who.amount % d == 0] or [0])
        if by == 0:
            raise Dead
        verb = self.chance.choice(("gives away", "sells", "loses"))
        self.told.append(f"{who.name} {verb} {SHARES[by]} of {who.own} {self.goods}.")
        if by == 2:
            self.change(who, "/", 2)
            return
        _needs_room(room, 2)
        part = self.node("/", who.amount, by, (who.node,), f"{who.name} {verb} @ {self.goods}.")
        self.change(who, "-", self.nodes[part].c, part)

    def event_multiply(self, who: _Person, people: list[_Person], room: int) -> None:
        by, said = self.chance.choice(((2, "doubles"), (2, "doubles"), (3, "triples")))
        if who.amount * by > 1500:
            raise Dead
        self.told.append(f"Then the number of {self.goods} {who.name} has {said}.")
        self.change(who, "*", by)

    def event_pass_on(self, who: _Person, people: list[_Person], room: int) -> None:
        _needs_room(room, 2)
        others = [person for person in people if person is not who]
        if not others:
            raise Dead
        number = self.part(who.amount)
        self.told.append(f"{who.name} gives {number} {self.goods} to {others[0].name}.")
        self.change(who, "-", number)
        self.change(others[0], "+", number)

    def draw_end(self, two: bool) -> int:
        """How many steps the end of the story takes."""
        if two:
            return 3 if self.steps > 5 and self.chance.random() < 0.5 else 1
        return int(self.steps > 2 and self.chance.random() < 0.45)

    def finish(self, people: list[_Person], end: int) -> tuple[str, int]:
        """The question, and its answer."""
        if len(people) == 2:
            return self.worth(people) if end == 3 else self.difference(people)
        who = people[0]
        if end == 0:
            said = self.chance.choice(
                (
                    f"How many {self.goods} does {who.name} have now?",
                    f"How many {self.goods} does {who.name} have at the end?",
                )
            )
            return said, who.amount
        divisors = [d for d in range(3, 13) if who.amount % d == 0 and who.amount > d]
        if divisors and self.chance.random() < 0.4:
            by = self.chance.choice(divisors)
            self.told.append(f"In the end the {self.goods} are put in bags of {by}.")
            last = self.node("/", who.amount, by, (who.node,), "The number of bags is @.")
            return "How many bags are needed?", self.nodes[last].c
        price = self.number("price")
        self.told.append(f"In the end {who.name} sells all the {self.goods} for {price} dollars each.")
        last = self.node("*", who.amount, price, (who.node,), f"{who.name} gets @ dollars.")
        return f"How many dollars does {who.name} get?", self.nodes[last].c

    def difference(self, people: list[_Person]) -> tuple[str, int]:
        more, less = sorted(people, key=lambda person: -person.amount)
        last = self.node(
            "-", more.amount, less.amount, (more.node, less.node),
            f"{more.name} has @ more {self.goods} than {less.name}.",
        )  # fmt: skip
        question = f"How many more {self.goods} does {more.name} have than {less.name}?"
        return question, self.nodes[last].c

    def worth(self, people: list[_Person]) -> tuple[str, int]:
        """Different prices, so that what one has lost to the other does not cancel out."""
        parts = []
        for who in people:
            price = self.number("price")
            self.told.append(f"In the end {who.name} sells all of them for {price} dollars each.")
            says = f"{who.name} gets @ dollars."
            parts.append(self.node("*", who.amount, price, (who.node,), says))
        a, b = (self.nodes[part].c for part in parts)
        last = self.node("+", a, b, tuple(parts), "Together they get @ dollars.")
        return "How many dollars do they get together?", self.nodes[last].c


EVENTS = (
    "find", "find", "lose", "lose", "buy", "buy", "collect", "hand_out", "share", "share",
    "multiply", "pass_on", "pass_on",
)  # fmt: skip
RANGES = {
    "start": ((12, 90), (40, 250), (100, 480)),
    "change": ((4, 60), (15, 99), (30, 240)),
    "count": ((2, 9), (2, 9), (3, 12), (10, 19)),
    "pack": ((4, 12), (6, 24), (11, 39)),
    "price": ((2, 9), (3, 12)),
}


def _needs_room(room: int, steps: int) -> None:
    if room < steps:
        raise Dead


def _than(kind: str, name: str) -> str:
    return f"as {name}" if kind == "times" else f"than {name}"
