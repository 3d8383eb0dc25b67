"""A player of the three small worlds: a program, not a model, that slips now and then.

It reads its prompt and writes turns as a model does, so that agents can be sampled, continued and
labelled with no model at hand, and with the truth of every action known. `player:0.2` slips in a
fifth of its turns.
"""

from __future__ import annotations

import itertools
import json
import random
import re
from collections.abc import Callable, Sequence
from typing import Any

from prmdata.errors import UsageError
from prmdata.sampler.models.rendering import ChatTemplate
from prmdata.sampler.protocol import Completion, Sampling, Scored
from prmdata.worlds.constraint import EMPTY, SIDE, solvable
from prmdata.worlds.posterior import gain, updated

TEMPLATE = ChatTemplate("{% for m in messages %}{{ m | tojson ~ '\\n' }}{% endfor %}")
SLIPS = 0.15
Messages = Sequence[dict[str, Any]]


async def open_player(rest: str, options: dict[str, str], spec: str) -> Player:
    if options:
        raise UsageError("--engine-arg: the player of the worlds takes no arguments")
    try:
        slips = float(rest) if rest else SLIPS
    except ValueError:
        slips = -1.0
    if not 0 <= slips <= 1:
        raise UsageError(
            f"--sampler {spec}: write player, or player:0.2 to slip in a fifth of turns"
        )
    return Player(spec, slips)


class Player:
    """Every draw is a pure function of the prefix and the seed."""

    template = TEMPLATE
    context = 1 << 20

    def __init__(self, spec: str = "player", slips: float = SLIPS) -> None:
        self.spec, self.slips = spec, slips
        self.fingerprint = f"player-1-{slips:g}"

    async def complete(
        self, prefix: str, n: int, sampling: Sampling, seed: int
    ) -> list[Completion]:
        return [self._turn(prefix, seed + i, sampling) for i in range(n)]

    async def score(self, prefix: str, text: str, top: int = 0) -> Scored:
        raise UsageError("the player of the worlds is a program: it has no probabilities")

    async def close(self) -> None:
        pass

    def _turn(self, prefix: str, seed: int, sampling: Sampling) -> Completion:
        lines = [line for line in prefix.splitlines() if line.startswith("{")]
        chance = random.Random(f"{prefix} {seed}")
        text = _played([json.loads(line) for line in lines], chance, chance.random() < self.slips)
        tokens = len(text) // 4 + 1
        if tokens > sampling.max_tokens:
            return Completion(text[: 4 * sampling.max_tokens], sampling.max_tokens, "length")
        return Completion(text, tokens, "stop")


def _played(messages: Messages, chance: random.Random, slip: bool) -> str:
    question = str(messages[0]["content"]) if messages else ""
    question = next((str(m["content"]) for m in messages if m["role"] == "user"), question)
    for mark, play in PLAYS.items():
        if mark in question:
            return play(question, messages, chance, slip)
    return "I only know the three small worlds. The answer is unknown."


def _calls(messages: Messages) -> list[dict[str, Any]]:
    turns = (message.get("tool_calls") or [] for message in messages)
    return [call["function"]["arguments"] for calls in turns for call in calls]


def _said(messages: Messages) -> list[str]:
    return [str(m["content"]) for m in messages if m["role"] == "tool"]


def _call(words: str, tool: str, **arguments: int) -> str:
    call = json.dumps({"name": tool, "arguments": arguments})
    return f"{words}\n<tool_call>\n{call}\n</tool_call>"


def _search(question: str, messages: Messages, chance: random.Random, slip: bool) -> str:
    low, high = 1, int(re.findall(r"from 1 to (\d+)", question)[0])
    for arguments, said in zip(_calls(messages), _said(messages), strict=False):
        number = int(arguments["number"])
        if "higher" in said:
            low = max(low, number + 1)
        elif "lower" in said:
            high = min(high, number - 1)
        elif "That is it" in said:
            return f"The answer is {number}."
    if low > high:
        return f"The answer is {low}."
    number = chance.randint(low, high) if slip else (low + high) // 2
    return _call(f"It is from {low} to {high}.", "guess", number=number)


def _constraint(question: str, messages: Messages, chance: random.Random, slip: bool) -> str:
    drawn = [text for text in [question, *_said(messages)] if _cells(text)]
    cells = _cells(drawn[-1])
    empty = [i for i, c in enumerate(cells) if c == EMPTY]
    if not empty:
        return "It is complete. The answer is done."
    place = chance.choice(empty)
    fits = [c for c in "1234" if solvable(cells[:place] + c + cells[place + 1 :])]
    number = chance.choice("1234") if slip or not fits else chance.choice(fits)
    row, column = place // SIDE + 1, place % SIDE + 1
    words = f"Row {row}, column {column}."
    return _call(words, "place", row=row, column=column, number=int(number))


def _cells(text: str) -> str:
    rows = re.findall(r"(?m)^[1-4.] [1-4.] [1-4.] [1-4.]$", text)
    return "".join(rows).replace(" ", "") if len(rows) == SIDE else ""


def _posterior(question: str, messages: Messages, chance: random.Random, slip: bool) -> str:
    odds = [int(n) for n in re.findall(r"the odds are ([\d:]+\d)", question)[0].split(":")]
    prior = [n / sum(odds) for n in odds]
    table = [
        [int(n) / 100 for n in re.findall(r"(\d+)%", line)]
        for line in question.splitlines()
        if line.startswith("Test ")
    ]
    done = [int(arguments["number"]) - 1 for arguments in _calls(messages)]
    seen = [(table[t], said == "positive") for t, said in zip(done, _said(messages), strict=False)]
    belief = updated(prior, list(itertools.islice(seen, 2)))
    if len(done) >= 2:
        likeliest = max(range(len(belief)), key=lambda m: belief[m])
        named = chance.randrange(len(belief)) if slip else likeliest
        return f"The answer is {named + 1}."
    left = [t for t in range(len(table)) if t not in done]
    best = max(left, key=lambda t: gain(belief, table[t]))
    return _call("This tells most.", "test", number=(chance.choice(left) if slip else best) + 1)


PLAYS: dict[str, Callable[[str, Messages, random.Random, bool], str]] = {
    "is hidden": _search,
    "Complete this grid": _constraint,
    "is broken": _posterior,
}
"""What the question says → how it is played."""
