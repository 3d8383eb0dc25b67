"""The questions of an audit, at a terminal or down a pipe: one line an answer."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from prmdata.audit.ledger import Answer, Ledger
from prmdata.records import Trace
from prmdata.terminal import console as terminal_console
from prmdata.terminal import visible

if TYPE_CHECKING:
    from rich.console import Console

HELP = """\
  1, 2, …      this step is the first wrong one; the steps after it do not count
  0 or none    all steps are right
  s            skip this trace: it is not asked again and not scored
  b            back to the trace before
  q            quit; what was answered is kept, and the same command goes on from here
A step is wrong when what it says is false or does not follow; a detour is not wrong."""

Said = Answer | Literal["back", "quit"]


def ask_all(traces: Sequence[Trace], ledger: Ledger, *, labels: bool) -> None:
    """Ask about every trace that has no answer yet, until the answers end."""
    console = terminal_console(stderr=True)
    at = _open(traces, ledger, 0)
    while at < len(traces):
        trace = traces[at]
        _show(console, trace, f"{at + 1} of {len(traces)}", labels=labels)
        said = _ask(console, trace, ledger.of(trace))
        if said == "quit":
            return
        if said == "back":
            if at == 0:
                console.print("This is the first one.")
            at = max(at - 1, 0)
            continue
        ledger.keep(trace, said)
        at = _open(traces, ledger, at + 1)


def _open(traces: Sequence[Trace], ledger: Ledger, start: int) -> int:
    ahead = (i for i in range(start, len(traces)) if ledger.of(traces[i]) is None)
    return next(ahead, len(traces))


def _show(console: Console, trace: Trace, place: str, *, labels: bool) -> None:
    from rich.table import Table
    from rich.text import Text

    console.rule(f"{place}", align="left", style="dim")
    console.print(Text(visible(trace.problem.question), "italic"))
    gold = "gold unknown" if trace.problem.answer is None else f"gold {trace.problem.answer}"
    answer = "no answer" if trace.answer is None else f"answer {trace.answer}"
    console.print(Text(visible(f"{gold} · {answer}"), "bold"))
    table = Table(box=None, show_header=False, show_edge=False, pad_edge=False)
    table.add_column(justify="right", style="dim")
    table.add_column(overflow="fold", ratio=1)
    for number, step in enumerate(trace.steps, 1):
        table.add_row(str(number), Text(visible(step.text.rstrip())))
    console.print(table)
    if labels and trace.labels is not None:
        told = str(Answer(trace.labels.first_error))
        console.print(Text(f"labelled by {visible(trace.labels.by)}: {told}", "dim"))


def _ask(console: Console, trace: Trace, before: Answer | None) -> Said:
    last = len(trace.steps)
    now = "" if before is None else f"; so far {before}"
    while True:
        console.print(f"first wrong step? 1-{last}, 0 none, s b q ?{now}: ", end="", markup=False)
        line = sys.stdin.buffer.readline()
        if not sys.stdin.isatty() or not line:
            console.print()
        if not line:
            return "quit"
        said = read(line.decode(errors="replace"), last)
        if said == "help":
            console.print(HELP, markup=False)
        elif said is None:
            console.print(f"Not an answer: a number from 0 to {last}, s, b, q or ? for help.")
        else:
            return said


def read(line: str, steps: int) -> Said | Literal["help"] | None:
    """`None` where it is no answer."""
    word = line.strip().lower()
    if word in ("0", "none"):
        return Answer()
    if word.isascii() and word.isdigit() and len(word) < 10 and 1 <= int(word) <= steps:
        return Answer(int(word) - 1)
    words: dict[str, Said | Literal["help"]] = {
        "s": Answer(skipped=True),
        "b": "back",
        "q": "quit",
        "?": "help",
    }
    return words.get(word)
