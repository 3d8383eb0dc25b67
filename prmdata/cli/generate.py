"""`prmdata generate`."""

from __future__ import annotations

from typing import Annotated, Optional

import typer

from prmdata.cli.shared import options as o


def generate(
    source: Annotated[
        str,
        typer.Argument(
            help="Problems: abacus:COUNT[?level=1-4&seed=S], hub:NAME, or a file "
            "(.jsonl[.gz|.zst], .parquet, a directory, or - for a pipe).",
            callback=o.from_pipe,
        ),
    ],
    output: o.Output = "-",
    samples: Annotated[int, typer.Option("-n", "--samples", help="Traces a problem.")] = 8,
    sampler: o.Sampler = "abacus",
    seed: o.Seed = 0,
    temperature: Annotated[
        float, typer.Option(help="0: greedy.", rich_help_panel=o.SAMPLING)
    ] = 1.0,
    top_p: Annotated[
        float,
        typer.Option(
            help="Draw among the likeliest tokens that hold this share.", rich_help_panel=o.SAMPLING
        ),
    ] = 1.0,
    top_k: Annotated[int, typer.Option(help="0: off.", rich_help_panel=o.SAMPLING)] = 0,
    max_tokens: Annotated[
        int, typer.Option(help="Tokens a trace may take.", rich_help_panel=o.SAMPLING)
    ] = 1024,
    stop: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option(help="End a trace at this text.", rich_help_panel=o.SAMPLING),
    ] = None,
    template: Annotated[
        str,
        typer.Option(
            help="chat: the model's chat template; raw: the messages as they are.",
            rich_help_panel="Prompt",
        ),
    ] = "chat",
    template_arg: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option(
            "--template-arg",
            metavar="NAME=VALUE",
            help="Given to the chat template, such as enable_thinking=false.",
            rich_help_panel="Prompt",
        ),
    ] = None,
    prompt: Annotated[
        str, typer.Option(help="The user's message.", rich_help_panel="Prompt")
    ] = "{question}",
    system: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(help="A system message.", rich_help_panel="Prompt"),
    ] = None,
    few_shot: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(
            metavar="FILE",
            help='JSON lines of worked examples: {"question": …, "solution": …}.',
            rich_help_panel="Prompt",
        ),
    ] = None,
    steps: Annotated[
        str,
        typer.Option(
            help="Where steps end: auto, lines, paragraphs, numbered, sentences, regex:PATTERN. "
            "With `,min=80,max=100` short ones are joined: to 80 characters, 100 steps at most."
        ),
    ] = "auto",
    answers: o.Answers = "last",
    keep: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(metavar="LOW..HIGH", help="Keep problems whose pass rate is in here."),
    ] = None,
    cut_is_wrong: Annotated[
        bool, typer.Option("--cut-is-wrong", help="Count traces cut by the token limit as wrong.")
    ] = False,
    fields: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option(
            metavar="FIELD=COLUMN", help="Where a file has them: question=prompt,answer=gold."
        ),
    ] = None,
    layout: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(help="A known layout (see `prmdata sources`); told from the columns."),
    ] = None,
    limit: o.Limit = None,
    shard: o.Shard = None,
    engine_arg: o.EngineArg = None,
    grader: o.Grader = "auto",
    dry_run: o.DryRun = False,
    tokens_per_second: o.TokensPerSecond = None,
    concurrency: o.Concurrency = 256,
    max_errors: o.MaxErrors = "1%",
    give_up: o.GiveUp = "10m",
    max_tokens_total: o.MaxTokensTotal = None,
    store: o.Store = o.STORE,
    summary: o.Summary = None,
    overwrite: o.Overwrite = False,
    quiet: o.Quiet = False,
) -> None:
    """Sample traces for problems; split and grade them."""
    import asyncio

    from prmdata.cli.shared import running
    from prmdata.grading import answer_rule
    from prmdata.run.progress import say
    from prmdata.settings import pairs
    from prmdata.stages.generate import (
        Asked,
        advice_on_keep,
        parse_shard,
        run_generate,
        told_of_cuts,
    )
    from prmdata.traces.generate import Generation
    from prmdata.traces.prompt import parse_keep, read_few_shot, template_arguments, template_named

    asked = Asked(
        source=source,
        layout=layout,
        fields=pairs(fields or (), "--fields"),
        limit=limit,
        shard=parse_shard(shard) if shard else None,
        sampler=sampler,
        engine=pairs(engine_arg or (), "--engine-arg"),
        grader=grader,
    )
    how = Generation(
        samples=samples,
        seed=seed,
        temperature=temperature,
        top_p=top_p,
        top_k=top_k,
        max_tokens=max_tokens,
        stop=tuple(stop or ()),
        template=template_named(template),
        template_args=template_arguments(template_arg or ()),
        prompt=prompt,
        system=system,
        few_shot=read_few_shot(few_shot, prompt) if few_shot else (),
        steps=steps,
        answers=answer_rule(answers),
        cut_is_wrong=cut_is_wrong,
        keep=parse_keep(keep) if keep else None,
    )
    if dry_run:
        calls = samples * sum(1 for _ in asked.problems())
        running.say_forecast("generate", calls, calls, calls * max_tokens, tokens_per_second)
        return
    running.refuse_engine_in_pipe(sampler, source, output)
    run = running.run_options(concurrency, max_errors, max_tokens_total, store, quiet, give_up)
    into = running.open_output(
        output, "generate", asked.settings(how), asked.inputs(), overwrite=overwrite, quiet=quiet
    )
    if into is not None:
        try:
            made = asyncio.run(run_generate(asked, how, into, run))
        finally:
            into.close()
        running.close(made, output, summary, quiet)
        if not quiet and (advice := told_of_cuts(made["cut"], made["traces"])):
            say(f"generate: {advice}")
        inside = made["problems"] - made["outside"]
        if not quiet and (advice := advice_on_keep(made.get("kept_uncertain", 0), inside)):
            say(f"generate: {advice}")
