"""`prmdata export`."""

from __future__ import annotations

import json
from typing import Annotated, Optional

import typer

from prmdata.cli.shared import options as o

SELECTION = "Selection"


def export(
    source: o.Source = "-",
    output: Annotated[
        str,
        typer.Option(
            "-o",
            "--output",
            help="A directory (Parquet shards and a card), .parquet, .jsonl[.gz|.zst], or -.",
            callback=o.to_pipe,
        ),
    ] = "-",
    to: Annotated[
        str, typer.Option("--to", help="The format (`prmdata formats` lists them).")
    ] = "stepwise",
    settings: o.Settings = None,
    min_confidence: Annotated[
        Optional[float],  # noqa: UP045
        typer.Option(help="Take only labels at least this sure.", rich_help_panel=SELECTION),
    ] = None,
    per_problem: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option(help="Take at most this many traces of a problem.", rich_help_panel=SELECTION),
    ] = None,
    split: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(
            metavar="NAME=SHARE,…",
            help="Split by problem, like train=0.9,test=0.1.",
            rich_help_panel=SELECTION,
        ),
    ] = None,
    shuffle: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option(
            metavar="SEED", help="Write the rows in random order.", rich_help_panel=SELECTION
        ),
    ] = None,
    balance: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option(
            metavar="SEED",
            help="Take as many rows with a wrong step as without, at random.",
            rich_help_panel=SELECTION,
        ),
    ] = None,
    distinct: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(
            metavar="text|labelled",
            help="Of a problem's traces that say the same, in all or up to the first wrong step, "
            "take one.",
            rich_help_panel=SELECTION,
        ),
    ] = None,
    max_steps: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option(help="Leave out traces of more steps.", rich_help_panel=SELECTION),
    ] = None,
    max_characters: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option(
            help="Leave out what is longer, question and trace together.",
            rich_help_panel=SELECTION,
        ),
    ] = None,
    near_duplicates: Annotated[
        Optional[float],  # noqa: UP045
        typer.Option(
            metavar="SIMILARITY",
            help="Leave out problems this similar to an earlier one: the Jaccard similarity of "
            "their runs of three words. 1 is the same wording; 0.8 also the same story with "
            "another number in it.",
            rich_help_panel=SELECTION,
        ),
    ] = None,
    contamination: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option(
            metavar="FILE",
            help="Leave out problems that this benchmark holds: 13 words in a row from one of its "
            "questions, or all of a shorter one. May be given again.",
            rich_help_panel=SELECTION,
        ),
    ] = None,
    contamination_words: Annotated[
        int, typer.Option(metavar="N", help="N words for 13.", rich_help_panel=SELECTION)
    ] = 13,
    license_: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(
            "--license",
            metavar="NAME",
            help="Of the dataset, for the card; else that of the problems, if all say one.",
        ),
    ] = None,
    score: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(
            metavar="FILE",
            help="What `prmdata score --json` printed, for the card; else the accuracy on the "
            "traces that carry their truth.",
        ),
    ] = None,
    push_to_hub: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(
            metavar="OWNER/NAME",
            help="Upload the directory as this dataset on the Hugging Face hub, in one commit. "
            "A new one is private.",
        ),
    ] = None,
    public: Annotated[
        bool, typer.Option("--public", help="With --push-to-hub: make a new dataset public.")
    ] = False,
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run",
            help="Print the counts and three rows, or with --push-to-hub the files and the card; "
            "write and upload nothing.",
        ),
    ] = False,
    max_errors: o.MaxErrors = "1%",
    summary: o.Summary = None,
    overwrite: o.Overwrite = False,
    quiet: o.Quiet = False,
) -> None:
    """Write labelled traces as a dataset."""
    from prmdata.cli.shared import publishing, running
    from prmdata.cli.shared.exported import say_removed, told
    from prmdata.dataset.selection import Selection, parse_split
    from prmdata.errors import UsageError
    from prmdata.exports import FORMATS
    from prmdata.registry import make
    from prmdata.run.engine import ErrorLimit
    from prmdata.run.progress import say
    from prmdata.settings import pairs
    from prmdata.stages.export import Exporting, preview, run_export

    selection = Selection(
        min_confidence=min_confidence,
        per_problem=per_problem,
        split=parse_split(split) if split else (),
        shuffle=shuffle,
        max_steps=max_steps,
        max_characters=max_characters,
        distinct=distinct,
        near_duplicates=near_duplicates,
        contamination=tuple(contamination or ()),
        contamination_words=contamination_words,
        balance=balance,
    )
    form = make(FORMATS, to, pairs(settings or (), "--set"))
    asked = Exporting(to, form, source, selection, license_, score)
    limit = ErrorLimit.parse(max_errors)
    if public and push_to_hub is None:
        raise UsageError("--public says how to upload; name the dataset with --push-to-hub")
    if push_to_hub is not None:
        publishing.check(push_to_hub, output, dry_run=dry_run)
    if dry_run and push_to_hub is not None:
        publishing.rehearse(asked, output, push_to_hub, limit, public)
        return
    if dry_run:
        counts, rows = preview(asked, max_errors=limit)
        for row in rows:
            print(json.dumps(row, ensure_ascii=False))
        say_removed(counts)
        say(f"export: {told(counts)}; nothing was written")
        return
    made = run_export(asked, output, overwrite=overwrite, max_errors=limit)
    if made is None and not quiet:
        say(f"export: {output} is up to date")
    if made is not None and summary is not None:
        running.write_summary(made, summary)
    if made is not None and not quiet:
        say_removed(made)
        say(f"export: {told(made)}" + running.arrow(output))
    if push_to_hub is not None:
        publishing.push(output, push_to_hub, public, quiet)
