"""Labels that a trainer would take the wrong way, or not at all, get into no dataset."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import prmdata
from prmdata.errors import InputError
from prmdata.files.codec import encode
from prmdata.records import Labels, Trace

STEPWISE: dict[str, Any] = {"to": "stepwise"}
NAIVE = {
    "an error past the end": Labels("x", 99),
    "an error before the start": Labels("x", -1),
    "half an index": Labels("x", 0.5),  # type: ignore[arg-type]
    "a float that is whole": Labels("x", 1.0),  # type: ignore[arg-type]
    "fewer values than steps": Labels("x", 1, (1.0,)),
    "more values than steps": Labels("x", 1, (1.0,) * 50),
}


@pytest.mark.parametrize("how", NAIVE)
@pytest.mark.parametrize("to", ["stepwise", "judge"])
def test_labels_that_do_not_fit_their_steps(
    how: str, to: str, labelled: list[Trace], tmp_path: Path
) -> None:
    broken = replace(labelled[0], labels=NAIVE[how])
    with pytest.raises(InputError, match=labelled[0].id):
        prmdata.export([labelled[1], broken], output=str(tmp_path / "dataset"), to=to)
    assert not (tmp_path / "dataset").exists()


def test_a_wrong_answer_with_no_wrong_step(labelled: list[Trace], tmp_path: Path) -> None:
    wrong = next(trace for trace in labelled if trace.correct is False)
    with pytest.raises(InputError, match="a wrong answer with no wrong step"):
        prmdata.export([replace(wrong, labels=Labels("x"))], output=str(tmp_path / "dataset"))


@pytest.mark.parametrize("first", [0.5, "1", [0, 1]])
def test_files_with_labels_of_another_type(
    first: object, labelled: list[Trace], tmp_path: Path
) -> None:
    broken = replace(labelled[0], labels=Labels("x", first))  # type: ignore[arg-type]
    (tmp_path / "t.jsonl").write_bytes(encode(broken) + b"\n")
    with pytest.raises(InputError, match="first_error"):
        list(prmdata.read(tmp_path / "t.jsonl"))


def test_soft_values_and_unknown_ones_never_become_labels(
    labelled: list[Trace], tmp_path: Path
) -> None:
    from prmdata.exports.stepwise import Stepwise

    trace = labelled[0]
    soft = (0.75, None, *(0.25,) * (len(trace.steps) - 2))
    valued = replace(trace, labels=Labels("x", len(trace.steps) - 1, soft))
    whole = {
        type(label)
        for form in (Stepwise(), Stepwise(threshold=0.5))
        for label in form.row(valued)["labels"]
    }
    assert whole == {int}
    assert Stepwise(threshold=0.5).row(valued)["labels"][:3] == [1, -100, 0]
