"""What goes into a report: joined files, figures, what could not be read. No browser is needed."""

from __future__ import annotations

import base64
import json
import re
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from prmdata.audit.ledger import Draw, draw
from prmdata.errors import InputError, UsageError
from prmdata.files import write_traces
from prmdata.records import Labels
from prmdata.report.page import claims
from prmdata.report.page.gathering import Gathering
from prmdata.report.page.writing import facts, page
from prmdata.report.score import score
from prmdata.stages.report import Reporting, run_report
from prmdata.truth import truth_of, truths
from tests.report.page import cases


def gathered(*files: str, truth: str = "evidence", judged: int = 50) -> Gathering:
    gathering = Gathering(truths(truth), Draw(judged), len(files) > 1)
    for file in files:
        gathering.read(file)
    gathering.finish()
    gathering.close()
    return gathering


def block(html: str, name: str) -> dict:
    found = re.search(
        rf'<script type="application/json" id="{name}">(.*?)</script>', html, re.DOTALL
    )
    assert found is not None
    return json.loads(found[1])


def test_every_record_is_in_the_page_as_it_was(own_place) -> None:
    found = cases.with_truth(cases.traces(30, 4))
    write_traces("l.jsonl", found)
    run_report(Reporting(["l.jsonl"]), "report.html", quiet=True)
    packed = block(Path("report.html").read_text(), "packed")
    records = [
        record["trace"]
        for chunk in packed["records"][0]
        for record in json.loads(zlib.decompress(base64.b64decode(chunk)))
    ]
    assert records == [json.loads(line) for line in Path("l.jsonl").read_text().splitlines()]


def test_the_first_screen_has_the_figures_of_score(own_place) -> None:
    found = cases.with_truth(cases.traces(20, 3))
    write_traces("l.jsonl", found)
    shown = facts(gathered("l.jsonl"))["files"][0]
    figures = score(found, lambda trace: truth_of(trace, "evidence"))
    for name in ("exact", "exact_on_erroneous", "exact_on_correct", "f1", "tokens_per_trace"):
        assert shown["score"][name] == figures[name]
    assert shown["score"]["calibration_error"] == figures["ece"]
    low, high = shown["score"]["exact_interval"]
    assert low < figures["exact"] < high
    assert sum(shown["places"]) == sum(t.labels.first_error is not None for t in found)
    assert [method["name"] for method in shown["methods"]] == ["posterior", "arithmetic"]


def test_evidence_is_read_as_a_first_error_only_where_it_names_one() -> None:
    one = cases.trace(0)
    assert claims.of_trace(one) == {"label: posterior": 2, "arithmetic": 2}
    silent = replace(one.evidence[1], verdicts=("unknown",) * 5)
    assert claims.of_evidence(one, silent) == claims.SILENT
    some = replace(one.evidence[0], values=(None, 0.5, None, None, None))
    assert claims.of_evidence(one, some) == claims.SILENT
    every = replace(one.evidence[0], values=(1.0, 0.5, 0.2, 0.0, 0.0))
    assert claims.of_evidence(one, every) == 3
    assert claims.disagreement({"a": 1, "b": 1, "c": 2}) == pytest.approx(2 / 3)


def test_a_tool_contradicts_where_it_is_sure_of_an_earlier_step() -> None:
    one = cases.trace(0)
    assert not claims.tool_contradicts(one)
    early = replace(one.evidence[1], verdicts=("wrong", *["unknown"] * 4))
    assert claims.tool_contradicts(replace(one, evidence=(early,)))
    right = replace(one, labels=Labels("posterior", None, (1.0,) * 5))
    assert claims.tool_contradicts(right)


def test_files_are_joined_by_what_traces_say(own_place) -> None:
    found = cases.with_truth(cases.traces(10, 2))
    other = [
        replace(one, id=f"other-{i}", labels=Labels("bisect", 0, (0.0,) * 5))
        for i, one in enumerate(reversed(found))
    ]
    write_traces("a.jsonl", found)
    write_traces("b.jsonl", [*other, cases.trace(99)])
    gathering = gathered("a.jsonl", "b.jsonl")
    assert gathering.rows == 21
    columns = {name: np.array(column) for name, column in gathering.columns().items()}
    assert columns["record1"][:20].tolist() == list(range(20))[::-1]
    assert columns["record0"][20] == -1
    differ = (columns["flags"] & 4096) != 0
    assert differ.tolist() == [t.labels.first_error != 0 for t in found] + [False]


