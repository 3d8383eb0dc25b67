"""`prmdata intervene`."""

from __future__ import annotations

from prmdata.cli.shared.correcting import correcting_command

intervene = correcting_command(
    "intervene",
    text="""Ask for one step in the place of the first wrong one.

    It is kept where it raises the rate of right answers. The model is shown the reference solution
    and must not give it away. `prmdata methods intervene` lists the settings.

    $ prmdata intervene traces.jsonl --sampler http://localhost:8000/v1 -o intervened.jsonl
    """,
)
