"""The draw against counts by hand; the truth file under kills, second thoughts and other files."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from prmdata.audit.asking import read
from prmdata.audit.ledger import Answer, Ledger, agreement, agreement_lines, default_output, draw
from prmdata.errors import InputError, UsageError
from prmdata.files import Unreadable, read_traces, write_traces
from prmdata.records import Evidence, Labels, Problem, Step, Trace
from prmdata.report.score import score
from prmdata.terminal import visible
from prmdata.truth import truths


def trace(number: int, *, correct: bool | None = False, said: int | None = 1) -> Trace:
    steps = tuple(Step(f"{number}.{i}\n") for i in range(4))
    labels = Labels("m", said, values=(1.0, 0.0, 0.0, 0.0))
    problem = Problem(f"p{number}", f"{number}?", "7")
    return Trace(f"p{number}/0", problem, steps, "8", correct, labels=labels)


def many(wrong: int, right: int, unknown: int = 0) -> list[Trace]:
    ends = [False] * wrong + [True] * right + [None] * unknown
    return [trace(i, correct=end) for i, end in enumerate(ends)]


def test_every_ending_has_its_share_at_every_length() -> None:
    found = many(600, 300, 100)
    for n in (10, 50, 100):
        ends = Counter(t.correct for t in draw(found, n, 0, "all"))
        assert (ends[False], ends[True], ends[None]) == (0.6 * n, 0.3 * n, 0.1 * n)
    small = draw(found, 20, 5, "all")
    assert [t.id for t in draw(reversed(found), 100, 5, "all")][:20] == [t.id for t in small]
    assert {t.id for t in draw(found, 20, 6, "all")} != {t.id for t in small}


def test_each_trace_is_as_likely_as_any_other() -> None:
    found = many(12, 4)
    drawn = Counter(t.id for seed in range(400) for t in draw(found, 4, seed, "all"))
    assert len(drawn) == 16
    assert all(70 < times < 130 for times in drawn.values()), drawn  # 100 ± 4 deviations


def test_what_is_drawn_can_be_judged_and_only_once() -> None:
    found = many(3, 2)
    once = draw(found, 4, 0, "all")
    found = [replace(t, id=f"{t.id}{more}") for t in found for more in ("", "-again", "-more")]
    assert draw(found, 4, 0, "all") == once
    found += [replace(trace(8), error="lost"), replace(trace(9), steps=())]
    for only, count in (("all", 5), ("wrong", 3), ("right", 2)):
        drawn = draw(found, 100, 0, only)
        assert len(drawn) == count
        assert len({t.text for t in drawn}) == count
    with pytest.raises(InputError, match="line 3"):
        draw([Unreadable("f:3", "line 3")], 5, 0, "all")


def test_answers_are_the_truth_that_score_reads() -> None:
    found = [trace(0), trace(1), trace(2, said=None), trace(3), trace(4)]
    write_traces("l.jsonl", found)
    ledger = Ledger("truth.jsonl")
    for one, answer in zip(found, [Answer(1), Answer(2), Answer(), Answer(skipped=True)]):  # noqa: B905
        ledger.keep(one, answer)
    figures = score(read_traces("l.jsonl"), truths("truth.jsonl"))
    assert (figures["traces"], figures["truth_unknown"]) == (3, 2)
    assert figures["exact"] == pytest.approx(2 / 3, abs=1e-6)
    assert figures["exact_on_erroneous"] == 0.5
    counts = agreement(found, ledger)
    one, two, three = (t.problem.id for t in found[:3])
    assert counts["with a wrong step"] == {one: (1, 1), two: (0, 1)}
    assert counts["without one"] == {three: (1, 1)}
    assert counts["all"] == {one: (1, 1), two: (0, 1), three: (1, 1)}
    # Wilson's interval of 2 in 3, by its formula: 0.2077 to 0.9385
    assert "2 of 3 exact, 67% (95 % interval 21% to 94%)" in agreement_lines(counts)[0]


def test_nothing_of_the_labels_stands_in_the_truth_file() -> None:
    judged = trace(0).with_evidence(Evidence("mc", "rollouts", values=(1.0, 0.5, 0.0, 0.0)))
    Ledger("truth.jsonl").keep(judged, Answer(2))
    (record,) = read_traces("truth.jsonl")
    assert isinstance(record, Trace)
    assert record.labels is None
    assert [e.name for e in record.evidence] == ["audit"]
    assert record.evidence[0].verdicts == ("right", "right", "wrong", None)


def test_the_last_answer_counts_also_when_it_takes_one_back() -> None:
    ledger = Ledger("truth.jsonl")
    for answer in (Answer(1), Answer(3)):
        ledger.keep(trace(0), answer)
    for answer in (Answer(1), Answer(skipped=True)):
        ledger.keep(trace(1), answer)
    again = Ledger("truth.jsonl")
    assert again.of(trace(0)) == Answer(3)
    assert again.of(trace(1)) == Answer(skipped=True)
    figures = score([trace(0, said=3), trace(1)], truths("truth.jsonl"))
    assert (figures["traces"], figures["exact"]) == (1, 1.0)


def test_a_torn_end_is_cut_and_its_question_asked_again() -> None:
    ledger = Ledger("truth.jsonl")
    for number in range(3):
        ledger.keep(trace(number), Answer(0))
    path = Path("truth.jsonl")
    path.write_bytes(path.read_bytes()[:-20])
    again = Ledger("truth.jsonl")
    assert [again.of(trace(n)) for n in range(3)] == [Answer(0), Answer(0), None]
    again.keep(trace(2), Answer(3))
    assert [t.id for t in read_traces("truth.jsonl")] == ["p0/0", "p1/0", "p2/0"]  # type: ignore[union-attr]


def test_files_that_are_not_ours_are_left_alone() -> None:
    write_traces("l.jsonl", many(1, 1))
    before = Path("l.jsonl").read_bytes()
    with pytest.raises(UsageError, match="line 1 is no answer"):
        Ledger("l.jsonl")
    assert Path("l.jsonl").read_bytes() == before
    for name in ("t.parquet", "t.jsonl.zst", "s3://b/t.jsonl"):
        with pytest.raises(UsageError, match=r"\*\.jsonl"):
            Ledger(name)


@pytest.mark.parametrize(
    ("source", "made"),
    [
        ("a/l.jsonl.zst", "a/l.truth.jsonl"),
        ("parts/", "parts.truth.jsonl"),
        ("s3://bucket/l.parquet", "l.truth.jsonl"),
    ],
)
def test_the_truth_file_is_named_after_the_traces(source: str, made: str) -> None:
    assert default_output(source) == made


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("3\n", Answer(2)),
        (" 0 ", Answer()),
        ("None", Answer()),
        ("S", Answer(skipped=True)),
        ("b", "back"),
        ("q", "quit"),
        ("?", "help"),
        ("", None),
        ("5", None),
        ("-1", None),
        ("1.5", None),
        ("٣", None),
        ("9" * 5000, None),
    ],
)
def test_what_is_an_answer(line: str, answer: object) -> None:
    assert read(line, 4) == answer


def test_a_models_text_does_not_steer_the_terminal() -> None:
    assert visible("a\x1b[2J\r\tb\n\u202ec\x9b") == "a␛[2J␍\tb\n\ufffdc\ufffd"
