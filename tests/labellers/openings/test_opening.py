"""How an answer is opened after any text: what stands open there is closed first."""

from __future__ import annotations

from dataclasses import replace

import pytest

from prmdata.labellers.openings.opening import opening_after
from prmdata.labellers.openings.reading import tokens_of
from prmdata.records import Origin, Problem, Step, Trace
from prmdata.sampler.protocol import Scored

PLAIN = Trace("t", Problem("p", "?", "7"), (Step("3 + 4 = 7.\n"), Step("The answer is 7.")))
BOXED = replace(PLAIN, steps=(Step("So \\boxed{7}"),))
TAGGED = replace(PLAIN, steps=(Step("<answer>7</answer>"),))


@pytest.mark.parametrize(
    ("trace", "context", "before"),
    [
        (PLAIN, "Question\n", "The answer is"),
        (PLAIN, "Question\n3 + 4", "\nThe answer is"),
        (BOXED, "Question\n", "The final answer is \\boxed{"),
        (TAGGED, "Question\n", "<answer>"),
        (PLAIN, "assistant:<think>\nSo 3", "\n</think>\n\nThe answer is"),
        (PLAIN, "assistant:<think></think>\n", "The answer is"),
        (BOXED, "```python\nprint(3)\n", "```\nThe final answer is \\boxed{"),
        (BOXED, "```python\nprint(3)\n```\n", "The final answer is \\boxed{"),
        (BOXED, "<think>\n```\nx = 3\n", "```\n</think>\n\nThe final answer is \\boxed{"),
        (replace(PLAIN, origin=Origin(answers="boxed")), "\n", "The final answer is \\boxed{"),
    ],
)
def test_what_is_open_is_closed(trace: Trace, context: str, before: str) -> None:
    opening = opening_after(context, trace)
    assert opening is not None
    assert opening.before == before


def test_inside_a_call_of_a_tool_nothing_is_asked() -> None:
    assert opening_after('<tool_call>\n{"name": "calc"', PLAIN) is None
    assert opening_after("<tool_call>{}</tool_call>\n", PLAIN) is not None


@pytest.mark.parametrize(
    ("trace", "text", "graded"),
    [
        (BOXED, "\\frac{1}{2}} so", "The final answer is \\boxed{\\frac{1}{2}}"),
        (BOXED, "\\{1, 2\\}}", "The final answer is \\boxed{\\{1, 2\\}}"),
        (BOXED, "\\frac{1}{2", None),
        (TAGGED, "7</answer>", "<answer>7</answer>"),
        (TAGGED, "7 and then", None),
        (PLAIN, " 3.5. Then", "The answer is 3.5.\n"),
        (PLAIN, " 7", "The answer is 7.\n"),
        (PLAIN, "\n", None),
    ],
)
def test_an_answer_ends_where_its_opening_is_closed(
    trace: Trace, text: str, graded: str | None
) -> None:
    opening = opening_after("\n", trace)
    assert opening is not None
    assert opening.graded(text) == graded


def test_tokens_belong_to_the_step_in_which_they_begin() -> None:
    starts = (0, 4, 9, 10, 12, 20)  # the second step begins at 11, within the token at 10
    read = Scored((-1.0,) * 6, starts, 9)
    assert tokens_of(PLAIN, read) == [range(4), range(4, 6)]
    short = replace(PLAIN, steps=(Step("3 + 4 = 7.\n"), Step("x"), Step("The answer.")))
    assert tokens_of(short, read) == [range(4), range(4, 4), range(4, 6)]
