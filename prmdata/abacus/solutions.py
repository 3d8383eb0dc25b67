"""Written solutions: right ones, and ones with a known error put in."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence

from prmdata.abacus.oracle import ErrorKind, sentence
from prmdata.abacus.scene import calculate
from prmdata.abacus.stories import Story
from prmdata.abacus.vocabulary import GOODS, NAMES


def solution(story: Story, chance: random.Random | None = None) -> list[str]:
    """The steps in the story's order; with `chance`, in any of the ways to say them."""
    ways = [chance.randrange(len(n.says)) if chance else 0 for n in story.nodes]
    said = [sentence(node, way) for node, way in zip(story.nodes, ways, strict=True)]
    return numbered(said, story.answer)


def numbered(sentences: Sequence[str], answer: int) -> list[str]:
    steps = [f"Step {number}: {text}" for number, text in enumerate(sentences, 1)]
    return [*steps, f"The answer is {answer}."]


def slip(number: int, chance: random.Random) -> int:
    """A near miss: a digit off, a carry forgotten."""
    offsets = (1, -1, 2, -2, 10, -10, 10, -10, 100, -100, 9, -9, 20)
    candidates = [number + offset for offset in offsets if number + offset > 0]
    return chance.choice(candidates)


def with_error(story: Story, kind: ErrorKind, chance: random.Random) -> tuple[list[str], int]:
    """A solution whose only error is of this kind, and the index of the line it is in.

    Raises `ValueError` where the story has no place for it.
    """
    said = [sentence(node) for node in story.nodes]
    if kind == "answer":
        return numbered(said, slip(story.answer, chance)), len(said)
    places = list(range(len(said)))
    chance.shuffle(places)
    for at in places:
        changed = _changed(story, said, at, kind, chance)
        if changed is not None:
            lines, wrong = changed
            return numbered(lines, story.answer), wrong
    raise ValueError(f"this story has no place for an error of kind {kind}")


def _changed(
    story: Story, said: list[str], at: int, kind: ErrorKind, chance: random.Random
) -> tuple[list[str], int] | None:
    node = story.nodes[at]
    if kind == "repeat":
        if said.count(said[at]) > 1:  # its twin is a step of its own
            return None
        return [*said[: at + 1], said[at], *said[at + 1 :]], at + 1
    if kind == "early":
        users = [i for i, other in enumerate(story.nodes) if at in other.needs]
        if not users:
            return None
        return said[:at] + said[at + 1 :], users[0] - 1
    if kind == "form":
        text = said[at].replace(" = ", " makes ")
    elif kind == "subject":
        text = _other_subject(said[at], chance)
    elif kind == "arithmetic":
        text = said[at].replace(f"= {node.c}", f"= {slip(node.c, chance)}")
    else:
        text = _other_operand(story, said[at], at, chance)
    known = {line for i, line in enumerate(said) if i != at}
    return None if text == said[at] or text in known else ([*said[:at], text, *said[at + 1 :]], at)


def _other_subject(text: str, chance: random.Random) -> str:
    words = re.findall(r"[A-Za-z]+", text)
    for word in words:
        if word in NAMES:
            return text.replace(word, chance.choice([n for n in NAMES if n not in words]))
    goods = [g for g, _, _ in GOODS]
    for word in words:
        if word in goods:
            return text.replace(word, chance.choice([g for g in goods if g != word]))
    return text


def _other_operand(story: Story, text: str, at: int, chance: random.Random) -> str:
    node = story.nodes[at]
    numbers = {int(n) for n in re.findall(r"\d+", story.question)}
    numbers |= {other.c for other in story.nodes[:at]}
    right = {(n.op, *sorted((n.a, n.b))) for n in story.nodes}
    for other in chance.sample(sorted(numbers), len(numbers)):
        for a, b in ((node.a, other), (other, node.b)):
            c = calculate(node.op, a, b)
            if c is not None and 0 < c <= 9999 and (node.op, *sorted((a, b))) not in right:
                old = f"{node.a} {node.op} {node.b} = {node.c}"
                return text.replace(old, f"{a} {node.op} {b} = {c}")
    return text
