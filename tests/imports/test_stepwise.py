"""TRL's stepwise rows as traces: others' and our own exports."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

import prmdata
from prmdata.errors import TooManyErrors
from prmdata.records import Labels, Trace

STEPWISE = {"prompt": "1 + 2?\n", "completions": ["1 + 2 = 4.", "So 4."], "labels": [True, False]}


def test_stepwise_as_trl_has_it() -> None:
    (trace,) = prmdata.import_([STEPWISE])
    assert (trace.problem.question, trace.text) == ("1 + 2?", "1 + 2 = 4.\nSo 4.")
    assert trace.labels is not None
    assert (trace.labels.first_error, trace.labels.values) == (1, (1.0, 0.0))
    assert trace.evidence[0].kind == "scores"  # the rows do not say whose they are
    (masked,) = prmdata.import_([{**STEPWISE, "labels": [0, -100], "labelled_by": "posterior"}])
    assert masked.labels is not None
    assert (masked.labels.by, masked.labels.values) == ("posterior", (0.0, None))
    (unknown,) = prmdata.import_([{**STEPWISE, "labels": [-100, 0]}])
    assert unknown.labels is None


@pytest.mark.parametrize(
    ("labels", "why"), [([1], "1 labels for 2"), ([1, 0.75], "the label 0.75 is none of")]
)
def test_stepwise_rows_that_do_not_fit_say_why(labels: list[Any], why: str) -> None:
    with pytest.raises(TooManyErrors, match=why):
        prmdata.import_([{**STEPWISE, "labels": labels}])


def test_an_exported_dataset_comes_back(traces: list[Trace]) -> None:
    labelled = [
        replace(t, labels=Labels("truth", 1, (1.0, *(0.0 for _ in t.steps[1:]))))
        for t in traces[:6]
        if len(t.steps) > 1
    ]
    prmdata.export(labelled, output="set", to="stepwise")
    back = prmdata.import_("set")
    assert [t.id for t in back] == [t.id for t in labelled]
    assert all(t.labels and (t.labels.by, t.labels.first_error) == ("truth", 1) for t in back)
    assert [t.text.split() for t in back] == [t.text.split() for t in labelled]