def test_the_same_text_twice_in_a_file_is_two_rows(own_place) -> None:
    one = cases.trace(0)
    write_traces("a.jsonl", [one, replace(one, id="again")])
    write_traces("b.jsonl", [one, replace(one, id="again"), replace(one, id="third")])
    gathering = gathered("a.jsonl", "b.jsonl")
    assert gathering.rows == 3
    assert list(gathering.sources[1].record) == [0, 1, 2]


def test_the_sample_is_the_one_that_audit_draws(own_place) -> None:
    found = cases.traces(30, 4)
    write_traces("l.jsonl", found)
    rows = facts(gathered("l.jsonl", judged=20))["sample"]
    assert [found[row].id for row in rows] == [one.id for one in draw(found, 20, 0, "all")]


def test_no_text_of_a_trace_stands_in_the_page_unpacked(own_place) -> None:
    bad = "</script><script>alert(1)</script>"
    one = cases.trace(0)
    labels = Labels(bad, 1, (1.0, 0.0, 0.0, 0.0, 0.0))
    write_traces(f"{bad[:9].replace('/', '_')}.jsonl", [replace(one, id=bad, labels=labels)])
    run_report(Reporting(["<_script>.jsonl"]), "report.html", quiet=True)
    html = Path("report.html").read_text()
    assert "alert(1)" not in html.replace("\\u003cscript>alert(1)", "")
    assert html.count("<script") == 3
    assert block(html, "facts")["files"][0]["counts"]["labelled by"] == {bad: 1}


def test_without_labels_it_shows_the_traces(own_place, capsys) -> None:
    write_traces("t.jsonl", [replace(one, labels=None, evidence=()) for one in cases.traces(3, 2)])
    run_report(Reporting(["t.jsonl"]), "report.html")
    told = capsys.readouterr().err
    assert "t.jsonl carries no labels; the report shows its traces" in told
    assert "6 traces of 3 problems → report.html" in told


def test_what_cannot_be_read_is_said(own_place, capsys) -> None:
    write_traces("t.jsonl", cases.traces(3, 2))
    with Path("t.jsonl").open("a") as file:
        file.write('{"id": "broken\n{"id": 7}\n{"id": "p9/0", "prob')
    run_report(Reporting(["t.jsonl"]), "report.html")
    told = capsys.readouterr().err
    assert "t.jsonl:7: not JSON" in told
    assert "(and 2 more)" in told
    shown = block(Path("report.html").read_text(), "facts")["files"][0]
    assert shown["unreadable"] == 3
    assert shown["records"] == 6


def test_a_file_of_a_pipe_that_was_cut_is_said_to_be(own_place, capsys) -> None:
    write_traces("t.jsonl", [replace(one, stream="more") for one in cases.traces(3, 2)])
    run_report(Reporting(["t.jsonl"]), "report.html")
    assert "ends without the end mark" in capsys.readouterr().err
    assert "end mark" in block(Path("report.html").read_text(), "facts")["files"][0]["cut"]


def test_files_of_different_traces_are_said_to_be(own_place, capsys) -> None:
    write_traces("a.jsonl", cases.traces(3, 2))
    write_traces("b.jsonl", [cases.trace(8), cases.trace(9)])
    run_report(Reporting(["a.jsonl", "b.jsonl"]), "report.html")
    assert "the files have no trace in common" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "is empty"),
        ("{oops\n", "not JSON"),
        ('{"trace_id": "a", "prompt": "b"}\n', "exported dataset"),
    ],
)
def test_nothing_to_show_is_an_error(own_place, content: str, says: str) -> None:
    Path("t.jsonl").write_text(content)
    with pytest.raises(InputError, match=says):
        run_report(Reporting(["t.jsonl"]), "report.html")
    assert not Path("report.html").exists()


def test_only_a_report_is_replaced(own_place) -> None:
    write_traces("t.jsonl", cases.traces(2, 2))
    with pytest.raises(UsageError, match="is no report of prmdata"):
        run_report(Reporting(["t.jsonl"]), "t.jsonl")
    run_report(Reporting(["t.jsonl"]), "r.html", quiet=True)
    run_report(Reporting(["t.jsonl"]), "r.html", quiet=True)
    Path("folder").mkdir()
    with pytest.raises(UsageError, match="is a folder"):
        run_report(Reporting(["t.jsonl"]), "folder")


def test_the_same_files_make_the_same_page(own_place) -> None:
    write_traces("t.jsonl", cases.traces(5, 2))
    pages = []
    for _ in range(2):
        gathering = Gathering(truths("evidence"), Draw(50))
        gathering.read("t.jsonl")
        gathering.finish()
        pages.append(page(gathering))
        gathering.close()
    assert pages[0] == pages[1]
