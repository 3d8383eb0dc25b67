"""How a run went: a line for people, JSON for programs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from prmdata.cli.shared.groups import Reporting
    from prmdata.run.summary import Summary


UNLABELLING = ("mutate", "thoughts", "repair", "intervene", "choose")
"""Stages whose traces may have labels that are not theirs."""


def report(reporting: Reporting, output: str, summary: Summary) -> None:
    """Write `--summary`, in any ending, and print the closing line where a run did something."""
    from prmdata.terminal import say

    counts = summary.as_dict()
    if reporting.summary is not None:
        write_summary(counts, reporting.summary)
    if reporting.quiet:
        return
    if reporting.json:
        say(as_json(counts))
    elif summary.ending == "complete":
        say(closing_line(summary) + arrow(output))
    elif summary.ending != "failed":
        say(f"{closing_line(summary)} ({summary.ending}: not complete)")
    if not reporting.json:
        for warning in summary.warnings:
            say(f"{summary.stage}: warning: {warning}")


def closing_line(summary: Summary) -> str:
    kept = summary.problems - summary.outside
    parts = [f"{summary.traces:,} traces of {kept:,} problems"]
    described = {"verify": _verdicts, "judge": _judged, "mutate": _lines, "credit": _credit}
    described |= {"thoughts": _thoughts, "repair": _repairs, "intervene": _interventions}
    parts += described.get(summary.stage, _outcomes)(summary)
    if summary.outside and summary.stage not in ("mutate", "choose"):
        parts.append(f"{summary.outside:,} of {summary.problems:,} problems outside --keep")
    if summary.special["samples_saved"]:
        parts.append(f"{summary.special['samples_saved']:,} samples saved by --decide")
    if summary.special["asked_to_box"]:
        parts.append("asked for \\boxed{} answers (--prompt plain: not)")
    if summary.cut:
        parts.append(f"{summary.cut:,} cut by the token limit")
    parts += _labels(summary)
    if read := summary.evidence_read():
        parts.append(f"decided from {', '.join(f'{k} (on {n:,} traces)' for k, n in read.items())}")
    if summary.special["rollouts_cut"]:
        cut, rollouts = summary.special["rollouts_cut"], summary.special["rollouts"]
        parts.append(f"{cut:,} of {rollouts:,} rollouts cut")
    if summary.special["rollouts_unparsed"]:
        unparsed, rollouts = summary.special["rollouts_unparsed"], summary.special["rollouts"]
        parts.append(f"{unparsed:,} of {rollouts:,} rollouts unparsed")
    if summary.special["of_another_model"]:
        parts.append(
            f"{summary.special['of_another_model']:,} written by another model than the sampler's"
        )
    if summary.failed:
        parts.append(f"{summary.failed:,} failed (see their `error`)")
    if summary.over_budget:
        parts.append(f"{summary.over_budget:,} problems over the token budget")
    if summary.sampler_calls or summary.stage in ("generate", "estimate", "label"):
        parts.append(f"{summary.tokens_spent:,} tokens generated")
    if summary.tokens_read:
        parts.append(f"{summary.tokens_read:,} tokens read")
    if summary.completions_from_store:
        parts.append(f"{summary.completions_from_store:,} completions from the store")
    parts.append(f"{summary.seconds:.1f} s")
    return f"{summary.stage}: {' · '.join(parts)}"


def _lines(summary: Summary) -> list[str]:
    counts = summary.special
    return [f"{counts['lines_wrong']:,} wrong lines, {counts['lines_right']:,} right lines"]


def _credit(summary: Summary) -> list[str]:
    counts = summary.special
    without = counts["traces_without_credit"]
    taken = {k.partition(" ")[2]: n for k, n in counts.items() if k.startswith("credit_from ")}
    parts = [f"credit from {', '.join(f'{k} (on {n:,} traces)' for k, n in taken.items())}"]
    return parts + ([f"{without:,} without"] if without else [])


def _thoughts(summary: Summary) -> list[str]:
    return [f"{summary.special['steps']:,} steps in {summary.special['thoughts']:,} thoughts"]


def _repairs(summary: Summary) -> list[str]:
    counts = summary.special
    repaired, earlier = counts["repaired"], counts["repaired_earlier"]
    parts = [f"{repaired:,} of {counts['traces_tried']:,} wrong traces repaired"]
    if earlier:
        parts[-1] += f" ({earlier:,} of them cut earlier than labelled)"
    before = f"{counts['right_before']:,} of {counts['tried_before']:,}"
    after = f"{counts['right_after']:,} of {counts['tried_after']:,}"
    parts.append(f"right from before the wrong step {before}, from after it {after}")
    if doubtful := counts["no_worse_after"]:
        parts.append(f"{doubtful:,} labels in doubt: as often right after the wrong step")
    return parts


def _interventions(summary: Summary) -> list[str]:
    counts = summary.special
    parts = [f"{counts['kept']:,} of {counts['proposals_tried']:,} steps that were tried kept"]
    rates = {"with it": "right_with_it", "after the step it replaces": "right_after_wrong"}
    shown = (f"{k} {counts[n]:,} of {counts[f'tried {n}']:,}" for k, n in rates.items())
    parts.append(f"right {', '.join(shown)}")
    refused = {k: n for k, n in counts.items() if k.startswith("refused: ") and n}
    reasons = (f"{n:,} {k.removeprefix('refused: ')}" for k, n in refused.items())
    return parts + ([f"refused: {', '.join(reasons)}"] if refused else [])


def _outcomes(summary: Summary) -> list[str]:
    outcomes = f"{summary.right:,} right, {summary.wrong:,} wrong"
    if summary.unparsed:
        outcomes += f", {summary.unparsed:,} unparsed"
    if summary.unknown:
        outcomes += f", {summary.unknown:,} not graded"
    return [outcomes]


def _verdicts(summary: Summary) -> list[str]:
    counts = summary.special
    verdicts = ", ".join(
        f"{counts[f'verdicts_{name}']:,} {name}" for name in ("right", "wrong", "unknown")
    )
    parts = [f"{counts['steps']:,} steps", f"verdicts: {verdicts}"]
    if counts["failed_checks"]:
        parts.append(f"{counts['failed_checks']:,} checks failed (see the notes)")
    return parts


def _judged(summary: Summary) -> list[str]:
    counts = summary.special
    parts = [*_verdicts(summary), f"{counts['judgements']:,} judgements"]
    if counts["judgements_unread"]:
        parts[-1] += f", {counts['judgements_unread']:,} of which could not be read"
    if counts["no_carrier"]:
        parts.append(f"{counts['no_carrier']:,} without a judgement that says all the vote says")
    if counts["prompt_tokens"]:
        parts.append(f"about {counts['prompt_tokens']:,} tokens read")
    return parts


def _labels(summary: Summary) -> list[str]:
    parts = []
    if summary.labelled and summary.stage not in UNLABELLING:
        examined = summary.labelled - summary.unexamined - summary.undecided
        parts.append(
            f"{examined:,} labelled by examination, {summary.unexamined:,} taken at their word"
        )
        if summary.undecided:
            parts[-1] += f", {summary.undecided:,} undecided"
        if trust := summary.trust.line():
            parts.append(trust)
    unlabelled = summary.traces - summary.labelled - summary.failed
    if summary.stage == "label" and unlabelled > 0:
        parts.append(f"{unlabelled:,} left without labels")
    return parts


def arrow(target: str) -> str:
    """Where the output went; a pipe needs no mention."""
    from prmdata.files.paths import is_stream

    return "" if is_stream(target) else f" → {target}"


def as_json(counts: Mapping[str, Any]) -> str:
    import msgspec

    return msgspec.json.encode(counts).decode()


def write_summary(counts: Mapping[str, Any], file: str) -> None:
    import msgspec

    from prmdata.files.paths import writing

    with writing(file):
        text = msgspec.json.format(msgspec.json.encode(counts), indent=2)
        Path(file).write_bytes(text + b"\n")
