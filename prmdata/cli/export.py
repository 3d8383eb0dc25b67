"""`prmdata export`."""

from __future__ import annotations

import json as jsonlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from prmdata.cli.shared import options as o
from prmdata.cli.shared.groups import Reporting
from prmdata.terminal import print_line

if TYPE_CHECKING:
    from prmdata.dataset.selection import Selection
    from prmdata.run.engine import ErrorLimit
    from prmdata.stages.export import Exporting


@dataclass(frozen=True)
class SelectionFlags:
    """Which of the traces and rows are written."""

    min_confidence: Annotated[
        float | None,
        typer.Option(
            help="Only labels with at least this confidence. Right answers taken at their word "
            "have none: the format's `unexamined` setting keeps or drops them.",
            rich_help_panel=o.SELECTION,
        ),
    ] = None
    per_problem: Annotated[
        int | None,
        typer.Option(help="At most this many traces per problem.", rich_help_panel=o.SELECTION),
    ] = None
    split: Annotated[
        str | None,
        typer.Option(
            metavar="NAME=SHARE,…",
            help="Split by problem, such as train=0.9,test=0.1.",
            rich_help_panel=o.SELECTION,
        ),
    ] = None
    shuffle: Annotated[
        int | None,
        typer.Option(
            metavar="SEED", help="Write the rows in random order.", rich_help_panel=o.SELECTION
        ),
    ] = None
    balance: Annotated[
        int | None,
        typer.Option(
            metavar="SEED",
            help="Keep equally many rows with and without a wrong step, chosen at random.",
            rich_help_panel=o.SELECTION,
        ),
    ] = None
    max_after_solved: Annotated[
        int | None,
        typer.Option(
            min=0,
            help="Leave out traces that go on for more steps than this after they had the answer, "
            "as potential, anytime or gain found.",
            rich_help_panel=o.SELECTION,
        ),
    ] = None
    no_overturned: Annotated[
        bool,
        typer.Option(
            "--no-overturned",
            help="Leave out traces that held the right answer, as that evidence found, and end "
            "wrong.",
            rich_help_panel=o.SELECTION,
        ),
    ] = False
    distinct: Annotated[
        str | None,
        typer.Option(
            metavar="text|labelled",
            help="Keep one of each problem's duplicate traces: compare the whole text (text), or "
            "only up to the first wrong step (labelled).",
            rich_help_panel=o.SELECTION,
        ),
    ] = None
    max_steps: Annotated[
        int | None,
        typer.Option(help="Leave out traces with more steps.", rich_help_panel=o.SELECTION),
    ] = None
    max_characters: Annotated[
        int | None,
        typer.Option(
            help="Leave out traces that are longer than this together with their question.",
            rich_help_panel=o.SELECTION,
        ),
    ] = None
    max_step_error: Annotated[
        float | None,
        typer.Option(
            metavar="SHARE",
            help="Leave out traces with a larger share of wrong steps among those judged. Wrong "
            "answers with few wrong steps still teach: --to sft --set kind=any takes them.",
            rich_help_panel=o.SELECTION,
        ),
    ] = None
    near_duplicates: Annotated[
        float | None,
        typer.Option(
            metavar="SIMILARITY",
            help="Leave out problems this similar to an earlier one, by the Jaccard similarity of "
            "their runs of three words. 1 is the same wording; 0.8 also catches the same story "
            "with another number in it.",
            rich_help_panel=o.SELECTION,
        ),
    ] = None
    contamination: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FILE",
            help="Leave out problems found in this benchmark: those that share a run of words with "
            "one of its questions, or contain a shorter question whole. Can be repeated.",
            rich_help_panel=o.SELECTION,
        ),
    ] = None
    contamination_words: Annotated[
        int,
        typer.Option(
            metavar="N", help="Length of such a run, in words.", rich_help_panel=o.SELECTION
        ),
    ] = 13

    def selection(self) -> Selection:
        from prmdata.dataset.selection import Selection, parse_split

        return Selection(
            min_confidence=self.min_confidence,
            per_problem=self.per_problem,
            split=parse_split(self.split) if self.split else (),
            shuffle=self.shuffle,
            max_steps=self.max_steps,
            max_characters=self.max_characters,
            max_step_error=self.max_step_error,
            max_after_solved=self.max_after_solved,
            overturned=not self.no_overturned,
            distinct=self.distinct,
            near_duplicates=self.near_duplicates,
            contamination=tuple(self.contamination or ()),
            contamination_words=self.contamination_words,
            balance=self.balance,
        )


