"""Judging in the page: what is downloaded is what `audit` would have written."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path

import pytest

from prmdata.audit.ledger import Answer, Ledger
from prmdata.files import read_traces, write_traces
from prmdata.report.score import score
from prmdata.stages.report import Reporting, run_report
from prmdata.truth import truths
from tests.report.page import cases

pytestmark = pytest.mark.browser


@pytest.fixture
def opened(browser, own_place):
    write_traces("l.jsonl", cases.traces(6, 2))
    run_report(Reporting(["l.jsonl"], judged=5), "report.html", quiet=True)
    browser.open(Path("report.html").resolve().as_uri() + "#/judge")
    browser.look("localStorage.clear()")
    browser.open(Path("report.html").resolve().as_uri() + "#/judge")
    return browser


def press(browser, keys: str) -> None:
    """Each key when the page has drawn what the one before it did."""
    for key in keys:
        before = browser.look("window.drawn = document.querySelector('#judge').firstChild, 1")
        assert before == 1
        browser.key(key)
        browser.wait("document.querySelector('#judge').firstChild !== window.drawn")


def downloaded(browser) -> Path:
    browser.click("#download")
    file = browser.downloads / "truth.jsonl"
    for _ in range(200):
        if file.exists():
            break
        time.sleep(0.05)
    return file


def test_the_answers_are_scored_and_read_by_audit(opened) -> None:
    assert "by posterior" not in opened.look("document.querySelector('#judge').innerText")
    press(opened, "112" + "11111" + "s" + "13")  # the fourth is not finished
    assert "3 of 5 judged" in opened.look("document.querySelector('#judge').innerText")
    file = downloaded(opened)
    judged = list(read_traces(str(file)))
    assert [t.evidence[0].stopping for t in judged] == ["step 3", "no step is wrong", "skipped"]
    assert judged[0].evidence[0].verdicts == ("right", "right", "wrong", None, None)
    by_id = {t.id: t for t in read_traces("l.jsonl")}
    for one in judged:
        whole = by_id[one.id]
        assert replace(one, evidence=whole.evidence, labels=whole.labels) == whole
    found = [by_id[t.id] for t in judged]
    figures = score(found, truths(str(file)))
    assert (figures["traces"], figures["truth_unknown"]) == (2, 1)
    ledger = Ledger(str(file))
    assert [ledger.of(t) for t in judged] == [Answer(2), Answer(), Answer(skipped=True)]


def test_answers_outlive_the_page_and_can_be_taken_back(opened) -> None:
    press(opened, "12" + "1")
    opened.look("document.documentElement.dataset.ready = 'before'; location.reload()")
    opened.wait("document.documentElement.dataset.ready === 'yes'")
    opened.wait("document.querySelector('#judge')?.innerText.includes('1 of 5 judged')")
    assert opened.look("document.querySelectorAll('#judge .step.right').length") == 1
    press(opened, "bb")
    assert opened.look("document.querySelector('#judge').innerText").count("0 of 5 judged") == 1


def test_what_cannot_be_told_leaves_the_first_error_open(opened) -> None:
    press(opened, "31111")
    (judged,) = read_traces(str(downloaded(opened)))
    assert judged.evidence[0].verdicts == ("unknown", *["right"] * 4)
    assert Ledger(str(opened.downloads / "truth.jsonl")).of(judged) == Answer(skipped=True)


def test_two_people_are_compared(opened) -> None:
    press(opened, "112" + "11111" + "2")
    lines = [json.loads(line) for line in downloaded(opened).read_text().splitlines()]
    other = lines[0]["evidence"][0]
    other["verdicts"] = ["right", "wrong", None, None, None]
    text = "\n".join(json.dumps(line) for line in lines) + "\nbroken"
    opened.look(
        f"""(() => {{
          const files = new DataTransfer();
          files.items.add(new File([{json.dumps(text)}], "theirs.jsonl"));
          const input = document.querySelector("#judge input[type=file]");
          input.files = files.files;
          input.dispatchEvent(new Event("change"));
        }})()"""
    )
    told = opened.wait("document.querySelector('#agreement')?.textContent")
    assert "the first error is the same for 2 (67%)" in told
    assert "over 8 steps, Cohen's kappa is 0.60" in told
    assert "1 line could not be read" in told
