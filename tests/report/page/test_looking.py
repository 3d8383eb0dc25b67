"""The report as a person uses it: looked at, clicked and typed at, in a real browser."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from prmdata.files import write_traces
from prmdata.records import Step
from prmdata.stages.report import Reporting, run_report
from tests.report.page import cases

pytestmark = pytest.mark.browser


def written(*files: str, **options: object) -> str:
    run_report(Reporting(files or ("l.jsonl",), **options), "report.html", quiet=True)  # type: ignore[arg-type]
    return Path("report.html").resolve().as_uri()


@pytest.fixture
def labelled(own_place: None) -> list:
    found = cases.with_truth(cases.traces())
    write_traces("l.jsonl", found)
    return found


def text(browser, selector: str = "main") -> str:
    return browser.look(f"document.querySelector({json.dumps(selector)}).innerText")


def ids(browser) -> list[str]:
    rows = "[...document.querySelectorAll('.row')].map((e) => e.querySelector('.id')?.textContent)"
    browser.wait(f"{rows}.length && {rows}.every(Boolean)")
    found: list[str] = browser.look(rows)
    return found


def now(browser) -> str:
    return browser.wait("document.querySelector('#pane h1')?.textContent")


def test_the_first_screen_says_how_many_how_right_and_at_what_cost(browser, labelled) -> None:
    browser.open(written())
    shown = text(browser)
    assert "48 traces of 12 problems, labelled by posterior" in shown
    exact = sum(
        one.labels.first_error == one.evidence_named("people").first_wrong for one in labelled
    )
    assert f"{round(100 * exact / 48)}% of the labels name exactly the true first error" in shown
    assert browser.look("document.querySelectorAll('main svg.chart').length") == 3
    assert "arithmetic" in browser.look("document.querySelector('figure table').textContent")


def test_a_tile_leads_to_its_traces(browser, labelled) -> None:
    browser.open(written())
    browser.click("a.tile:nth-child(2)")
    browser.wait("document.querySelector('#count')?.textContent.startsWith('24 of 48')")
    assert "p0/0" in ids(browser)
    assert "p0/1" not in ids(browser)


def test_keys_walk_through_traces_and_steps(browser, labelled) -> None:
    browser.open(written() + "#/traces")
    for key, expected in (
        ("j", "p0/0"),
        ("j", "p0/1"),
        ("j", "p0/2"),
        ("k", "p0/1"),
        ("w", "p0/2"),
    ):
        browser.key(key)
        browser.wait(f"document.querySelector('#pane h1')?.textContent === '{expected}'")
    browser.key("n")
    browser.key("n")
    browser.key("n")
    browser.key("p")
    assert browser.wait("document.querySelector('.step.now .number')?.textContent") == "2"
    assert "step=2" in browser.look("location.hash")
    browser.key("Escape")
    browser.wait("!location.hash.includes('id=')")
    browser.key("?")
    assert "next, previous trace" in text(browser, "dialog")


def test_a_link_shows_the_same_trace_and_step_elsewhere(browser, labelled) -> None:
    link = written() + "#/traces?id=p3%2F2&row=14&step=4&sort=unsure&only=wrong"
    browser.open(link)
    assert now(browser) == "p3/2"
    assert browser.wait("document.querySelector('.step.now .number')?.textContent") == "4"
    assert browser.look("document.querySelector('#sort').value") == "unsure"
    browser.open(link.replace("row=14", "row=2"))  # the file was sorted meanwhile
    assert now(browser) == "p3/2"
    browser.open(link.replace("p3%2F2", "gone"))
    browser.wait("document.querySelector('#pane').innerText.includes('holds no trace gone')")


def test_the_search_finds_text_of_steps(browser, labelled) -> None:
    browser.open(written() + "#/traces")
    browser.key("/")
    browser.type("MARBLES 3 + 2")
    browser.wait("document.querySelector('#count')?.textContent.startsWith('3 of 48')")
    assert ids(browser) == ["p2/2", "p6/2", "p10/2"]


def test_chips_and_order(browser, labelled) -> None:
    browser.open(written() + "#/traces")
    browser.click("[data-chip=differs]")
    wrong = [t for t in labelled if t.labels.first_error != t.evidence_named("people").first_wrong]
    browser.wait(f"document.querySelector('#count')?.textContent.startsWith('{len(wrong)} of 48')")
    assert set(ids(browser)) <= {one.id for one in wrong}
    browser.look("document.querySelector('#sort').value = 'unsure'")
    browser.look("document.querySelector('#sort').dispatchEvent(new Event('change'))")
    first = min(wrong, key=lambda one: one.labels.confidence)
    browser.wait(
        f"document.querySelector('.row .numbers')?.textContent.startsWith('{100 * first.labels.confidence:.0f}%')"
    )


def test_a_trace_shows_belief_evidence_and_truth(browser, labelled) -> None:
    browser.open(written() + "#/traces?id=p2%2F0&row=8")
    shown = (now(browser), text(browser, "#pane"))[1]
    assert "first wrong step: 3, confidence 0.75 by posterior" in shown
    assert "1/2" in shown
    assert "2 + 2 is 4" in shown
    assert "step 3 is the first wrong one" in shown
    kinds = browser.look("[...document.querySelectorAll('#steps .step')].map((e) => e.className)")
    assert [kind.split()[1] for kind in kinds] == ["right", "right", "wrong", "after", "after"]
    width = browser.look("document.querySelector('#step-2 .fill').style.width")
    assert float(width.rstrip("%")) > 70


def test_raw_bytes_are_one_key_away(browser, own_place) -> None:
    one = cases.trace(0)
    write_traces(
        "l.jsonl", [replace(one, steps=(*one.steps[:4], type(one.steps[0])("so $\\frac{1}{2}$\n")))]
    )
    browser.open(written() + "#/traces?id=p0%2F0&row=0")
    now(browser)
    assert browser.look("document.querySelectorAll('#step-4 mfrac').length") == 1
    browser.key("r")
    assert "so $\\frac{1}{2}$⏎" in text(browser, "#step-4")


@pytest.mark.parametrize(
    ("width", "scheme"), [(1280, "light"), (1280, "dark"), (390, "light"), (320, "dark")]
)
def test_nothing_sticks_out_at_any_width(browser, labelled, width: int, scheme: str) -> None:
    browser.size(width, 844, phone=width < 600)
    browser.scheme(scheme)
    page = written()
    for place in (
        "#/",
        "#/traces",
        "#/traces?id=p2%2F0&row=8",
        "#/traces?id=p2%2F0&row=8&tab=siblings",
        "#/judge",
    ):
        browser.open(page + place)
        browser.wait("!document.querySelector('main > .loading')")
        assert browser.look("document.documentElement.scrollWidth - innerWidth") <= 0, place


def test_on_paper_there_is_the_trace_and_no_list(browser, labelled) -> None:
    browser.open(written() + "#/traces?id=p2%2F0&row=8")
    now(browser)
    browser.send("Emulation.setEmulatedMedia", media="print")
    seen = "document.querySelector('{}').checkVisibility()"
    assert browser.look(seen.format("#steps"))
    assert not browser.look(seen.format(".list"))
    assert not browser.look(seen.format(".bar"))
    assert browser.look(
        "document.querySelector('.pane').scrollHeight <= document.body.scrollHeight"
    )
    browser.send("Emulation.setEmulatedMedia", media="")


TEXTS = (
    "so ```py\nw1 = w2(w3)\n# w4 'w5'\n```\nw6 **w7** `w8` $w9_{10}$ \\(w11\\) $$w12$$ w13",
    '```\nw1\nw2 "w3\nw4\n',
    "w1\n```w2\nw3\n```\nw4\n```\nw5 w6 ``` w7\nw8",
    "$w1 costs $w2, **w3 ** w4`w5 `` w6 ```w7``` w8",
    "\\begin{align}w1\\end{align} $\\w2{w3}$ \\[w4\n\nw5\\] w6 $w7$8 \\$w9",
    "w1 <b>w2</b> &lt;w3&gt; [w4](w5) <!-- w6 --> w7",
)


def test_drawing_a_text_loses_no_word_of_it(browser, own_place) -> None:
    steps = tuple(Step(text, kind) for text in TEXTS for kind in ("thought", "code"))  # type: ignore[arg-type]
    one = cases.trace(0)
    write_traces("l.jsonl", [replace(one, steps=steps, evidence=(), labels=None)])
    browser.open(written() + "#/traces?id=p0%2F0&row=0")
    now(browser)
    shown = browser.look("[...document.querySelectorAll('#steps .text')].map((e) => e.textContent)")
    for step, text in zip(steps, shown, strict=True):
        missing = [
            word for word in re.findall(r"w\d+", step.text) if word not in "".join(text.split())
        ]
        assert missing == [], (step.text, text)


def test_a_step_that_acts_is_folded_with_what_answered_it(browser, own_place) -> None:
    call = {
        "id": "1",
        "type": "function",
        "function": {"name": "search", "arguments": '{"q": "w1"}'},
    }
    turn = (
        {"role": "assistant", "content": "think", "tool_calls": [call]},
        {"role": "tool", "content": "found w2"},
    )
    acting = Step('think <tool_call>{"q": "w1"}</tool_call>', "tool_call", messages=turn)
    alone = Step("w3", "tool_call", {"name": "python", "arguments": {"code": "w4"}}, "w5")
    one = cases.trace(0)
    write_traces("l.jsonl", [replace(one, steps=(acting, alone), evidence=(), labels=None)])
    browser.open(written() + "#/traces?id=p0%2F0&row=0")
    now(browser)
    heads = "[...document.querySelectorAll('{} summary b')].map((e) => e.textContent)"
    assert browser.look(heads.format("#step-0")) == ["calls search", "observes", "as written"]
    assert browser.look(heads.format("#step-1")) == ["calls python", "observes", "as written"]
    assert "w2" not in text(browser, "#step-0 .text > :last-child")
    browser.key("/")
    browser.type("FOUND W2")
    browser.wait("document.querySelector('#count')?.textContent === '1 trace'")


BOXES = """
(() => {
  const box = (selector) => { const r = document.querySelector(selector).getBoundingClientRect(); return [r.left, r.top, r.right, r.bottom].map(Math.round); };
  const cards = [...document.querySelectorAll("#steps .step")].map((e) => e.getBoundingClientRect());
  return { bar: box(".bar"), list: box(".list"), pane: box(".pane"), gutter: box("#step-2 .gutter"), text: box("#step-2 .text"), belief: box("#step-2 .belief"),
    apart: cards.every((r, i) => !i || r.top >= cards[i - 1].bottom), rows: [...document.querySelectorAll(".row")].map((e) => e.getBoundingClientRect().height) };
})()
"""


def test_the_layout_on_a_desk_and_on_a_phone(browser, labelled) -> None:
    place = written() + "#/traces?id=p2%2F0&row=8"
    browser.open(place)
    now(browser)
    at = browser.look(BOXES)
    assert at["bar"][:3] == [0, 0, 1280]
    assert (at["list"][0], at["pane"][2], at["pane"][3]) == (0, 1280, 900)
    assert at["list"][2] == at["pane"][0]
    assert (
        at["gutter"][2] < at["text"][0] < at["text"][2] < at["belief"][0] < at["belief"][2] <= 1280
    )
    assert at["apart"]
    assert set(at["rows"]) == {64}
    browser.size(390, 844, phone=True)
    browser.open(place)
    now(browser)
    at = browser.look(BOXES)
    assert at["list"] == [0, 0, 0, 0]
    assert at["gutter"][2] < at["text"][0] < at["text"][2] <= 390
    assert at["belief"][1] >= at["text"][3]
    assert at["apart"]
