"""How stories end: the last steps, and the question."""

from __future__ import annotations

from prmdata.abacus.scene import Scene


def draw_ending(scene: Scene) -> int:
    """How many steps the ending takes."""
    if len(scene.people) == 2:
        return 3 if scene.steps > 5 and scene.chance.random() < 0.5 else 1
    return int(scene.steps > 2 and scene.chance.random() < 0.45)


def finish(scene: Scene, ending: int) -> tuple[str, int]:
    """The question, and its answer."""
    if len(scene.people) == 2:
        return _worth(scene) if ending == 3 else _difference(scene)
    who = scene.people[0]
    if ending == 0:
        when = scene.chance.choice(("now", "at the end"))
        return f"How many {scene.goods} does {who.name} have {when}?", who.amount
    divisors = [d for d in range(3, 13) if who.amount % d == 0 and who.amount > d]
    if divisors and scene.chance.random() < 0.4:
        by = scene.chance.choice(divisors)
        scene.tell(f"In the end the {scene.goods} are put in bags of {by}.")
        last = scene.node("/", who.amount, by, (who.node,), "The number of bags is @.")
        return "How many bags are needed?", scene.nodes[last].c
    price = scene.number("price")
    scene.tell(f"In the end {who.name} sells all the {scene.goods} for {price} dollars each.")
    last = scene.node("*", who.amount, price, (who.node,), f"{who.name} gets @ dollars.")
    return f"How many dollars does {who.name} get?", scene.nodes[last].c


def _difference(scene: Scene) -> tuple[str, int]:
    more, less = sorted(scene.people, key=lambda person: -person.amount)
    says = f"{more.name} has @ more {scene.goods} than {less.name}."
    last = scene.node("-", more.amount, less.amount, (more.node, less.node), says)
    question = f"How many more {scene.goods} does {more.name} have than {less.name}?"
    return question, scene.nodes[last].c


def _worth(scene: Scene) -> tuple[str, int]:
    """Different prices, so that what one has lost to the other does not cancel out."""
    parts = []
    for who in scene.people:
        price = scene.number("price")
        scene.tell(f"In the end {who.name} sells all of them for {price} dollars each.")
        says = f"{who.name} gets @ dollars."
        parts.append(scene.node("*", who.amount, price, (who.node,), says))
    a, b = (scene.nodes[part].c for part in parts)
    last = scene.node("+", a, b, tuple(parts), "Together they get @ dollars.")
    return "How many dollars do they get together?", scene.nodes[last].c
