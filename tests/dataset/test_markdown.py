"""Names and prompts of others in a card: a reader of Markdown shows them as they stand."""

from __future__ import annotations

import re

import pytest

from prmdata.dataset.markdown import LONGEST, code, escaped

HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "![x](http://evil/x.png)",
    "[click](javascript:alert(1))",
    "</code><b>bold",
    "a | b | c",
    "x\n\n# Heading",
    "x\n---\nlicense: mit",
    "`code` and ``more``",
    "http://evil.example and www.evil.example and mail@evil.example",
    "@everyone *stars* __under__ ~~gone~~",
    "&lt;b&gt; &#60;",
    "$$x$$ \\(y\\)",
    "{{ template }}",
    "\x1b[31mred\u202e",
    "<!-- hidden",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_no_mark_of_others_is_left_bare(text: str) -> None:
    shown = escaped(text)
    assert "\n" not in shown
    assert not re.search(r"(?<!\\)(?:\\\\)*[`*_{}\[\]<>#|~&@:!$()]", shown)
    assert not re.search("[\x00-\x1f\u202e]", shown)
    assert "www." not in shown
    assert (
        re.sub(r"\\(.)", r"\1", shown).replace(" ", "")[:5]
        == "".join("␛" if c == "\x1b" else c for c in text if not c.isspace())[:5]
    )


@pytest.mark.parametrize("text", [*HOSTILE, "`", "``", "", "` `` ```"])
def test_no_code_ends_before_its_fence(text: str) -> None:
    shown = code(text)
    fence = re.match("`+", shown)
    assert fence is not None
    inside = shown[len(fence[0]) : -len(fence[0])]
    assert shown.endswith(fence[0])
    assert not re.search(f"(?<!`){fence[0]}(?!`)", inside)
    assert "|" not in inside
    assert "\n" not in inside


def test_a_long_text_is_cut() -> None:
    assert len(escaped("a" * 10**7)) == LONGEST
    assert len(code("a" * 10**7)) == LONGEST + 2
