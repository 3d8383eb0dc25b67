"""A trace for the eye: steps coloured by what is believed of them, evidence beside them.

People count steps from 1, as here and in `audit`; records count from 0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from prmdata.records import Evidence, Step, Trace
from prmdata.terminal import visible

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.text import Text

ANSWER, ANSWER_LINES = 300, 8
"""Characters and lines shown of what a tool returned."""
MARKS = {"right": "✓", "wrong": "✗", "unknown": "?"}


def render(trace: Trace) -> RenderableType:
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, show_edge=False, pad_edge=False, header_style="dim")
    table.add_column("#", justify="right", style="dim")
    table.add_column("", width=1)
    table.add_column("step", overflow="fold", ratio=1)
    if trace.labels is not None:
        table.add_column("value", justify="right")
    for evidence in trace.evidence:
        table.add_column(Text(visible(evidence.name)), justify="right", style="dim")
    for index, step in enumerate(trace.steps):
        mark, style = _mark(trace, index)
        cells: list[str | Text] = [
            str(index + 1),
            Text(mark, style),
            _said(step, style),
        ]
        if trace.labels is not None:
            cells.append(Text(_value(trace, index), style))
        beside = (Text(visible(_evidence(evidence, index))) for evidence in trace.evidence)
        table.add_row(*cells, *beside)
    return Group(_head(trace), Text(visible(trace.problem.question), "italic"), table, _foot(trace))


def _said(step: Step, style: str) -> Text:
    """The step's words, and the beginning of what answered it."""
    from rich.text import Text

    text = Text(visible(step.text.rstrip()), style)
    if step.messages and step.observation is not None:
        answer = "\n  ".join(step.observation[:ANSWER].splitlines()[:ANSWER_LINES])
        lines = step.observation.count("\n") + 1
        cut = "…" if lines > ANSWER_LINES or len(step.observation) > ANSWER else ""
        text.append(visible(f"\n→ {answer}{cut}"), "dim")
    return text


def _head(trace: Trace) -> Text:
    from rich.text import Text

    head = Text(visible(trace.id), "bold")
    if trace.error is not None:
        return head.append(visible(f"  failed: {trace.error}"), "bold red")
    ending = {True: ("ends right", "green"), False: ("ends wrong", "red")}
    end, style = ending.get(trace.correct or False, ("", ""))
    if trace.correct is None:
        end, style = ("cut" if trace.finish == "length" else "not graded"), "yellow"
    head.append(f"  {end}", style)
    if trace.answer is not None:
        head.append(visible(f"  answer {trace.answer}, gold {trace.problem.answer}"), "dim")
    if trace.group is not None:
        head.append(f"  {trace.group.right} of {trace.group.n} right", "dim")
    return head


def _foot(trace: Trace) -> Text:
    from rich.text import Text

    labels = trace.labels
    if labels is None:
        return Text("no labels yet\n", "dim")
    if labels.undecided:
        verdict = "undecided: nothing is known of any step"
    elif labels.at_its_word and trace.correct:
        verdict = "taken at its word: the answer is right, the steps were not examined"
    elif labels.at_its_word:
        verdict = "not examined: nothing is known of its steps"
    elif labels.first_error is None:
        verdict = "no wrong step found"
    else:
        verdict = f"first wrong step: {labels.first_error + 1}"
    sure = "" if labels.confidence is None else f", confidence {labels.confidence:.2f}"
    cost = labels.cost
    price = f" · {cost.tokens:,} tokens, {cost.rollouts} rollouts" if cost.rollouts else ""
    return Text(f"{verdict}{sure} (by {visible(labels.by)}){price}\n", "dim")


def _mark(trace: Trace, index: int) -> tuple[str, str]:
    labels = trace.labels
    if labels is None:
        return " ", ""
    if labels.undecided or (labels.at_its_word and not trace.correct):
        return MARKS["unknown"], "yellow"
    if labels.first_error is None or index < labels.first_error:
        return MARKS["right"], "green"
    if index == labels.first_error:
        return MARKS["wrong"], "bold red"
    return "·", "red dim"


def _value(trace: Trace, index: int) -> str:
    values = trace.labels.values if trace.labels else ()
    value = values[index] if values else None
    return "" if value is None else f"{value:.2f}"


def _evidence(evidence: Evidence, index: int) -> str:
    if evidence.rollouts and evidence.rollouts[index] is not None:
        return f"{evidence.hits[index]}/{evidence.rollouts[index]}"
    if evidence.verdicts and evidence.verdicts[index] is not None:
        note = evidence.notes[index] if evidence.notes else None
        return MARKS[evidence.verdicts[index] or "unknown"] + (f" {note}" if note else "")
    if evidence.values and evidence.values[index] is not None:
        return f"{evidence.values[index]:.2f}"
    if evidence.rewards and evidence.rewards[index] is not None:
        return f"{evidence.rewards[index]:+.2f}"
    return ""
