"""What a user types about prompts and pass rates → what `Generation` takes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import msgspec

from prmdata.errors import InputError, UsageError, unknown
from prmdata.files import Unreadable, rows
from prmdata.records import Message
from prmdata.traces.asking import template_of


def template_named(name: str) -> Literal["chat", "raw"]:
    if name == "chat":
        return "chat"
    if name == "raw":
        return "raw"
    raise unknown("template", name, ("chat", "raw"))


def template_arguments(words: Iterable[str]) -> dict[str, object]:
    """`enable_thinking=false`: values are JSON where they can be, else text."""
    found: dict[str, object] = {}
    for word in words:
        name, mark, value = word.partition("=")
        if not mark or not name.isidentifier():
            raise UsageError(f"--template-arg {word}: write it as NAME=VALUE")
        if name in ("messages", "add_generation_prompt"):
            raise UsageError(f"--template-arg {word}: prmdata itself gives the template its {name}")
        try:
            found[name] = msgspec.json.decode(value)
        except msgspec.DecodeError:
            found[name] = value
    return found


def read_few_shot(path: str, prompt: str) -> tuple[Message, ...]:
    """Worked examples as turns: the question as it is asked, the solution as the answer."""
    turns: list[Message] = []
    for row, where in rows.read(path):
        if isinstance(row, Unreadable):
            raise InputError(row.reason)
        question, solution = row.get("question"), row.get("solution", row.get("answer"))
        if not isinstance(question, str) or not isinstance(solution, str):
            raise InputError(f"{where}: an example needs a question and a solution, both text")
        content = template_of(prompt).replace("{question}", question)
        turns.append({"role": "user", "content": content})
        turns.append({"role": "assistant", "content": solution})
    return tuple(turns)


def parse_keep(text: str) -> tuple[float, float]:
    """`0.1..0.9`."""
    low, mark, high = text.partition("..")
    try:
        bounds = (float(low), float(high))
    except ValueError:
        bounds = (1.0, 0.0)
    if not mark or not 0 <= bounds[0] <= bounds[1] <= 1:
        raise UsageError(f"--keep {text}: write it as LOW..HIGH between 0 and 1, like 0.1..0.9")
    return bounds
