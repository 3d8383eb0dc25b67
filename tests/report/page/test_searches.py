"""The search replayed, siblings as a tree, and files side by side, in a real browser."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from prmdata.files import write_traces
from prmdata.records import Labels, Round, Step
from prmdata.stages.report import Reporting, run_report
from tests.report.page import cases

pytestmark = pytest.mark.browser


def opened(browser, *files: str, place: str = "#/") -> None:
    run_report(Reporting(files), "report.html", quiet=True)
    browser.open(Path("report.html").resolve().as_uri() + place)


def bars(browser) -> list[str]:
    return browser.look("[...document.querySelectorAll('#steps .share')].map((e) => e.textContent)")


@pytest.fixture
def searched(own_place: None) -> None:
    one = cases.trace(2)
    rounds = (
        Round((200, 200, 200, 200, 200, 0), (2, 2), (2, 3), "hm"),
        Round((0, 50, 500, 400, 50, 0), (3,), (3,), "s"),
    )
    evidence = tuple(
        replace(e, search=rounds) if e.name == "posterior" else e for e in one.evidence
    )
    write_traces("l.jsonl", [replace(one, evidence=evidence)])


def test_arrows_move_the_belief_through_the_search(browser, searched) -> None:
    opened(browser, "l.jsonl", place="#/traces?id=p2%2F0&row=0&tab=replay")
    browser.wait(
        "document.querySelector('#when')?.textContent === 'after round 2 of 2, 3 rollouts'"
    )
    assert bars(browser)[2] == "80%"
    browser.key("ArrowLeft")
    assert browser.wait("document.querySelector('#when').textContent.startsWith('after round 1')")
    assert bars(browser) == ["", "5%", "50%", "40%", "5%"]
    browser.key("ArrowLeft")
    browser.key("ArrowLeft")
    assert (
        browser.look("document.querySelector('#when').textContent")
        == "before any rollout, 0 rollouts"
    )
    assert bars(browser) == ["20%"] * 5
    browser.key("ArrowRight")
    assert bars(browser)[2] == "50%"


def test_a_probe_tells_where_it_began_and_how_it_ended(browser, searched) -> None:
    opened(browser, "l.jsonl", place="#/traces?id=p2%2F0&row=0&tab=replay")
    browser.wait("document.querySelectorAll('.probe').length === 3")
    browser.click(".probe.same circle")
    told = browser.wait("document.querySelector('#probe .rollout')?.textContent")
    assert "From after step 3: ends wrong with the trace's own answer" in told
    assert "--rollouts STORE" in told
    stems = browser.look("document.querySelectorAll('.probe .stem').length")
    assert stems == 1  # the second rollout wrote step 3 again


def test_the_order_of_a_bisection_follows_from_its_rule(browser, own_place) -> None:
    one = cases.trace(0, first=2, steps=8)
    hits = {4: (0, 4), 2: (3, 4), 3: (0, 4)}
    own = replace(
        one.evidence[0],
        name="bisect",
        values=(None,) * 8,
        hits=tuple(hits[i][0] if i in hits else None for i in range(1, 9)),
        rollouts=tuple(hits[i][1] if i in hits else None for i in range(1, 9)),
    )
    write_traces(
        "l.jsonl", [replace(one, evidence=(own,), labels=replace(one.labels, by="bisect"))]
    )
    opened(browser, "l.jsonl", place="#/traces?id=p0%2F0&row=0&tab=replay")
    titles = "[...document.querySelectorAll('.probe title')].map((e) => e.textContent)"
    found = browser.wait(f"{titles}.length && {titles}")
    assert [text.split(":")[1] for text in found[::4]] == [
        f" from after step {n}" for n in (4, 2, 3)
    ]


def test_siblings_share_the_cells_of_what_they_share(browser, own_place) -> None:
    one = cases.trace(0)
    other = replace(one, id="p0/1", steps=(*one.steps[:3], Step("else\n"), one.steps[4]))
    alike = replace(one, id="p0/2")
    write_traces("l.jsonl", [one, other, alike, cases.trace(1)])
    opened(browser, "l.jsonl", place="#/traces?id=p0%2F1&row=1&tab=siblings")
    browser.wait("document.querySelectorAll('.tree .cell').length === 7")
    assert browser.look("document.querySelectorAll('.tree .leaf').length") == 3
    assert browser.look("document.querySelectorAll('.tree .cell.own').length") == 5
    browser.click(".tree .leaf:not(.own)")
    browser.wait("document.querySelector('#pane h1')?.textContent !== 'p0/1'")


def test_two_files_are_compared_with_the_truth(browser, own_place) -> None:
    found = cases.with_truth(cases.traces(10, 2))
    zero = Labels("bisect", 0, (0.0,) * 5)
    write_traces("a.jsonl", found)
    write_traces("b.jsonl", [replace(one, labels=zero) for one in found])
    opened(browser, "a.jsonl", "b.jsonl")
    cells = browser.wait("[...document.querySelectorAll('.compare td')].map((e) => e.textContent)")
    differ = [t for t in found if t.labels.first_error != 0]
    right = [t.evidence_named("people").first_wrong for t in differ]
    first = sum(t.labels.first_error == truth for t, truth in zip(differ, right, strict=True))
    assert cells[:3] == ["20", str(len(differ)), f"{first} ({100 * first / len(differ):.0f}%)"]
    browser.click(".compare a")
    browser.wait(f"document.querySelector('#count')?.textContent.startsWith('{len(differ)} of 20')")
    browser.key("j")
    rows = "[...document.querySelectorAll('.head tbody tr')].map((e) => e.innerText)"
    shown = browser.wait(f"{rows}.length && {rows}")
    assert "posterior" in shown[0]
    assert "bisect" in shown[1]


CONTRAST = """
(() => {
  const parse = (text) => {
    const parts = text.match(/[\\d.]+/g).map(Number);
    return text.startsWith("color(srgb") ? [...parts.slice(0, 3).map((p) => p * 255), parts[3] ?? 1] : [...parts.slice(0, 3), parts[3] ?? 1];
  };
  const light = ([r, g, b]) => [r, g, b].map((c) => c / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = (node) => {
    for (; node; node = node.parentElement) {
      const colour = getComputedStyle(node).backgroundColor;
      if (!colour.startsWith("okl") && parse(colour)[3] > 0.99) return parse(colour);
    }
    return [255, 255, 255, 1];
  };
  const poor = new Set();
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  let texts = 0;
  for (let node = walk.nextNode(); node; node = walk.nextNode()) {
    const own = node.parentElement;
    if (!node.data.trim() || !own.checkVisibility() || own.closest("script, style, noscript, .away, svg, .cell")) continue;
    texts++;
    const style = getComputedStyle(own);
    const [a, b] = [light(parse(style.color)), light(ground(own))].sort((x, y) => y - x);
    const large = parseFloat(style.fontSize) >= 24 || (parseFloat(style.fontSize) >= 18.66 && style.fontWeight >= 700);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < (large ? 3 : 4.5)) poor.add(`${own.className || own.localName} ${ratio.toFixed(2)}`);
  }
  const nameless = [...document.querySelectorAll("button, a[href], input, select, [role=img], [role=region]")]
    .filter((e) => e.checkVisibility() && !(e.textContent.trim() || e.ariaLabel || e.labels?.length)).map((e) => e.outerHTML.slice(0, 80));
  return { texts: texts > 10, poor: [...poor], nameless };
})()
"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_has_contrast_and_controls_have_names(browser, own_place, scheme: str) -> None:
    write_traces("l.jsonl", cases.with_truth(cases.traces(6, 2)))
    browser.scheme(scheme)
    for place in ("#/", "#/traces?id=p2%2F0&row=4", "#/judge"):
        opened(browser, "l.jsonl", place=place)
        browser.wait("document.querySelector('main h1') !== null")
        assert browser.look(CONTRAST) == {"texts": True, "poor": [], "nameless": []}, place
