"""How a solution is written for a reward model: as the models of each kind were trained to read it.

`qwen` is Qwen2.5-Math-PRM's: a chat, and `<extra_0>` after every step. `math-shepherd` is plain
text with ` ки` after every step, the steps numbered. `trl` is what TRL's PRMTrainer makes of
`export --to stepwise`: a line feed after every step, each part in tokens of its own. `plain` and
`chat` are the question and the steps, with any separator.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from prmdata.errors import ItemError
from prmdata.records import Message, Trace
from prmdata.sampler.models.rendering import ChatTemplate
from prmdata.sampler.protocol import Marked

Name = Literal["qwen", "math-shepherd", "trl", "plain", "chat"]
SYSTEM = r"Please reason step by step, and put your final answer within \boxed{}."
NUMBERED = re.compile(r"\s*step\s*\d", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Layout:
    separator: str
    good: int = 1
    """The class of right steps."""
    chat: bool = False
    system: str | None = None
    opens: str = "{question}\n"
    """The question, where it is not put by the model's chat template."""
    numbered: bool = False
    """Every step begins with its number."""
    between: str = ""
    """After the separator."""
    bos: Literal["always", "own"] = "own"
    """The first token: always there, or where the tokenizer puts it by itself."""
    apart: bool = False


LAYOUTS: dict[Name, Layout] = {
    "qwen": Layout("<extra_0>", chat=True, system=SYSTEM),
    "math-shepherd": Layout(" ки", 0, opens="{question} ", numbered=True, between="\n"),
    "trl": Layout("\n", bos="always", apart=True),
    "plain": Layout("\n"),
    "chat": Layout("\n\n", chat=True),
}


def marked(
    trace: Trace, layout: Layout, separator: str, template: ChatTemplate, system: str | None
) -> Marked:
    """The solution, with a mark after the separator of every step. `system`: in the place of the
    layout's own message; an empty one is none."""
    if trace.acts or any(step.kind in ("tool_call", "observation") for step in trace.steps):
        raise ItemError(f"trace {trace.id} acts with tools: a reward model here reads text alone")
    pieces = [_opening(trace, layout, template, system)]
    marks: list[int] = []
    for number, step in enumerate(trace.steps, 1):
        said = step.text.strip()
        if separator.strip() and separator.strip() in said:
            raise ItemError(
                f"trace {trace.id}: step {number} holds the separator {separator.strip()!r} "
                "itself, and would be taken for two"
            )
        if layout.numbered and not NUMBERED.match(said):
            said = f"Step {number}: {said}"
        pieces += [said, separator]
        marks.append(len(pieces) - 1)
        if layout.between and number < len(trace.steps):
            pieces.append(layout.between)
    return Marked(tuple(pieces), tuple(marks), layout.apart)


def _opening(trace: Trace, layout: Layout, template: ChatTemplate, system: str | None) -> str:
    question = trace.problem.question.rstrip()
    if layout.chat:
        lead = layout.system if system is None else system
        messages: list[Message] = [{"role": "system", "content": lead}] if lead else []
        return template.open_turn([*messages, {"role": "user", "content": question}])
    text = layout.opens.format_map({"question": question})
    lead = template.bos if layout.bos == "always" or template.bos_by_default else ""
    return lead + text


def text_of(marked: Marked) -> tuple[str, Sequence[int]]:
    """The text as one, and where the marks are in it."""
    ends, place = [], 0
    for piece in marked.pieces:
        place += len(piece)
        ends.append(place)
    return "".join(marked.pieces), [ends[mark] for mark in marked.marks]
