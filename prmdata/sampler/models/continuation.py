"""Where a prompt, the first steps of a trace and what a model writes after them meet."""

from __future__ import annotations

import re
from collections.abc import Sequence

OPENING = re.compile(r"(<[^<>/\s]{1,40}>|\[[A-Z_]{1,40}\])\s*\Z")
NO_THOUGHT = re.compile(r"<think>\s*</think>\s*\Z")


def joined(prompt: str, text: str) -> str:
    """A prompt and a text that another program wrote, with the tag that opens the turn once.

    Many templates end with `<think>`, or with an empty thought where thinking is switched off, and
    imported text begins with the thought it holds.
    """
    begins = text.lstrip()
    if begins.startswith("<think>"):
        prompt = NO_THOUGHT.sub("", prompt)
    opening = OPENING.search(prompt[-100:])
    if opening and begins.startswith(opening[1]):
        prompt = prompt[: len(prompt) - len(opening[0])]
    return prompt + text


def ends_at_once(prefix: str, text: str, stop: Sequence[str]) -> bool:
    """Whether a stop string begins in the prefix and is completed by the text after it.

    Samplers look for stop strings only in what they write.
    """
    return any(
        prefix.endswith(string[:length]) and text.startswith(string[length:])
        for string in stop
        for length in range(1, len(string))
    )
