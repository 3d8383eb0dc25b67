"""`verify`: traces → traces with verdicts by tools, as evidence."""

from __future__ import annotations

import contextlib
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from prmdata.errors import ItemError, PrmdataError
from prmdata.files import count_hint, read_traces
from prmdata.records import Trace
from prmdata.run.engine import DEBUG
from prmdata.run.manifest import states_of
from prmdata.run.output import Output
from prmdata.run.stage import RunOptions, run_stage
from prmdata.run.summary import Summary
from prmdata.sampler.storage.stored import Spending
from prmdata.settings import settings_of
from prmdata.stages.groups import Group, GroupStage, groups_of
from prmdata.verifiers import Finding, Ready, Verifier, ready
from prmdata.verifiers.contract import FAILED, as_evidence


@dataclass(frozen=True, slots=True)
class Verifying:
    source: str
    verifiers: Mapping[str, Verifier] = field(default_factory=dict)
    """By name, in the order of their evidence."""
    shard: tuple[int, int] | None = None

    def settings(self) -> dict[str, object]:
        chosen = {
            f"with {name}": {k: str(v) for k, v in settings_of(how).items()}
            for name, how in self.verifiers.items()
        }
        return {**chosen, "shard": self.shard}

    def inputs(self) -> dict[str, str]:
        return states_of(self.source)


class VerifyStage(GroupStage):
    name = "verify"

    def __init__(self, request: Verifying, verifiers: Mapping[str, Ready]) -> None:
        self.may_be_empty = request.shard is not None
        self.request, self.verifiers, self.spending = request, verifiers, Spending()
        self.total = count_hint(request.source)

    def items(self) -> Iterator[Group]:
        return groups_of(read_traces(self.request.source), self.request.shard)

    async def work_on(self, traces: list[Trace]) -> list[Trace]:
        return [await _checked(trace, self.verifiers) for trace in traces]

    def tally(self, trace: Trace, counts: Counter[str]) -> None:
        counts["steps"] += 0 if trace.error else len(trace.steps)
        for name in self.verifiers:
            evidence = trace.evidence_named(name)
            verdicts = evidence.verdicts if evidence else ()
            for verdict in ("right", "wrong", "unknown"):
                counts[f"verdicts_{verdict}"] += verdicts.count(verdict)
            counts["traces_with_a_wrong_step"] += "wrong" in verdicts
            notes = evidence.notes if evidence else ()
            counts["failed_checks"] += sum((note or "").startswith(FAILED) for note in notes)


async def run_verify(request: Verifying, output: Output, options: RunOptions) -> Summary:
    async with contextlib.AsyncExitStack() as stack:
        verifiers = {
            name: await stack.enter_async_context(ready(verifier))
            for name, verifier in request.verifiers.items()
        }
        return await run_stage(VerifyStage(request, verifiers), output, options)


async def _checked(trace: Trace, verifiers: Mapping[str, Ready]) -> Trace:
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
