"""The options that several commands share, each defined once; `groups` puts them together."""

from __future__ import annotations

from typing import Annotated

import typer

FILES = "Input and output"
METHOD = "Method"
SAMPLING = "Sampling"
PROMPT = "Prompt"
ACTING = "Tools"
SELECTION = "Selection"
HUB = "Card and hub"
RUN = "Run"

STORE = ".prmdata/store"

Source = Annotated[
    str,
    typer.Argument(
        help="Traces: a .jsonl[.gz|.zst] or .parquet file, a directory of such files, or - for "
        "standard input.",
    ),
]
Output = Annotated[
    str,
    typer.Option(
        "-o",
        "--output",
        metavar="PATH",
        help="Where to write: .jsonl[.gz|.zst], .parquet, a directory, an fsspec URL, or - for "
        "standard output.",
        rich_help_panel=FILES,
    ),
]
Settings = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="NAME=VALUE",
        help="A setting of the chosen entry. Can be repeated.",
        rich_help_panel=METHOD,
    ),
]
Limit = Annotated[
    int | None,
    typer.Option(min=1, help="Work on the first this many problems.", rich_help_panel=FILES),
]
Shard = Annotated[
    str | None,
    typer.Option(
        metavar="I/N",
        help="Work on part I of N, split by problem id, as in a job array.",
        rich_help_panel=FILES,
    ),
]
Overwrite = Annotated[
    bool,
    typer.Option(
        "--overwrite",
        help="Replace an output that was made with other settings.",
        rich_help_panel=FILES,
    ),
]
Summary = Annotated[
    str | None,
    typer.Option(
        metavar="FILE",
        help="Write the run's counts to this file as JSON, however the run ends.",
        rich_help_panel=FILES,
    ),
]

Sampler = Annotated[
    str | None,
    typer.Option(
        envvar="PRMDATA_SAMPLER",
        metavar="SPEC",
        help="The model: abacus[:agent], player[:SLIPS], local:FOLDER, vllm:MODEL, "
        "http://HOST/v1[,…], bank:FILE or replay:STORE; chat:http://HOST/v1 is for judges and "
        "prm:http://HOST/v1 for estimate --method prm alone. Default: abacus, for "
        "abacus problems only.",
        rich_help_panel=SAMPLING,
    ),
]
Reference = Annotated[
    str | None,
    typer.Option(
        metavar="SPEC",
        help="The second model, for methods that compare two (implicit): written like --sampler.",
        rich_help_panel=SAMPLING,
    ),
]
EngineArg = Annotated[
    list[str] | None,
    typer.Option(
        "--engine-arg",
        metavar="NAME=VALUE",
        help="An argument for the sampler's engine, such as tensor_parallel_size=2. Can be "
        "repeated.",
        rich_help_panel=SAMPLING,
    ),
]
Grader = Annotated[
    str,
    typer.Option(
        metavar="SPEC",
        help="How final answers are graded: auto, auto?f1=0.8 (answers in words are right from "
        "this F1 on), module:function, or 'command: PROGRAM' for a program that speaks JSON lines.",
        rich_help_panel=SAMPLING,
    ),
]
Answers = Annotated[
    str,
    typer.Option(
        metavar="boxed|marked|last",
        help="What is read as the answer: boxed (\\boxed{} only), marked (also '#### 18', 'The "
        "answer is 18', bold type and the like), or last (also the last number or formula of the "
        "closing sentence). Rollouts of these traces are read in the same way.",
        rich_help_panel=PROMPT,
    ),
]
Seed = Annotated[int, typer.Option(min=0, help="Random seed of the run.", rich_help_panel=SAMPLING)]
RolloutTemperature = Annotated[
    float | None,
    typer.Option(
        "--temperature",
        help="Rollout temperature. Default: the one the trace was sampled with.",
        rich_help_panel=SAMPLING,
    ),
]
RolloutTokens = Annotated[
    int | None,
    typer.Option(
        "--max-tokens",
        min=1,
        help="Most tokens per rollout. Default: the limit the trace was sampled with.",
        rich_help_panel=SAMPLING,
    ),
]
RolloutTopP = Annotated[
    float | None,
    typer.Option(
        "--top-p",
        help="Sample from the likeliest tokens that together have this probability. Default: as "
        "the trace was sampled.",
        rich_help_panel=SAMPLING,
    ),
]
RolloutTopK = Annotated[
    int | None,
    typer.Option(
        "--top-k",
        help="Sample from this many of the likeliest tokens; 0 is all of them. Default: as the "
        "trace was sampled.",
        rich_help_panel=SAMPLING,
    ),
]
RolloutStop = Annotated[
    list[str] | None,
    typer.Option(
        "--stop",
        metavar="TEXT",
        help="End a rollout where this text appears. Can be repeated. Default: as the trace was "
        "sampled.",
        rich_help_panel=SAMPLING,
    ),
]
RolloutTemplateArg = Annotated[
    list[str] | None,
    typer.Option(
        "--template-arg",
        metavar="NAME=VALUE",
        help="An argument for the chat template, such as enable_thinking=false, beside those the "
        "trace was sampled with.",
        rich_help_panel=PROMPT,
    ),
]
RolloutSystem = Annotated[
    str | None,
    typer.Option(
        "--system",
        metavar="TEXT",
        help="The system message, in place of the trace's own; an empty text removes it.",
        rich_help_panel=PROMPT,
    ),
]
Cut = Annotated[
    str,
    typer.Option(
        metavar="miss|drop",
        help="Rollouts without a verdict (cut by the token limit, or with an answer that cannot "
        "be read): miss counts them as misses, drop leaves them out.",
        rich_help_panel=SAMPLING,
    ),
]