@dataclass(frozen=True)
class Publishing:
    """What the card says, and whether the dataset is uploaded."""

    license_: Annotated[
        str | None,
        typer.Option(
            "--license",
            metavar="NAME",
            help="The dataset's licence, for the card. Default: the problems' own, if they agree.",
            rich_help_panel=o.HUB,
        ),
    ] = None
    score: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Output of `prmdata score --json`, for the card. Default: the accuracy on traces "
            "that carry their truth.",
            rich_help_panel=o.HUB,
        ),
    ] = None
    push_to_hub: Annotated[
        str | None,
        typer.Option(
            metavar="OWNER/NAME",
            help="Upload the directory to the Hugging Face hub as this dataset, in one commit. A "
            "new dataset is private.",
            rich_help_panel=o.HUB,
        ),
    ] = None
    public: Annotated[
        bool,
        typer.Option(
            "--public",
            help="With --push-to-hub: make a new dataset public.",
            rich_help_panel=o.HUB,
        ),
    ] = False


def export(
    source: o.Source = "-",
    output: Annotated[
        str,
        typer.Option(
            "-o",
            "--output",
            metavar="PATH",
            help="A directory (Parquet shards with a card), a .parquet or .jsonl[.gz|.zst] file, "
            "or - for standard output.",
            rich_help_panel=o.FILES,
        ),
    ] = "-",
    to: Annotated[
        str,
        typer.Option(
            "--to",
            metavar="NAME",
            help="The format: `prmdata formats` lists them, `prmdata formats NAME` describes one "
            "with its settings.",
            rich_help_panel=o.METHOD,
        ),
    ] = "stepwise",
    settings: o.Settings = None,
    *,
    flags: SelectionFlags,
    publishing: Publishing,
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run",
            help="Print the counts and three rows, or with --push-to-hub the files and the card; "
            "write and upload nothing.",
            rich_help_panel=o.RUN,
        ),
    ] = False,
    reporting: Reporting,
) -> None:
    """Write labelled traces as a dataset for a trainer.

    $ prmdata export labelled.jsonl --to stepwise -o dataset
    $ prmdata export labelled.jsonl --to rl --split train=0.9,test=0.1 -o dataset
    """
    from prmdata.cli.shared import running
    from prmdata.cli.shared.publishing import check, push, rehearse
    from prmdata.errors import UsageError
    from prmdata.exports import FORMATS
    from prmdata.registry import make
    from prmdata.run.engine import ErrorLimit
    from prmdata.settings import pairs
    from prmdata.stages.export import Exporting

    form = make(FORMATS, to, pairs(settings or (), "--set"))
    licence, score = publishing.license_, publishing.score
    request = Exporting(to, form, source, flags.selection(), licence, score)
    limit = ErrorLimit.parse(reporting.max_errors)
    repo, public = publishing.push_to_hub, publishing.public
    if public and repo is None:
        raise UsageError("--public tells how to upload; name the dataset with --push-to-hub")
    if repo is not None:
        check(repo, output, dry_run=dry_run)
    running.say_waiting("export", source)
    if dry_run and repo is not None:
        rehearse(request, output, repo, limit, public)
    elif dry_run:
        _preview(request, limit)
    else:
        _write(request, output, limit, reporting)
        if repo is not None:
            push(output, repo, public, reporting.quiet)


def _preview(request: Exporting, limit: ErrorLimit) -> None:
    from prmdata.cli.shared.exported import counted, say_removed
    from prmdata.stages.export import preview
    from prmdata.terminal import say

    counts, rows = preview(request, max_errors=limit)
    for row in rows:
        print_line(jsonlib.dumps(row, ensure_ascii=False))
    say_removed(counts)
    say(f"export: {counted(counts)}; nothing was written")


def _write(request: Exporting, output: str, limit: ErrorLimit, reporting: Reporting) -> None:
    from prmdata.cli.shared.closing import arrow, as_json, write_summary
    from prmdata.cli.shared.exported import counted, say_removed
    from prmdata.stages.export import run_export
    from prmdata.terminal import say

    counts = run_export(request, output, overwrite=reporting.overwrite, max_errors=limit)
    if counts is None:
        if not reporting.quiet:
            say(f"export: {output} is up to date")
        return
    if reporting.summary is not None:
        write_summary(counts, reporting.summary)
    if reporting.quiet:
        return
    if reporting.json:
        say(as_json(counts))
        return
    say_removed(counts)
    say(f"export: {counted(counts)}{arrow(output)}")
