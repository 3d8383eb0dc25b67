"""NuminaMath-1.5, OpenR1-Math, DeepScaleR: `problem`, `solution`, `answer`."""

from __future__ import annotations

from prmdata.problems.contract import Layout

LAYOUT = Layout(
    columns=("problem", "answer"),
    fields={
        "question": "problem",
        "answer": "answer",
        "solution": "solution",
        "images": "images",
    },
    help="problem, answer, and where present solution and uuid",
)
