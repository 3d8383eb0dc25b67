"""From a command's options to a run."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable, Coroutine, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from prmdata.cli.shared.closing import report
from prmdata.cli.shared.groups import Reporting, Scale, Spending
from prmdata.durations import parse_seconds
from prmdata.errors import UsageError

if TYPE_CHECKING:
    from prmdata.run.output import Output
    from prmdata.run.stage import RunOptions
    from prmdata.run.summary import Summary

    Work = Callable[[Any, Output, RunOptions], Coroutine[Any, Any, Summary]]


class Request(Protocol):
    """What a stage is asked to do."""

    def settings(self) -> Mapping[str, Any]: ...

    def inputs(self) -> Mapping[str, str]: ...


WITHOUT_SAMPLER = Spending(concurrency=64, store="none")
HERE = Scale()


def run(
    stage: str,
    request: Request,
    output: str,
    work: Work,
    reporting: Reporting,
    spending: Spending = WITHOUT_SAMPLER,
    scale: Scale = HERE,
) -> Summary | None:
    """Run a stage into its output and report on it; `None` where the output is up to date."""
    options = run_options(spending, reporting, output)
    if scale.engine == "ray":
        return _run_on_ray(stage, request, output, work, reporting, options, scale.parts)
    if scale.engine != "here" or scale.parts is not None:
        raise UsageError(f"--engine {scale.engine}: choose here or ray; --parts belongs to ray")
    into = open_output(output, stage, request, reporting)
    if into is None:
        return None
    try:
        return asyncio.run(work(request, into, options))
    finally:
        into.close()


def _run_on_ray(
    stage: str,
    request: Any,
    output: str,
    work: Work,
    reporting: Reporting,
    options: RunOptions,
    parts: int | None,
) -> Summary | None:
    from prmdata.run.sharded.driver import Sharding
    from prmdata.terminal import say

    sharding = Sharding(stage, request, work, output, options, parts, reporting.overwrite)
    summary = sharding.run()
    if summary is None and not reporting.quiet:
        say(f"{stage}: {output} is up to date")
    return summary


def run_options(spending: Spending, reporting: Reporting, output: str) -> RunOptions:
    from prmdata.run.engine import ErrorLimit
    from prmdata.run.stage import RunOptions
    from prmdata.sampler.endpoint.patience import Waits

    return RunOptions(
        concurrency=spending.concurrency,
        max_errors=ErrorLimit.parse(reporting.max_errors),
        max_tokens_total=spending.max_tokens_total,
        store=None if spending.store == "none" else spending.store,
        waits=Waits(give_up_s=parse_seconds(spending.give_up, "--give-up")),
        quiet=reporting.quiet,
        verbose=reporting.verbose,
        report=functools.partial(report, reporting, output),
    )


def open_output(target: str, stage: str, request: Request, reporting: Reporting) -> Output | None:
    """The output to run into; `None` where the target is up to date."""
    from prmdata.files.paths import is_stream
    from prmdata.run.output import StreamOutput
    from prmdata.run.target import FileOutput
    from prmdata.terminal import say

    if is_stream(target):
        return StreamOutput(target)
    settings, inputs = request.settings(), request.inputs()
    output = FileOutput(target, stage, settings, inputs, overwrite=reporting.overwrite)
    if not output.up_to_date:
        return output
    output.close()
    if not reporting.quiet:
        say(f"{stage}: {target} is up to date")
    return None


def refuse_engine_in_pipe(sampler: str | None, source: str, output: str) -> None:
    """Stages of a pipe start at once: each would load its own copy of the model."""
    from prmdata.files.paths import is_pipe, is_stream

    ends = [number if name == "-" else name for number, name in enumerate((source, output))]
    piped = any(is_pipe(end) for end in ends if isinstance(end, int) or is_stream(end))
    if sampler is not None and sampler.startswith("vllm:") and piped:
        raise UsageError(
            f"{sampler} would be loaded once for every stage of this pipe; put files between the "
            "stages (-o), or serve the model once and name it with --sampler http://…/v1"
        )


def say_waiting(stage: str, source: str, what: str = "traces") -> None:
    """A command that reads from the keyboard seems to hang."""
    import sys

    from prmdata.terminal import say

    if source == "-" and sys.stdin is not None and sys.stdin.isatty():
        say(f"{stage}: reading {what} from the terminal; name a file, or end with Ctrl-D")


def say_forecast(
    stage: str, traces: int, calls: int, tokens: int, speed: float | None, bound: str = "at most",
    scored: int = 0,
) -> None:  # fmt: skip
    from prmdata.terminal import say

    line = f"{stage}: {traces:,} traces · {calls:,} completions · {bound} {tokens:,} tokens"
    if scored:
        line += f" · about {scored:,} tokens read"
    if speed:
        line += f" · {tokens / speed / 60:,.1f} minutes at {speed:,.0f} tokens/s"
    say(line + " (nothing was spent)")
