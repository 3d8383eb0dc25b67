"""Rows with the names of a problem's own fields: `question`, `answer`, `id` …"""

from __future__ import annotations

from prmdata.problems.contract import FIELDS, Layout

LAYOUT = Layout(
    columns=("question",),
    fields={name: name for name in FIELDS if name != "id"},
    help="question, and where present answer, id, kind, context, meta",
)
