"""The options that several subcommands share, each said once."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Annotated, Optional

import typer

SAMPLING = "Sampling"
RUNNING = "Running"


def from_pipe(source: str) -> str:
    return _instead_of(0, source)


def to_pipe(output: str) -> str:
    return _instead_of(1, output)


def _instead_of(standard: int, path: str) -> str:
    """A pipe or device that has a name, such as `<(zcat x)` or /dev/null, stands for `-`."""
    from prmdata.errors import InputError, OutputError

    try:
        mode = Path(path).stat().st_mode
    except (OSError, ValueError):
        return path  # it is still to be made, or whoever opens it tells what is wrong
    if not (stat.S_ISFIFO(mode) or stat.S_ISCHR(mode)):
        return path
    try:
        opened = os.open(path, os.O_WRONLY if standard else os.O_RDONLY)
    except OSError as error:
        refused = OutputError if standard else InputError
        raise refused(f"{path}: cannot be opened ({error.strerror}); name a file or -") from None
    os.dup2(opened, standard)
    os.close(opened)
    return "-"


Source = Annotated[
    str,
    typer.Argument(
        help="Traces: .jsonl[.gz|.zst], .parquet, a directory of parts, or - (a pipe).",
        callback=from_pipe,
    ),
]
Output = Annotated[
    str,
    typer.Option(
        "-o",
        "--output",
        help="Where to: .jsonl[.gz|.zst], .parquet, a directory, an fsspec URL, or - (a pipe).",
        callback=to_pipe,
    ),
]
Sampler = Annotated[
    str,
    typer.Option(
        envvar="PRMDATA_SAMPLER",
        help="abacus, local:FOLDER, vllm:MODEL, http://HOST/v1[,…], replay:STORE or bank:FILE.",
        rich_help_panel=SAMPLING,
    ),
]
EngineArg = Annotated[
    Optional[list[str]],  # noqa: UP045 (typer reads it at run time)
    typer.Option(
        "--engine-arg",
        metavar="NAME=VALUE",
        help="Passed to the sampler's engine, such as tensor_parallel_size=2.",
        rich_help_panel=SAMPLING,
    ),
]
Grader = Annotated[
    str,
    typer.Option(
        help="auto, auto?f1=0.8 (answers in words are right from this F1 on), module:function, "
        "or 'command: PROGRAM' that speaks JSON lines.",
        rich_help_panel=SAMPLING,
    ),
]
Answers = Annotated[
    str,
    typer.Option(
        help="What is read as the answer: boxed (\\boxed{} only), marked (also '#### 18', "
        "'The answer is 18', bold type and the like), or last (also the last number or formula "
        "of the closing sentence). Rollouts of these traces are read in the same way.",
    ),
]
Seed = Annotated[int, typer.Option(min=0, help="Of the run.", rich_help_panel=SAMPLING)]
RolloutTemperature = Annotated[
    Optional[float],  # noqa: UP045
    typer.Option(
        "--temperature",
        help="Of rollouts; default: the trace's own.",
        rich_help_panel=SAMPLING,
    ),
]
RolloutTokens = Annotated[
    Optional[int],  # noqa: UP045
    typer.Option(
        "--max-tokens",
        min=1,
        help="Tokens a rollout may take; default: the trace's own.",
        rich_help_panel=SAMPLING,
    ),
]
Cut = Annotated[
    str,
    typer.Option(
        help="Rollouts without a verdict (cut by the token limit, or with an answer that cannot "
        "be read): miss counts them as misses, drop leaves them out.",
        rich_help_panel=SAMPLING,
    ),
]
Settings = Annotated[
    Optional[list[str]],  # noqa: UP045
    typer.Option("--set", metavar="NAME=VALUE", help="A setting of the method or format."),
]
Limit = Annotated[
    Optional[int],  # noqa: UP045
    typer.Option(min=1, help="Take only this many problems."),
]
Shard = Annotated[
    Optional[str],  # noqa: UP045
    typer.Option(metavar="I/N", help="Take part I of N, by problem id: for job arrays."),
]
Concurrency = Annotated[
    int, typer.Option(min=1, help="Problems in flight.", rich_help_panel=RUNNING)
]
MaxErrors = Annotated[
    str,
    typer.Option(
        metavar="N|P%", help="How many items may fail before the run does.", rich_help_panel=RUNNING
    ),
]
GiveUp = Annotated[
    str,
    typer.Option(
        metavar="DURATION",
        help="How long a lost server is waited for; then the run ends and can be taken up again.",
        rich_help_panel=RUNNING,
    ),
]
MaxTokensTotal = Annotated[
    Optional[int],  # noqa: UP045
    typer.Option(
        min=1,
        help="End the run, resumably, at this many generated tokens.",
        rich_help_panel=RUNNING,
    ),
]
Store = Annotated[
    str,
    typer.Option(
        envvar="PRMDATA_STORE",
        help="Folder of the rollout store, which makes reruns free; none: keep nothing.",
        rich_help_panel=RUNNING,
    ),
]
Summary = Annotated[
    Optional[str],  # noqa: UP045
    typer.Option(metavar="FILE", help="Write the run's counts as JSON.", rich_help_panel=RUNNING),
]
Overwrite = Annotated[
    bool,
    typer.Option(
        "--overwrite", help="Replace an output of other settings.", rich_help_panel=RUNNING
    ),
]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Say what it would cost, and spend nothing.")
]
TokensPerSecond = Annotated[
    Optional[float],  # noqa: UP045
    typer.Option(min=0.001, help="With --dry-run: how fast your sampler is."),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress, no closing line.")]
STORE = ".prmdata/store"
