"""`prmdata generate`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from prmdata.cli.shared import options as o
from prmdata.cli.shared.groups import Acting, Forecast, Model, Reporting, Scale, Share, Spending

if TYPE_CHECKING:
    from prmdata.stages.generate import Generating


def generate(
    source: Annotated[
        str,
        typer.Argument(
            help="Problems: abacus:COUNT, hub:NAME, a .jsonl[.gz|.zst] or .parquet file, a "
            "directory of such files, or - for standard input. See `prmdata sources`.",
        ),
    ],
    output: o.Output = "-",
    fields: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FIELD=COLUMN",
            help="Which columns hold what, such as question=prompt,answer=gold.",
            rich_help_panel=o.FILES,
        ),
    ] = None,
    layout: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="The file's layout, from `prmdata sources`. Default: recognised by its columns.",
            rich_help_panel=o.FILES,
        ),
    ] = None,
    keep: Annotated[
        str | None,
        typer.Option(
            metavar="LOW..HIGH",
            help="Keep only problems whose pass rate is in this range, such as 0.1..0.9.",
            rich_help_panel=o.FILES,
        ),
    ] = None,
    decide: Annotated[
        float | None,
        typer.Option(
            metavar="CERTAINTY",
            help="With --keep: stop sampling a problem once it is this certain whether all its "
            "samples would keep it, such as 0.95. Kept problems then have fewer traces too.",
            rich_help_panel=o.FILES,
        ),
    ] = None,
    gold: Annotated[
        str | None,
        typer.Option(
            metavar="majority[:SHARE]",
            help="Give problems without an answer the one that most of their traces give, where at "
            "least this share of them agrees (default .5). It is a pseudo-gold, and is named so.",
            rich_help_panel=o.FILES,
        ),
    ] = None,
    samples: Annotated[
        int,
        typer.Option(
            "-n", "--samples", help="Traces to sample per problem.", rich_help_panel=o.SAMPLING
        ),
    ] = 8,
    temperature: Annotated[
        float, typer.Option(help="Temperature; 0 is greedy.", rich_help_panel=o.SAMPLING)
    ] = 1.0,
    top_p: Annotated[
        float,
        typer.Option(
            help="Sample from the likeliest tokens that together have this probability.",
            rich_help_panel=o.SAMPLING,
        ),
    ] = 1.0,
    top_k: Annotated[
        int,
        typer.Option(
            help="Sample from this many of the likeliest tokens; 0 is all of them.",
            rich_help_panel=o.SAMPLING,
        ),
    ] = 0,
    max_tokens: Annotated[
        int, typer.Option(help="Most tokens per trace.", rich_help_panel=o.SAMPLING)
    ] = 1024,
    stop: Annotated[
        list[str] | None,
        typer.Option(
            metavar="TEXT",
            help="End a trace where this text appears. Can be repeated.",
            rich_help_panel=o.SAMPLING,
        ),
    ] = None,
    cut_is_wrong: Annotated[
        bool,
        typer.Option(
            "--cut-is-wrong",
            help="Count traces that reach the token limit as wrong.",
            rich_help_panel=o.SAMPLING,
        ),
    ] = False,
    template: Annotated[
        str,
        typer.Option(
            metavar="chat|raw",
            help="chat: use the model's chat template; raw: send the messages as they are.",
            rich_help_panel=o.PROMPT,
        ),
    ] = "chat",
    template_arg: Annotated[
        list[str] | None,
        typer.Option(
            "--template-arg",
            metavar="NAME=VALUE",
            help="An argument for the chat template, such as enable_thinking=false.",
            rich_help_panel=o.PROMPT,
        ),
    ] = None,
    prompt: Annotated[
        str,
        typer.Option(
            metavar="auto|boxed|plain|TEXT",
            help="The user's message: boxed asks for the answer in \\boxed{}; plain is the "
            "question alone; auto is boxed for math problems put to a chat model, else plain; any "
            "other text holds the question where {question} stands.",
            rich_help_panel=o.PROMPT,
        ),
    ] = "auto",
    system: Annotated[
        str | None,
        typer.Option(metavar="TEXT", help="The system message.", rich_help_panel=o.PROMPT),
    ] = None,
    few_shot: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help='Worked examples as JSON lines: {"question": …, "solution": …}.',
            rich_help_panel=o.PROMPT,
        ),
    ] = None,
    steps: Annotated[
        str,
        typer.Option(
            metavar="HOW",
            help="Where steps end: auto, lines, paragraphs, numbered, sentences or regex:PATTERN. "
            "Append ,min=80,max=100 to join short steps: at least 80 characters each, at most 100 "
            "steps.",
            rich_help_panel=o.PROMPT,
        ),
    ] = "auto",
    answers: o.Answers = "last",
    *,
    share: Share,
    model: Model,
    acting: Acting,
    forecast: Forecast,
    spending: Spending,
    scale: Scale,
    reporting: Reporting,
) -> None:
    """Sample traces for problems; split them into steps and grade their answers.

    $ prmdata generate abacus:200 -n 8 -o traces.jsonl
    $ prmdata generate problems.jsonl --sampler http://localhost:8000/v1 -o traces.parquet
    $ prmdata generate questions.jsonl --environment search:corpus.jsonl -n 4 -o traces.jsonl
    """
    from prmdata.cli.shared import running
    from prmdata.cli.shared.acting import surroundings
    from prmdata.grading import answer_rule
    from prmdata.settings import pairs
    from prmdata.stages.generate import Generating, run_generate
    from prmdata.stages.groups import parse_shard
    from prmdata.traces.generate import Generation
    from prmdata.traces.prompt import parse_keep, read_few_shot, template_arguments, template_named
    from prmdata.traces.pseudo_gold import parse_gold

    request = Generating(
        source=source,
        layout=layout,
        fields=pairs(fields or (), "--fields"),
        limit=share.limit,
        shard=parse_shard(share.shard),
        sampler=model.sampler,
        engine=pairs(model.engine_arg or (), "--engine-arg"),
        grader=model.grader,
        generation=Generation(
            samples=samples,
            seed=model.seed,
            temperature=temperature,
            top_p=top_p,
            top_k=top_k,
            max_tokens=max_tokens,
            stop=tuple(stop or ()),
            template=template_named(template),
            template_args=template_arguments(template_arg or ()),
            prompt="plain" if prompt == "auto" and acting.environment else prompt,
            system=system,
            few_shot=read_few_shot(few_shot, prompt) if few_shot else (),
            steps=steps,
            answers=answer_rule(answers),
            cut_is_wrong=cut_is_wrong,
            keep=parse_keep(keep) if keep else None,
            decide=decide,
            gold=parse_gold(gold) if gold else None,
        ),
        surroundings=surroundings(acting),
    )
    if forecast.dry_run:
        _say_forecast(request, forecast)
        return
    running.say_waiting("generate", source, "problems")
    running.refuse_engine_in_pipe(model.sampler, source, output)
    running.run(
        "generate",
        request,
        output,
        run_generate,
        reporting,
        spending,
        scale,
    )


def _say_forecast(request: Generating, options: Forecast) -> None:
    from prmdata.cli.shared import running

    how = request.generation
    calls = how.samples * sum(1 for _ in request.problems())
    speed = options.tokens_per_second
    running.say_forecast("generate", calls, calls, calls * how.max_tokens, speed)
