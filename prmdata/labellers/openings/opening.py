"""The words that open an answer after any step, as this model and this trace write answers.

What stands open before is closed first: a fence of code, a thought. Inside a call of a tool no
answer can be given, so there nothing is asked.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from prmdata.records import Trace, content_of

Style = Literal["auto", "boxed", "tags", "phrase"]
FENCE = re.compile(r"^\s*(```|~~~)", re.MULTILINE)
THOUGHT = re.compile(r"<(/?)(think|thinking|thought)>")
CALL = re.compile(r"<(/?)(tool_call|function_call|tool_use)>")


@dataclass(frozen=True, slots=True)
class Opening:
    before: str
    """What is read before the answer."""
    space: str
    """What stands between it and the answer, and is scored with it: in many vocabularies a number
    and the space before it are one token."""
    after: str
    """What would close the answer."""
    cut: Callable[[str], str | None]
    """What a model wrote → the answer in it, or `None`: it did not come to an end."""

    def stated(self, answer: str) -> str:
        return f"{self.space}{answer}"

    def graded(self, text: str) -> str | None:
        """The words that are graded where a model went on with `text`."""
        answer = self.cut(text)
        return None if answer is None else f"{self.before.strip()}{self.space}{answer}{self.after}"


def opening_after(context: str, trace: Trace, style: Style = "auto") -> Opening | None:
    """How an answer is opened after `context`, the whole text up to there with its prompt;
    `None` inside a call of a tool."""
    if _left_open(CALL, context):
        return None
    lead = "" if not context or context.endswith("\n") else "\n"
    if len(FENCE.findall(context)) % 2:
        lead += "```\n"
    if thought := _left_open(THOUGHT, context):
        lead += f"</{thought}>\n\n"
    if style == "auto":
        style = style_of(trace)
    if style == "boxed":
        return Opening(f"{lead}The final answer is \\boxed{{", "", "}", _boxed)
    if style == "tags":
        return Opening(f"{lead}<answer>", "", "</answer>", _tagged)
    return Opening(f"{lead}The answer is", " ", ".\n", _sentence)


def style_of(trace: Trace) -> Style:
    """As the trace itself, its prompt or the rule by which its answer is read would have it."""
    asked = "".join(content_of(message) for message in trace.origin.messages)
    for text in (trace.text, asked):
        if "<answer>" in text:
            return "tags"
        if "\\boxed" in text:
            return "boxed"
    return "boxed" if trace.origin.answers == "boxed" else "phrase"


def _left_open(tag: re.Pattern[str], text: str) -> str | None:
    """The name of the tag that was opened last, where it was not closed."""
    found = None
    for match in tag.finditer(text):
        found = match
    return None if found is None or found[1] else found[2]


def _boxed(text: str) -> str | None:
    depth = 1
    for place, letter in enumerate(text):
        if text[place - 1 : place] == "\\" and place:
            continue
        depth += (letter == "{") - (letter == "}")
        if depth == 0:
            return text[:place]
    return None


def _tagged(text: str) -> str | None:
    answer, closed, _ = text.partition("</")
    return answer if closed else None


def _sentence(text: str) -> str | None:
    """Up to the end of the line, or of the sentence: a point inside a number is none."""
    line = text.partition("\n")[0]
    end = re.search(r"\.(?:\s|\Z)", line)
    answer = line[: end.start()] if end else line
    return answer.strip() or None