Environment = Annotated[
    str | None,
    typer.Option(
        "--environment",
        metavar="SPEC",
        help="What answers the calls of tools: calculator, python, search:FILE, "
        "command:'PROGRAM ARGUMENT…', module:function; `prmdata sources` lists them. Default: what "
        "the traces name, where that runs no program of theirs.",
        rich_help_panel=ACTING,
    ),
]
EnvironmentArg = Annotated[
    list[str] | None,
    typer.Option(
        "--environment-arg",
        metavar="NAME=VALUE",
        help="A setting of the environment, such as k=5. Can be repeated.",
        rich_help_panel=ACTING,
    ),
]
Turns = Annotated[
    int | None,
    typer.Option(
        min=1,
        help="Most turns of the assistant in a trace; one that wants more is cut. Default: 16, or "
        "the trace's own limit.",
        rich_help_panel=ACTING,
    ),
]
EpisodeTime = Annotated[
    str | None,
    typer.Option(
        metavar="DURATION",
        help="Longest time for one trace, like 90s or 10m: after it, no turn is begun, and the "
        "trace is cut. Default: none, or the trace's own limit.",
        rich_help_panel=ACTING,
    ),
]
Observation = Annotated[
    int | None,
    typer.Option(
        min=1,
        help="Most characters of one answer of a tool; the rest is cut off. Default: 20000, or the "
        "trace's own limit.",
        rich_help_panel=ACTING,
    ),
]

DryRun = Annotated[
    bool,
    typer.Option(
        "--dry-run", help="Print the expected cost and stop; spend nothing.", rich_help_panel=RUN
    ),
]
TokensPerSecond = Annotated[
    float | None,
    typer.Option(
        min=0.001,
        help="With --dry-run: the sampler's speed, to estimate the time.",
        rich_help_panel=RUN,
    ),
]
Engine = Annotated[
    str,
    typer.Option(
        metavar="here|ray",
        help="Where the work is done: here, or ray: in parts on a Ray cluster (RAY_ADDRESS, else "
        "the one on this machine, else a new one); needs prmdata[ray] on all nodes.",
        rich_help_panel=RUN,
    ),
]
Parts = Annotated[
    int | None,
    typer.Option(
        min=1,
        help="With --engine ray: how many parts. Default: four for each CPU of the cluster.",
        rich_help_panel=RUN,
    ),
]
Concurrency = Annotated[
    int, typer.Option(min=1, help="Problems to work on at once.", rich_help_panel=RUN)
]
MaxErrors = Annotated[
    str,
    typer.Option(
        metavar="N|P%",
        help="Stop when more items than this fail: a number, or a share of all.",
        rich_help_panel=RUN,
    ),
]
GiveUp = Annotated[
    str,
    typer.Option(
        metavar="DURATION",
        help="How long to wait for a server that is lost, such as 90s, 10m or 2h. The run then "
        "stops and can be resumed.",
        rich_help_panel=RUN,
    ),
]
MaxTokensTotal = Annotated[
    int | None,
    typer.Option(
        min=1,
        help="Stop before the sampler generates more tokens than this; the run can be resumed. "
        "A single call may exceed it.",
        rich_help_panel=RUN,
    ),
]
Store = Annotated[
    str,
    typer.Option(
        envvar="PRMDATA_STORE",
        metavar="FOLDER",
        help="Where completions are stored, so that none is paid for twice; none: store nothing.",
        rich_help_panel=RUN,
    ),
]
Config = Annotated[
    str | None,
    typer.Option(
        metavar="FILE",
        help="Read options from a TOML file; the command line wins.",
    ),
]
Json = Annotated[
    bool,
    typer.Option(
        "--json",
        help="Print the closing line as JSON, on standard error.",
        rich_help_panel=RUN,
    ),
]
Quiet = Annotated[
    bool,
    typer.Option(
        "--quiet", "-q", help="Print no progress and no closing line.", rich_help_panel=RUN
    ),
]
Verbose = Annotated[
    bool,
    typer.Option(
        "--verbose",
        "-v",
        help="Report progress every second, and each failed item as it happens.",
        rich_help_panel=RUN,
    ),
]
