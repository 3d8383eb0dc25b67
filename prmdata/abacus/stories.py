"""Worded sums: a story of people and goods, told in text, with every step of its solution.

Stories are a pure function of (namespace, seed, index, level). Training draws from the namespace
`train`, users from `test`: two namespaces never share a random state, whatever the seeds.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from prmdata.abacus.endings import draw_ending, finish
from prmdata.abacus.events import begin, happen
from prmdata.abacus.scene import DeadEnd, Node, Scene

LEVELS = {1: (2, 3), 2: (4, 5), 3: (6, 8), 4: (9, 12)}
"""Level → the fewest and the most steps of a solution."""
TWO_PEOPLE = 0.1
"""The share of stories about two people above level 1: the ones that small models find hard."""


@dataclass(frozen=True, slots=True)
class Story:
    question: str
    nodes: tuple[Node, ...]
    answer: int
    level: int


def story(seed: int, index: int, level: int, namespace: str = "test") -> Story:
    chance = random.Random(f"prmdata abacus {namespace} {seed} {index} {level}")
    while True:
        try:
            return _told(chance, level)
        except DeadEnd:
            continue


def _told(chance: random.Random, level: int) -> Story:
    """Draws one story, event by event; raises `DeadEnd` when a draw leads nowhere."""
    scene = Scene(chance, chance.randint(*LEVELS[level]))
    scene.draw_goods()
    facts = [_pack_fact(scene)] if chance.random() < 0.5 else []
    two = level > 1 and chance.random() < TWO_PEOPLE
    scene.draw_people(2 if two else 1)
    ending = draw_ending(scene)
    begin(scene)
    for _ in range(60):
        room = scene.steps - ending - len(scene.nodes)
        if room <= 0:
            break
        happen(scene, room)
    question, answer = finish(scene, ending)
    if len(scene.nodes) != scene.steps:
        raise DeadEnd
    if chance.random() < 0.3:
        facts.append(_aside(scene))
    chance.shuffle(facts)
    return Story(" ".join([*facts, *scene.told, question]), tuple(scene.nodes), answer, level)


def _pack_fact(scene: Scene) -> str:
    size = scene.pack_size = scene.number("pack")
    return scene.chance.choice(
        (
            f"Each {scene.pack} holds {size} {scene.goods}.",
            f"There are {size} {scene.goods} in every {scene.pack}.",
        )
    )


def _aside(scene: Scene) -> str:
    """A number that has nothing to do with it."""
    number, name = scene.chance.randint(5, 95), scene.people[0].name
    return scene.chance.choice(
        (
            f"{name} is {number} years old.",
            f"The market is {number} miles away.",
            f"{name} lives at number {number}.",
        )
    )
