from __future__ import annotations

from prmdata.dataset.wording import runs, words


def test_layout_case_and_punctuation_make_no_difference() -> None:
    assert words("What's  2+2,\nＡda?") == ["what", "s", "2", "2", "ada"]
    assert words("小明有3个苹果abc") == ["小", "明", "有", "3", "个", "苹", "果", "abc"]
    assert words(" ?! ") == ["?!"]


def test_runs_cover_a_text() -> None:
    assert list(runs(["a", "b", "c", "d"], 3)) == ["a b c", "b c d"]
    assert list(runs(["a", "b", "c"], 3)) == ["a b c"]
    assert list(runs(["a", "b"], 3)) == ["a b"]
