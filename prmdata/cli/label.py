"""`prmdata label`."""

from __future__ import annotations

from prmdata.cli.shared.labelling import labelling_command

label = labelling_command(
    "label",
    default="posterior",
    text="""Decide where each trace first goes wrong.

    $ prmdata label traces.jsonl -o labelled.jsonl
    $ prmdata label traces.jsonl --method bisect --set rollouts_per_probe=8 -o labelled.jsonl
    """,
)
