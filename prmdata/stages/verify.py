"""`verify`: traces → traces with verdicts by tools, as evidence."""

from __future__ import annotations

import contextlib
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from prmdata.errors import ItemError, PrmdataError
from prmdata.files import count_hint, read_groups, read_traces
from prmdata.records import Trace
from prmdata.run.engine import DEBUG
from prmdata.run.manifest import input_state
from prmdata.run.output import Output
from prmdata.run.stage import RunOptions
from prmdata.settings import settings_of
from prmdata.stages.groups import run_groups
from prmdata.verifiers import Finding, Ready, Verifier, ready
from prmdata.verifiers.contract import FAILED, as_evidence


@dataclass(frozen=True, slots=True)
class Verifying:
    source: str
    verifiers: Mapping[str, Verifier] = field(default_factory=dict)
    """By name, in the order of their evidence."""

    def settings(self) -> dict[str, Any]:
        return {
            f"with {name}": {k: str(v) for k, v in settings_of(how).items()}
            for name, how in self.verifiers.items()
        }

    def inputs(self) -> dict[str, str]:
        return {self.source: input_state(self.source)}


async def run_verify(asked: Verifying, output: Output, options: RunOptions) -> dict[str, Any]:
    async with contextlib.AsyncExitStack() as stack:
        at_work = {
            name: await stack.enter_async_context(ready(how))
            for name, how in asked.verifiers.items()
        }
        return await _run(asked, at_work, output, options)


async def _run(
    asked: Verifying, at_work: Mapping[str, Ready], output: Output, options: RunOptions
) -> dict[str, Any]:
    async def work(group: list[Trace]) -> list[Trace]:
        return [await _one(trace, at_work) for trace in group]

    def tally(trace: Trace, counts: Counter[str]) -> None:
        counts["steps"] += 0 if trace.error else len(trace.steps)
        for name in asked.verifiers:
            evidence = trace.evidence_named(name)
            said = evidence.verdicts if evidence else ()
            for verdict in ("right", "wrong", "unknown"):
                counts[verdict] += said.count(verdict)
            counts["traces_with_a_wrong_step"] += "wrong" in said
            notes = evidence.notes if evidence else ()
            counts["failed_checks"] += sum((note or "").startswith(FAILED) for note in notes)

    return await run_groups(
        "verify",
        read_groups(read_traces(asked.source)),
        work,
        output,
        options,
        total=count_hint(asked.source),
        tally=tally,
    )


async def _one(trace: Trace, verifiers: Mapping[str, Ready]) -> Trace:
    if trace.error is not None:
        return trace
    try:
        return await verified(trace, verifiers)
    except ItemError as error:
        return trace.failed(str(error))


async def _findings(name: str, how: Ready, trace: Trace) -> Sequence[Finding]:
    """A verifier that fails on an odd trace says nothing of it, and its siblings go on."""
    try:
        return await how.verify(trace)
    except PrmdataError:
        raise
    except Exception as error:
        if os.environ.get(DEBUG):
            raise
        note = f"{FAILED} by {name}: {type(error).__name__}: {error} ({DEBUG}=1 shows where)"
        return [Finding("unknown", note)] * len(trace.steps)


async def verified(trace: Trace, verifiers: Mapping[str, Ready]) -> Trace:
    for name, how in verifiers.items():
        findings = await _findings(name, how, trace)
        if len(findings) != len(trace.steps):
            raise ItemError(
                f"verifier {name} gave {len(findings)} verdicts for {len(trace.steps)} steps "
                f"(trace {trace.id})"
            )
        trace = trace.with_evidence(as_evidence(name, how, findings))
    return trace
