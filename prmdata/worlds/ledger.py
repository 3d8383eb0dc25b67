"""A story of abacus with some of its numbers in a ledger: an agent looks them up and reckons with a
calculator.

A look-up is right where the number is needed and not yet known; a calculation, where it is one of
the solution's steps and all that it builds on is there. Only as many look-ups are allowed as are
needed, so a wasted one costs the answer.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from prmdata.abacus import Story, story
from prmdata.records import Problem
from prmdata.worlds.arithmetic import Calculation, read, shown
from prmdata.worlds.contract import Move, made

LETTERS = "pqrs"
MOST_HIDDEN = 3
"""Numbers of the solution; one that is in the way may be hidden beside them."""
LEVELS = (1, 2, 3)
_NUMBER = re.compile(r"\d+")
_ASIDE = re.compile(r"(\d+) (?:years old|miles away)|lives at number (\d+)")


@dataclass(frozen=True, slots=True)
class Entry:
    op: str
    a: int
    b: int
    c: int
    needs: frozenset[int]
    """Earlier entries."""
    letters: frozenset[str]
    """Of the ledger."""

    def says(self, one: Calculation) -> bool:
        same = one.a == self.a and one.b == self.b
        swapped = self.op in "+*" and one.b == self.a and one.a == self.b
        return one.op == self.op and (same or swapped)


@dataclass(frozen=True, slots=True)
class Book:
    entries: tuple[Entry, ...]
    hidden: tuple[tuple[str, int], ...]
    answer: int
    left: int
    """Look-ups."""
    done: frozenset[int] = frozenset()
    seen: frozenset[str] = frozenset()


class Ledger:
    name: ClassVar[str] = "ledger"
    tools: ClassVar[tuple[dict[str, Any], ...]] = (
        {
            "name": "calculator",
            "description": "Works out an arithmetic expression, such as 12 * 7.",
            "parameters": {"expression": {"type": "string"}},
        },
        {
            "name": "lookup",
            "description": "Gives a number of the ledger, by its letter.",
            "parameters": {"letter": {"type": "string"}},
        },
    )

    def problem(self, seed: int, index: int) -> Problem:
        told = story(seed, index, LEVELS[index % len(LEVELS)])
        question, numbers = hide(told, random.Random(f"ledger {seed} {index}"))
        return made(self.name, seed, index, question, str(told.answer), numbers)

    def start(self, problem: Problem) -> Book:
        numbers = problem.context
        hidden = {str(letter): int(value) for letter, value in numbers["hidden"].items()}
        entries = tuple(_entry(node, hidden) for node in numbers["solution"])
        return Book(entries, tuple(hidden.items()), int(problem.answer or 0), numbers["lookups"])

    def act(self, state: Book, arguments: Mapping[str, object], tool: str = "") -> Move[Book]:
        if tool == "lookup":
            return _looked_up(state, str(arguments.get("letter")))
        return _calculated(state, str(arguments.get("expression")))

    def answered(self, state: Book, text: str) -> tuple[bool, float]:
        found = _NUMBER.findall(text)
        reward = float(bool(found) and found[-1][:9] == str(state.answer))
        return reward == 1 and len(state.done) == len(state.entries), reward


def hide(told: Story, chance: random.Random) -> tuple[str, dict[str, object]]:
    """The question with letters for some numbers, and what is needed to play it."""
    values = _NUMBER.findall(told.question)
    results = {node.c for node in told.nodes}
    operands = {number for node in told.nodes for number in (node.a, node.b)} - results
    plain = [int(v) for v in values if values.count(v) == 1 and int(v) > 5]
    needed = [value for value in plain if value in operands]
    hidden = chance.sample(needed, min(len(needed), chance.randint(1, MOST_HIDDEN)))
    lookups = len(hidden)
    aside = next((int(a or b) for a, b in _ASIDE.findall(told.question)), None)
    if aside in plain and aside not in operands | results and chance.random() < 0.6:
        hidden.append(aside)
    places = sorted(hidden, key=lambda value: values.index(str(value)))
    letters = dict(zip((str(value) for value in places), LETTERS, strict=False))
    question = _NUMBER.sub(lambda found: letters.get(found[0], found[0]), told.question)
    if letters:
        named = " and ".join(letters.values())
        question += f" The ledger has {named}; at most {lookups} can be looked up."
    numbers = {
        "hidden": {letter: int(value) for value, letter in letters.items()},
        "lookups": lookups,
        "solution": [[node.op, node.a, node.b, node.c, list(node.needs)] for node in told.nodes],
    }
    return question, numbers


def _entry(node: Any, hidden: Mapping[str, int]) -> Entry:
    op, a, b, c, needs = node
    letters = frozenset(letter for letter, value in hidden.items() if value in (a, b))
    return Entry(op, a, b, c, frozenset(needs), letters)


def _looked_up(state: Book, letter: str) -> Move[Book]:
    value = dict(state.hidden).get(letter)
    if state.left == 0:
        return Move(state, "No look-ups are left.", False, "no look-ups are left")
    spent = replace(state, left=state.left - 1, seen=state.seen | {letter})
    if value is None:
        return Move(spent, f"{letter[:20]} is not in the ledger.", False, "it is not in the ledger")
    open_ones = [e for i, e in enumerate(state.entries) if i not in state.done]
    if letter in state.seen:
        note: str | None = "it was looked up before"
    else:
        note = None if any(letter in e.letters for e in open_ones) else "it is not needed"
    return Move(spent, str(value), note is None, note)


def _calculated(state: Book, text: str) -> Move[Book]:
    """Each operation of the expression must be a step of the solution."""
    expression = read(text)
    if isinstance(expression, str):
        return Move(state, f"error: {expression}", False, expression)
    note: str | None = None if expression.calculations else "it calculates nothing"
    for one in expression.calculations:
        state, fault = _stepped(state, one)
        note = note or fault
    return Move(state, shown(expression.value), note is None, note)


def _stepped(state: Book, one: Calculation) -> tuple[Book, str | None]:
    same = [i for i, entry in enumerate(state.entries) if entry.says(one)]
    fresh = [i for i in same if i not in state.done]
    ready = [i for i in fresh if _is_ready(state, state.entries[i])]
    if taken := (ready or fresh)[:1]:
        state = replace(state, done=state.done.union(taken))
    if ready:
        return state, None
    if fresh:
        return state, "what it builds on is not known yet"
    return state, "it was calculated before" if same else "it is no step of the solution"


def _is_ready(state: Book, entry: Entry) -> bool:
    return entry.needs <= state.done and entry.letters <= state.seen
