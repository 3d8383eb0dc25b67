"""From a subcommand's options to a run, and from its summary to the closing line."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prmdata.durations import parse_seconds
from prmdata.errors import UsageError

if TYPE_CHECKING:
    from prmdata.run.output import Output
    from prmdata.run.stage import RunOptions


def run_options(
    concurrency: int,
    max_errors: str,
    max_tokens_total: int | None,
    store: str,
    quiet: bool,
    give_up: str = "10m",
) -> RunOptions:
    from prmdata.run.engine import ErrorLimit
    from prmdata.run.stage import RunOptions
    from prmdata.sampler.endpoint.patience import Waits

    return RunOptions(
        concurrency=concurrency,
        max_errors=ErrorLimit.parse(max_errors),
        max_tokens_total=max_tokens_total,
        store=None if store == "none" else store,
        waits=Waits(give_up_s=parse_seconds(give_up, "--give-up")),
        quiet=quiet,
    )


def open_output(
    target: str,
    stage: str,
    settings: Mapping[str, Any],
    inputs: Mapping[str, str],
    *,
    overwrite: bool,
    quiet: bool,
) -> Output | None:
    """The output to run into; `None` where the target is up to date."""
    from prmdata.run.output import StreamOutput
    from prmdata.run.progress import say
    from prmdata.run.target import FileOutput

    if target == "-":
        return StreamOutput()
    output = FileOutput(target, stage, settings, inputs, overwrite=overwrite)
    if not output.up_to_date:
        return output
    output.close()
    if not quiet:
        say(f"{stage}: {target} is up to date")
    return None


def refuse_engine_in_pipe(sampler: str, source: str, output: str) -> None:
    """Stages of a pipe start at once: each would load its own copy of the model."""
    from prmdata.files.paths import is_pipe

    piped = any(name == "-" and is_pipe(number) for number, name in enumerate((source, output)))
    if sampler.startswith("vllm:") and piped:
        raise UsageError(
            f"{sampler} would be loaded once for every stage of this pipe; put files between the "
            "stages (-o), or serve the model once and name it with --sampler http://…/v1"
        )


def close(summary: Mapping[str, Any], target: str, file: str | None, quiet: bool) -> None:
    """Tell how it went: a line for people, a file for programs."""
    from prmdata.run.progress import say
    from prmdata.stages.label import evidence_read, warnings

    if file is not None:
        write_summary(summary, file)
    if quiet:
        return
    told = [
        f"{summary['traces']:,} traces of {summary['problems'] - summary['outside']:,} problems",
    ]
    if summary["stage"] == "verify":
        said = ", ".join(f"{summary[name]:,} {name}" for name in ("right", "wrong", "unknown"))
        told.append(f"{summary['steps']:,} steps · verdicts: {said}")
        if summary["failed_checks"]:
            told.append(f"{summary['failed_checks']:,} checks failed (see the notes)")
    else:
        told.append(f"{summary['right']:,} right, {summary['wrong']:,} wrong")
        if summary["unparsed"]:
            told[-1] += f", {summary['unparsed']:,} unparsed"
        if summary["unknown"]:
            told[-1] += f", {summary['unknown']:,} neither"
    if summary["outside"]:
        told.append(f"{summary['outside']:,} of {summary['problems']:,} problems outside --keep")
    if summary["cut"]:
        told.append(f"{summary['cut']:,} cut by the token limit")
    if summary["labelled"]:
        looked = summary["labelled"] - summary["unexamined"] - summary["undecided"]
        told.append(
            f"{looked:,} labelled by examination, {summary['unexamined']:,} taken at their word"
        )
        if summary["undecided"]:
            told[-1] += f", {summary['undecided']:,} undecided"
    if read := evidence_read(summary):
        spoke = (f"{name} (on {n:,} traces)" for name, n in read.items())
        told.append(f"decided from {', '.join(spoke)}")
    if summary.get("rollouts_cut"):
        told.append(f"{summary['rollouts_cut']:,} of {summary['rollouts']:,} rollouts cut")
    if summary.get("rollouts_unparsed"):
        told.append(
            f"{summary['rollouts_unparsed']:,} of {summary['rollouts']:,} rollouts unparsed"
        )
    unlabelled = summary["traces"] - summary["labelled"] - summary["failed"]
    if summary["stage"] == "label" and unlabelled > 0:
        told.append(f"{unlabelled:,} left without labels")
    if summary.get("of_another_model"):
        told.append(f"{summary['of_another_model']:,} written by another model than the sampler's")
    if summary["failed"]:
        told.append(f"{summary['failed']:,} failed (see their `error`)")
    if summary["sampler_calls"] or summary["stage"] in ("generate", "estimate", "label"):
        told.append(f"{summary['tokens_spent']:,} tokens generated")
    if summary["completions_from_store"]:
        told.append(f"{summary['completions_from_store']:,} completions from the store")
    told.append(f"{summary['seconds']:.1f} s")
    say(f"{summary['stage']}: {' · '.join(told)}{arrow(target)}")
    for line in (*warnings(summary), *told_of_unparsed(summary)):
        say(f"{summary['stage']}: warning: {line}")


def told_of_unparsed(summary: Mapping[str, Any]) -> list[str]:
    """What to try where many answers could not be read."""
    from prmdata.stages.generate import MANY_UNPARSED

    unparsed = summary["unparsed"]
    graded = summary["right"] + summary["wrong"] + unparsed
    if summary["stage"] not in ("generate", "import") or unparsed <= MANY_UNPARSED * graded:
        return []
    share = f"{unparsed:,} of {graded:,} answers ({unparsed / graded:.0%}) could not be read"
    if 2 * summary["without_answer"] >= unparsed:
        reason = "none was found: try --answers last, or ask for \\boxed{} in the prompt"
    else:
        reason = "they are no expression: look at `answer` where `grade` is unparsed"
    return [f"{share}, most of them because {reason}"]


def arrow(target: str) -> str:
    """Where the output went; nothing of a pipe, which says so itself."""
    return "" if target == "-" else f" → {target}"


def write_summary(summary: Mapping[str, Any], file: str) -> None:
    import msgspec

    from prmdata.files.paths import writing

    with writing(file):
        text = msgspec.json.format(msgspec.json.encode(summary), indent=2)
        Path(file).write_bytes(text + b"\n")


def say_forecast(
    stage: str, traces: int, calls: int, tokens: int, speed: float | None, bound: str = "at most"
) -> None:
    from prmdata.run.progress import say

    line = f"{stage}: {traces:,} traces · {calls:,} completions · {bound} {tokens:,} tokens"
    if speed:
        line += f" · {tokens / speed / 60:,.1f} minutes at {speed:,.0f} tokens/s"
    say(line + " (nothing was spent)")
