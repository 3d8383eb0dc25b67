"""Text that means harm, in a real browser: nothing of it runs, and nothing sticks out."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from prmdata.files import write_traces
from prmdata.stages.report import Reporting, run_report
from tests.report.page import cases

pytestmark = pytest.mark.browser

A_TRACE = 11
"""Strings in each trace."""
STRINGS = int(os.environ.get("PRMDATA_HOSTILE_STRINGS", "1100"))

WALK = """
(async () => {
  const frame = () => new Promise((done) => requestAnimationFrame(done));
  const found = { seen: 0, broken: [], markup: [] };
  const own = new Set(TAGS);
  for (let row = FIRST; row < LAST; row++) {
    const before = document.querySelector("#pane h1");
    location.hash = `#/traces?id=${encodeURIComponent(IDS[row])}&row=${row}&tab=${TAB}`;
    for (let i = 0; i < 400 && (document.querySelector("#pane h1") ?? before) === before; i++) await frame();
    for (let i = 0; i < 400 && TAB === "siblings" && !document.querySelector(".tree"); i++) await frame();
    found.seen += document.querySelector("#pane h1")?.textContent.startsWith(`h${row}/`) ?? 0;
    if (document.documentElement.scrollWidth > innerWidth) found.broken.push([row, "page"]);
    const pane = document.querySelector("#pane").getBoundingClientRect();
    for (const part of document.querySelectorAll("#pane .step, #pane .head, #pane .question, #pane .chip")) {
      const box = part.getBoundingClientRect();
      if (box.right > pane.right + 1 || box.left < pane.left - 1) found.broken.push([row, part.className]);
    }
    for (const node of document.body.querySelectorAll("*")) {
      if (!own.has(node.localName)) found.markup.push([row, node.localName]);
      for (const { name } of node.attributes) if (name.startsWith("on") || name === "src" || name === "srcdoc") found.markup.push([row, name]);
      if (node.localName === "a" && node.hasAttribute("href") && !node.getAttribute("href").startsWith("#")) found.markup.push([row, node.getAttribute("href")]);
    }
  }
  found.executed = window.executed ?? 0;
  return found;
})()
"""
TAGS = ["a", "aside", "b", "bdi", "button", "code", "details", "div", "h1", "h2", "h3", "header", "i", "input", "kbd", "li", "main", "math", "mfrac", "mi", "mn", "mo", "mover", "mroot", "mrow", "mspace", "msqrt", "msub", "msubsup", "msup", "mtable", "mtd", "mtext", "mtr", "munder", "munderover", "nav", "noscript", "ol", "option", "p", "pre", "script", "section", "select", "span", "strong", "summary", "table", "tbody", "td", "th", "thead", "tr", "ul", "svg", "rect", "line", "text", "circle", "g", "title", "path", "caption"]  # fmt: skip


def walked(browser, ids: list[str], first: int, last: int, tab: str = "steps") -> dict:
    values = {"TAGS": TAGS, "IDS": ids, "FIRST": first, "LAST": last, "TAB": tab}
    script = WALK
    for name, value in values.items():
        script = script.replace(name, json.dumps(value))
    return browser.look(script)


@pytest.fixture(scope="module")
def ids(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, list[str]]:
    folder = tmp_path_factory.mktemp("hostile")
    strings = cases.hostile(STRINGS)
    parts = [strings[i : i + A_TRACE] for i in range(0, len(strings) - A_TRACE + 1, A_TRACE)]
    made = [cases.hostile_trace(part, number) for number, part in enumerate(parts)]
    file = str(folder / "h<b>.jsonl")
    write_traces(file, made)
    run_report(Reporting([file]), str(folder / "report.html"), quiet=True)
    return Path(folder / "report.html").as_uri(), [one.id for one in made]


def calm(found: dict, count: int) -> None:
    assert found == {"seen": count, "broken": [], "markup": [], "executed": 0}


@pytest.mark.parametrize("tab", ["steps", "siblings", "raw"])
def test_hostile_text_is_shown_and_does_nothing(browser, ids, tab: str) -> None:
    address, names = ids
    browser.open(address + "#/traces")
    last = len(names) if tab == "steps" else min(len(names), 60)
    for first in range(0, last, 50):
        upto = min(first + 50, last)
        calm(walked(browser, names, first, upto, tab), upto - first)


def test_hostile_text_on_a_phone(browser, ids) -> None:
    address, names = ids
    browser.size(360, 740, phone=True)
    browser.open(address + "#/traces")
    calm(walked(browser, names, 0, 60), 60)


def test_hostile_names_on_the_first_screen_and_while_judging(browser, ids) -> None:
    address, _ = ids
    for place in ("#/", "#/judge"):
        browser.open(address + place)
        browser.wait("document.querySelector('main h1') !== null")
        assert browser.look("document.documentElement.scrollWidth - innerWidth") <= 0
        assert browser.look("window.executed ?? 0") == 0
    assert "h<b>.jsonl" in browser.look("document.title")


def test_the_policy_stops_what_a_hole_would_let_in(browser, ids) -> None:
    """Were markup ever interpreted, its scripts and requests would still be refused."""
    browser.open(ids[0])
    browser.look(
        "document.body.insertAdjacentHTML('beforeend', `<img src=x onerror='window.executed = 1'>"
        "<script>window.executed = 1</scr` + `ipt><iframe srcdoc='<script>parent.executed = 1</scr` + `ipt>'></iframe>"
        "<style>body { display: none }</style>`)"
    )
    assert (
        browser.look("fetch('http://127.0.0.1:9/').then(() => 'sent', () => 'refused')")
        == "refused"
    )
    assert browser.look("window.executed ?? 0") == 0
    assert browser.look("getComputedStyle(document.body).display") != "none"
    assert any("Content Security Policy" in told for told in browser.complaints)
    browser.complaints.clear()
