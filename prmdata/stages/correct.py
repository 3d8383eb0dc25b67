"""`repair` and `intervene`: wrong traces → the same with evidence, and traces that end right."""

from __future__ import annotations

from collections import Counter
from typing import Any

from prmdata.files import read_traces
from prmdata.records import Trace
from prmdata.run.output import Output
from prmdata.run.stage import RunOptions, open_resources, run_stage
from prmdata.run.summary import Summary
from prmdata.stages.label import Labelling, LabelStage
from prmdata.stages.sampling import spec_of


class CorrectStage(LabelStage):
    def tally(self, trace: Trace, counts: Counter[str]) -> None:
        self._count_sampling(trace, counts)
        found = trace.evidence_named(self.name)
        if found is not None and trace.error is None:
            counts["traces_tried"] += 1
            {"repair": _repaired, "intervene": _intervened}[self.name](found.settings, counts)

    def check(self, summary: Summary) -> None:
        super().check(summary)
        if not summary.special["traces_tried"]:
            needs = {
                "repair": "wrong traces with a labelled first error (run label first)",
                "intervene": "wrong traces of problems with a reference solution "
                "(context.solution; --set reference=FIELD names another)",
            }[self.name]
            summary.warnings.append(f"nothing was tried: {self.name} takes {needs}")


def _repaired(settings: dict[str, Any], counts: Counter[str]) -> None:
    (hits, tried), (hits_after, tried_after) = settings["right_before"], settings["right_after"]
    cut = settings["cut"]
    counts["repaired"] += cut is not None
    counts["repaired_earlier"] += cut is not None and cut < settings["first_error"]
    counts["never_right"] += cut is None
    counts["right_before"] += hits
    counts["tried_before"] += tried
    if tried_after and tried:
        counts["right_after"] += hits_after
        counts["tried_after"] += tried_after
        counts["no_worse_after"] += bool(hits_after) and hits_after * tried >= hits * tried_after


def _intervened(settings: dict[str, Any], counts: Counter[str]) -> None:
    for reason, count in settings["refused"].items():
        counts[f"refused: {reason}"] += count
    if settings["step"] is None:
        return
    counts["proposals_tried"] += 1
    counts["kept"] += settings["kept"]
    for name in ("right_with_it", "right_without", "right_after_wrong"):
        hits, tried = settings[name]
        counts[name] += hits
        counts[f"tried {name}"] += tried


async def run_correcting(request: Labelling, output: Output, options: RunOptions) -> Summary:
    assert request.source is not None
    traces = read_traces(request.source)
    spec = spec_of(request.sampler)
    async with open_resources(
        spec,
        request.engine,
        request.grader,
        options,
        request.surroundings,
        request.reference,
    ) as resources:
        output.pin("model", resources.sampler.fingerprint)
        if resources.reference is not None:
            output.pin("teacher", resources.reference.fingerprint)
        return await run_stage(CorrectStage(request, resources, traces), output, options)
