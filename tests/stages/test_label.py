"""`label` over evidence: what it was decided from, and what said nothing, is told."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from prmdata.labellers import method
from prmdata.records import Origin, Trace
from prmdata.run.output import ListOutput
from prmdata.run.stage import RunOptions
from prmdata.sampler.protocol import Completion, Sampling
from prmdata.stages.label import Labelling, run_labelling
from prmdata.verifiers import VERIFIERS, ready
from prmdata.verifiers.contract import as_evidence
from tests.policy import Policy


class Short(Policy):
    """Whose rollouts the token limit cuts, two of three."""

    async def complete(
        self, prefix: str, n: int, sampling: Sampling, seed: int
    ) -> list[Completion]:
        made = await super().complete(prefix, n, sampling, seed)
        return [
            replace(done, finish="length") if (seed + i) % 3 else done
            for i, done in enumerate(made)
        ]


def test_rollouts_that_were_cut_are_counted_and_warned_of(
    traces: list[Trace], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def opened(*_: object) -> Policy:
        return Short({0: 60})

    monkeypatch.setattr("prmdata.run.stage.open_sampler", opened)  # no spec names this policy
    imported = [replace(t, origin=Origin(messages=t.origin.messages)) for t in traces[:8]]
    for name, verb in (("mc", "estimate"), ("bisect", "label"), ("omega", "label")):
        how = Labelling(verb, name, method(name, verb, {}))  # type: ignore[arg-type]
        for given, more in ((traces[:8], 0), (imported, 2)):
            options = RunOptions(quiet=True, store=None)
            summary = asyncio.run(run_labelling(how, ListOutput(), options, given))
            assert summary.special["rollouts_cut"] > 0.5 * summary.special["rollouts"] > 0
            cut, *others = summary.warnings
            assert "rollouts were cut" in cut
            assert "raise --max-tokens" in cut
            assert len(others) == more
            assert all("traces do not say how they were sampled" in line for line in others)


def verified(traces: list[Trace], *names: str) -> list[Trace]:
    async def each() -> list[Trace]:
        made = list(traces)
        for name in names:
            async with ready(VERIFIERS[name]()) as how:
                made = [t.with_evidence(as_evidence(name, how, await how.verify(t))) for t in made]
        return made

    return asyncio.run(each())


def test_a_verifier_that_says_nothing_changes_no_label_and_is_warned_of(
    traces: list[Trace],
) -> None:
    firsts = []
    for names in (("arithmetic",), ("arithmetic", "algebra")):
        output = ListOutput()
        how = Labelling("label", "hybrid", method("hybrid", "label", {}))
        options = RunOptions(quiet=True, store=None)
        summary = asyncio.run(run_labelling(how, output, options, verified(traces[:40], *names)))
        assert summary.evidence_read().keys() == set(names)
        assert summary.evidence_read()["arithmetic"] > 30
        assert [line for line in summary.warnings if "algebra says nothing" in line] == (
            summary.warnings if "algebra" in names else []
        )
        assert len(summary.warnings) == len(names) - 1
        firsts.append([t.labels and t.labels.first_error for t in output.traces])
        assert {t.labels.settings["evidence"] for t in output.traces if t.labels} == {
            "+".join(names)
        }
    assert firsts[0] == firsts[1]
    assert any(first is not None for first in firsts[0])
