"""`prmdata repair`."""

from __future__ import annotations

from prmdata.cli.shared.correcting import correcting_command

repair = correcting_command(
    "repair",
    text="""Continue wrong traces from before their first wrong step.

    What then ends right is written after the traces of its problem; `prmdata methods repair` lists
    the settings. A label is in doubt where going on from the wrong step ends right as often.

    $ prmdata repair labelled.jsonl -o repaired.jsonl
    $ prmdata repair labelled.jsonl --set attempts=16 --set confidence=0.8 -o repaired.jsonl
    """,
)
