"""`prmdata judge`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from prmdata.cli.shared import options as o
from prmdata.cli.shared.groups import Reporting, Scale, Share, Spending

if TYPE_CHECKING:
    from prmdata.stages.judge import Judging

GUARD_PROBLEMS = 25


def judge(
    source: Annotated[
        str | None,
        typer.Argument(
            help="Traces: a file, a directory of files, or - for standard input, which is the "
            "default. With --guard alone there is none.",
        ),
    ] = None,
    output: o.Output = "-",
    way: Annotated[
        str,
        typer.Option(
            "--with",
            metavar="NAME",
            help="How the judge is asked; `prmdata methods` lists the ways, `prmdata methods NAME` "
            "describes one with its settings.",
            rich_help_panel=o.METHOD,
        ),
    ] = "critique",
    settings: o.Settings = None,
    name: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="What the evidence is called, so that several judges can speak of one trace. "
            "Default: as the way.",
            rich_help_panel=o.METHOD,
        ),
    ] = None,
    prompt: Annotated[
        str | None,
        typer.Option(
            "--prompt",
            "--prompts",
            metavar="FILE,…",
            help="A prompt of your own, or several: each gives a piece of evidence called by it.",
            rich_help_panel=o.METHOD,
        ),
    ] = None,
    judge_spec: Annotated[
        str | None,
        typer.Option(
            "--judge",
            envvar="PRMDATA_JUDGE",
            metavar="SPEC",
            help="The judge: any sampler (local:FOLDER, vllm:MODEL, http://HOST/v1[,…], "
            "replay:STORE), or chat:http://HOST/v1 for an API that only chats.",
            rich_help_panel=o.SAMPLING,
        ),
    ] = None,
    engine_arg: o.EngineArg = None,
    seed: o.Seed = 0,
    template_arg: o.RolloutTemplateArg = None,
    guard: Annotated[
        bool,
        typer.Option(
            "--guard",
            help="First measure what the judge lets through: openers without content, the question "
            "restated, an injected instruction, another problem's solution. Without a source, "
            "print the figures and stop.",
            rich_help_panel=o.METHOD,
        ),
    ] = False,
    guard_rate: Annotated[
        float,
        typer.Option(
            min=0,
            max=1,
            help="With --guard: the share of such texts called right above which the run refuses.",
            rich_help_panel=o.METHOD,
        ),
    ] = 0.01,
    guard_problems: Annotated[
        int,
        typer.Option(
            min=1,
            help="With --guard: problems on which each of them is tried.",
            rich_help_panel=o.METHOD,
        ),
    ] = GUARD_PROBLEMS,
    unguarded: Annotated[
        bool,
        typer.Option(
            "--unguarded",
            help="With --guard: go on with a judge that fails, and only say so.",
            rich_help_panel=o.METHOD,
        ),
    ] = False,
    curve: Annotated[
        str | None,
        typer.Option(
            metavar="N,…",
            help="Instead of judging, measure: F1 and tokens with so many votes (1,2,4,8), on "
            "traces that carry their truth or whose truth --truth knows.",
            rich_help_panel=o.METHOD,
        ),
    ] = None,
    truth: Annotated[
        str,
        typer.Option(
            metavar="abacus|evidence|FILE",
            help="With --curve: where the truth is, as for `prmdata score`.",
            rich_help_panel=o.METHOD,
        ),
    ] = "evidence",
    *,
    share: Share,
    spending: Spending,
    scale: Scale,
    reporting: Reporting,
) -> None:
    """Let a model read the steps; add its verdicts as evidence.

    $ prmdata judge traces.jsonl --judge http://localhost:8000/v1 -o judged.jsonl
    $ prmdata judge --guard --judge http://localhost:8000/v1 --json
    """
    import asyncio

    from prmdata.cli.shared import running
    from prmdata.stages.judge import guard_run, measure_curve, run_judging

    alone = guard and source is None
    request = _request(source or "-", way, settings, name, prompt, judge_spec, engine_arg, share)
    request = _with_run(request, seed, template_arg)
    options = running.run_options(spending, reporting, output)
    if guard:
        figures = asyncio.run(guard_run(request, options, guard_problems))
        _report_guard(figures, guard_rate, unguarded, reporting, alone)
        if alone:
            return
    running.say_waiting("judge", request.source)
    if curve is not None:
        from prmdata.cli.shared.figures import print_figures

        votes = _numbers(curve)
        for row in asyncio.run(measure_curve(request, options, votes, truth)):
            print_figures(row, reporting.json)
        return
    running.refuse_engine_in_pipe(judge_spec, request.source, output)
    running.run(
        "judge",
        request,
        output,
        run_judging,
        reporting,
        spending,
        scale,
    )


def _request(
    source: str,
    way: str,
    settings: list[str] | None,
    name: str | None,
    prompt: str | None,
    judge: str | None,
    engine_arg: list[str] | None,
    share: Share,
) -> Judging:
    from prmdata.judges import JUDGES
    from prmdata.judges.contract import prompts_of
    from prmdata.registry import make
    from prmdata.settings import pairs
    from prmdata.stages.groups import parse_shard
    from prmdata.stages.judge import Judging, evidence_names

    how = make(JUDGES, way, pairs(settings or (), "--set"))
    chosen = [word.strip() for word in (prompt or "").split(",") if word.strip()]
    names = evidence_names(way, chosen, name)
    files: list[str | None] = [*chosen] or [None]
    prompts = dict(zip(names, files, strict=True))
    return Judging(
        source=source,
        ways=dict.fromkeys(names, how),
        prompts={name: prompts_of(how, file) for name, file in prompts.items()},
        judge=judge,
        engine=pairs(engine_arg or (), "--engine-arg"),
        limit=share.limit,
        shard=parse_shard(share.shard),
    )


def _with_run(request: Judging, seed: int, template_arg: list[str] | None) -> Judging:
    from dataclasses import replace

    from prmdata.traces.prompt import template_arguments

    return replace(request, seed=seed, template_args=template_arguments(template_arg or ()))


def _numbers(text: str) -> list[int]:
    from prmdata.errors import UsageError

    words = [word.strip() for word in text.split(",") if word.strip()]
    if not words or not all(word.isdecimal() and int(word) > 0 for word in words):
        raise UsageError(f"--curve {text}: write numbers of votes, such as 1,2,4,8")
    return [int(word) for word in words]


def _report_guard(
    figures: dict[str, Any], rate: float, unguarded: bool, reporting: Reporting, alone: bool
) -> None:
    """The figures as data where they are all that was asked for; what is wrong, as an error."""
    from prmdata.cli.shared.figures import print_figures
    from prmdata.errors import GuardError
    from prmdata.terminal import say

    failing = {
        name: found
        for name, found in figures.items()
        if found["worst_rate"] > rate or found["right_solutions"]["called_right"] == 0
    }
    if alone:
        for name, found in figures.items():
            shown = {"evidence": name, "passes": name not in failing, **found}
            if reporting.json:
                print_figures(shown, True)
            else:
                _print_probes(shown)
    for name, found in figures.items():
        told = (
            f"{name}: calls right {found['false_positive_rate']:.1%} of "
            f"{sum(p['traces'] for p in found['probes'].values()):,} texts that solve nothing "
            f"(most: {found['worst_probe']}, {found['worst_rate']:.0%}), and "
            f"{found['right_solutions']['rate']:.0%} of right solutions"
        )
        if not reporting.quiet:
            say(f"judge: {told}")
        if name in failing and not unguarded:
            raise GuardError(
                f"this judge does not pass the guard (--guard-rate {rate:g}): {told}. Take another "
                "judge or prompt, or go on all the same with --unguarded"
            )


def _print_probes(figures: dict[str, Any]) -> None:
    """One line a probe, then what the judge leans to."""
    from prmdata.terminal import print_line

    probes = {**figures["probes"], "right solutions": figures["right_solutions"]}
    for name, found in probes.items():
        low, high = found["interval"]
        print_line(
            f"{name:<36} called right {found['called_right']:>3} of {found['traces']} "
            f"(95 %: {low:.2f} to {high:.2f}), unread {found['unread']}"
        )
    for leaning in ("polarity", "position"):
        said = ", ".join(f"{k.replace('_', ' ')} {v}" for k, v in figures[leaning].items())
        print_line(f"{leaning:<36} {said}")
