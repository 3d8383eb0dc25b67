"""`prmdata estimate`."""

from __future__ import annotations

from prmdata.cli.shared.labelling import labelling_command

estimate = labelling_command(
    "estimate",
    default="mc",
    text="""Add a value for every step, as evidence.

    $ prmdata estimate traces.jsonl -o valued.jsonl
    $ prmdata estimate traces.jsonl --method adaptive | prmdata label --method threshold
    """,
)
