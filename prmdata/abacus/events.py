"""What may happen in a story: each event tells a sentence and adds the steps that follow from it.

An event gets the scene, whom it happens to, and how many steps there is room for; it raises
`DeadEnd` where it does not fit.
"""

from __future__ import annotations

from collections.abc import Callable

from prmdata.abacus.scene import DeadEnd, Person, Scene
from prmdata.abacus.vocabulary import SHARES


def begin(scene: Scene) -> None:
    """What people have at first; of a second person it may be said by comparison."""
    first = scene.people[0]
    first.amount = scene.number("start")
    verb = scene.chance.choice(("has", "starts with"))
    scene.tell(f"{first.name} {verb} {first.amount} {scene.goods}.")
    for other in scene.people[1:]:
        kind = scene.chance.choice(("own", "more", "fewer", "times"))
        if kind == "own" or scene.steps < 5:
            other.amount = scene.number("start")
            scene.tell(f"{other.name} has {other.amount} {scene.goods}.")
        else:
            _compare(scene, first, other, kind)


def _compare(scene: Scene, first: Person, other: Person, kind: str) -> None:
    if kind == "times":
        op, by = "*", scene.chance.randint(2, 5)
        scene.tell(f"{other.name} has {by} times as many {scene.goods} as {first.name}.")
    else:
        op = "+" if kind == "more" else "-"
        by = scene.number("change") if op == "+" else scene.part(first.amount)
        scene.tell(f"{other.name} has {by} {kind} {scene.goods} than {first.name}.")
    says = f"{other.name} has @ {scene.goods}."
    other.node = scene.node(op, first.amount, by, (first.node,), says)
    other.amount = scene.nodes[other.node].c


def find(scene: Scene, who: Person, _room: int) -> None:
    number = scene.number("change")
    scene.tell(
        f"{who.name} finds {number} more {scene.goods}.",
        f"{who.name} buys {number} more {scene.goods}.",
        f"A friend gives {who.name} {number} {scene.goods}.",
    )
    scene.change(who, "+", number)


def lose(scene: Scene, who: Person, _room: int) -> None:
    number = scene.part(who.amount)
    scene.tell(
        f"{who.name} loses {number} {scene.goods}.",
        f"{who.name} sells {number} of the {scene.goods}.",
        f"{who.name} gives {number} {scene.goods} to a friend.",
    )
    scene.change(who, "-", number)


def buy(scene: Scene, who: Person, room: int) -> None:
    _need(room, 2)
    count, size = scene.number("count"), scene.pack_size or scene.number("pack")
    if scene.pack_size is None:
        scene.tell(f"{who.name} buys {count} {scene.packs} of {size} {scene.goods} each.")
    else:
        scene.tell(f"{who.name} buys {count} {scene.packs} of {scene.goods}.")
    bought = scene.node("*", count, size, (), f"{who.name} buys @ {scene.goods}.")
    scene.change(who, "+", scene.nodes[bought].c, bought)


def collect(scene: Scene, who: Person, room: int) -> None:
    _need(room, 2)
    days, each = scene.number("count"), scene.number("pack")
    scene.tell(
        f"{who.name} collects {each} {scene.goods} a day for {days} days.",
        f"For {days} days {who.name} collects {each} {scene.goods} a day.",
    )
    made = scene.node("*", days, each, (), f"{who.name} collects @ {scene.goods}.")
    scene.change(who, "+", scene.nodes[made].c, made)


def hand_out(scene: Scene, who: Person, room: int) -> None:
    _need(room, 2)
    friends, each = scene.number("count"), scene.chance.randint(2, 12)
    if friends * each >= who.amount - 1:
        raise DeadEnd
    scene.tell(f"{who.name} gives {each} {scene.goods} to each of {friends} friends.")
    given = scene.node("*", friends, each, (), f"{who.name} gives away @ {scene.goods}.")
    scene.change(who, "-", scene.nodes[given].c, given)


def share(scene: Scene, who: Person, room: int) -> None:
    by = scene.chance.choice([d for d in SHARES if who.amount % d == 0] or [0])
    if by == 0:
        raise DeadEnd
    verb = scene.chance.choice(("gives away", "sells", "loses"))
    scene.tell(f"{who.name} {verb} {SHARES[by]} of {who.own} {scene.goods}.")
    if by == 2:
        scene.change(who, "/", 2)
        return
    _need(room, 2)
    part = scene.node("/", who.amount, by, (who.node,), f"{who.name} {verb} @ {scene.goods}.")
    scene.change(who, "-", scene.nodes[part].c, part)


def multiply(scene: Scene, who: Person, _room: int) -> None:
    by, said = scene.chance.choice(((2, "doubles"), (2, "doubles"), (3, "triples")))
    if who.amount * by > 1500:
        raise DeadEnd
    scene.tell(f"Then the number of {scene.goods} {who.name} has {said}.")
    scene.change(who, "*", by)


def pass_on(scene: Scene, who: Person, room: int) -> None:
    _need(room, 2)
    others = [person for person in scene.people if person is not who]
    if not others:
        raise DeadEnd
    number = scene.part(who.amount)
    scene.tell(f"{who.name} gives {number} {scene.goods} to {others[0].name}.")
    scene.change(who, "-", number)
    scene.change(others[0], "+", number)


EVENTS: tuple[Callable[[Scene, Person, int], None], ...] = (
    find, find, lose, lose, buy, buy, collect, hand_out, share, share, multiply, pass_on, pass_on,
)  # fmt: skip
"""As often as they are drawn."""


def happen(scene: Scene, room: int) -> None:
    """One event of at most `room` steps, or none where the one drawn does not fit."""
    who = scene.chance.choice(scene.people)
    event = scene.chance.choice(EVENTS)
    nodes, told, amount, node = len(scene.nodes), len(scene.told), who.amount, who.node
    try:
        event(scene, who, room)
    except DeadEnd:  # another event may do
        who.amount, who.node = amount, node
        del scene.nodes[nodes:], scene.told[told:]


def _need(room: int, steps: int) -> None:
    if room < steps:
        raise DeadEnd
