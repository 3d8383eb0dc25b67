"""How several pieces of evidence become one value a step, kind by kind."""

from __future__ import annotations

from dataclasses import replace

import pytest

from prmdata.errors import ItemError
from prmdata.labellers.evidence.reading import names_in, read, read_last_two_kinds
from prmdata.records import Cost, Evidence, Labels, Problem, Step, Trace, Verdict
from tests.labellers.running import run
from tests.policy import Policy

WORDS: dict[str, Verdict] = {"+": "right", "-": "wrong", "?": "unknown"}


def verdicts(name: str, marks: str) -> Evidence:
    return Evidence(name, "verdicts", verdicts=tuple(WORDS[mark] for mark in marks))


def counts(name: str, hits: tuple[int | None, ...], of: tuple[int | None, ...]) -> Evidence:
    values = tuple(None if h is None or not n else h / n for h, n in zip(hits, of, strict=True))
    return Evidence(name, "rollouts", values, hits, of, cost=Cost(10, 4, 1))


def trace(*evidence: Evidence, steps: int = 4, labels: Labels | None = None) -> Trace:
    made = tuple(Step(f"{number}\n") for number in range(steps))
    return Trace("t", Problem("p", "q"), made, correct=True, evidence=evidence, labels=labels)


def test_a_step_is_wrong_where_any_verdict_says_so_and_right_where_one_says_right() -> None:
    found = read(trace(verdicts("sums", "++?-"), verdicts("terms", "-??+")))
    assert found.values == (0.0, 1.0, None, 0.0)
    assert found.names == "sums+terms"


def test_silent_evidence_takes_nothing_from_what_another_says() -> None:
    """The case that gave F1 0: the verifier added last had no say on any step."""
    found = read(trace(verdicts("sums", "++-?"), verdicts("terms", "????")))
    assert found.values == (1.0, 1.0, 0.0, None)
    assert found.examined


def test_of_rollouts_each_step_takes_the_share_with_the_most_behind_it() -> None:
    few = counts("mc", (2, 0, None, 1), (2, 2, None, 1))
    many = counts("adaptive", (3, 1, 0, None), (4, 16, 8, None))
    assert read(trace(few, many)).values == (0.75, 1 / 16, 0.0, 1.0)
    assert read(trace(many, few)).values == (0.75, 1 / 16, 0.0, 1.0)
    assert read(trace(few, many)).cost == Cost(20, 8, 2)


def test_a_search_that_decided_comes_before_shares_of_hits() -> None:
    searched = replace(counts("bisect", (8, 0, None, None), (8, 8, None, None)))
    searched = replace(searched, verdicts=("right", "wrong", "unknown", "unknown"))
    assert read(trace(searched, counts("mc", (1, 1, 1, 1), (9, 9, 9, 9)))).values == (
        1.0, 0.0, None, None,
    )  # fmt: skip


def test_scores_are_averaged_and_of_several_kinds_the_lowest_counts() -> None:
    one = Evidence("one", "scores", (1.0, 0.5, None, 0.25))
    two = Evidence("two", "scores", (0.5, None, None, 0.75))
    tool = verdicts("tool", "?-++")
    assert read(trace(one, two)).values == (0.75, 0.5, None, 0.5)
    assert read(trace(one, two, tool), ["one", "two", "tool"]).values == (0.75, 0.0, 1.0, 0.5)


def test_without_names_all_of_the_last_kind_are_read_and_others_are_not() -> None:
    mc = counts("mc", (0, 0, 0, 0), (8, 8, 8, 8))
    found = trace(verdicts("sums", "++++"), mc, verdicts("terms", "?+++"))
    assert read(found).names == "sums+terms"
    last, other = read_last_two_kinds(found)
    assert (last.names, other.names) == ("sums+terms", "mc")
    assert read(found, names_in("mc, terms")).values == (0.0, 0.0, 0.0, 0.0)


def test_what_is_missing_is_named_with_what_there_is() -> None:
    with pytest.raises(ItemError, match=r"no evidence 'mc' \(it has: sums\)"):
        read(trace(verdicts("sums", "++++")), ["sums", "mc"])
    with pytest.raises(ItemError, match="no evidence to decide from"):
        read(trace())


def test_a_trace_taken_at_its_word_reads_as_right_and_as_not_examined() -> None:
    word = Labels("bisect", values=(1.0,) * 4, examined=False)
    alone = read(trace(labels=word), ["bisect"])
    assert (alone.values, alone.examined) == ((1.0,) * 4, False)
    refuted = read(trace(verdicts("sums", "?-??"), labels=word), ["bisect", "sums"])
    assert (refuted.values, refuted.examined) == ((1.0, 0.0, 1.0, 1.0), True)


def test_silence_does_not_undo_that_a_trace_was_taken_at_its_word() -> None:
    word = Labels("bisect", values=(1.0,) * 4, examined=False)
    found = read(trace(verdicts("sums", "????"), labels=word))
    assert (found.values, found.names, found.examined) == ((1.0,) * 4, "bisect", False)
    heard = read(trace(verdicts("sums", "?-??"), labels=word))
    assert (heard.values, heard.names) == ((None, 0.0, None, None), "sums")
    assert read(trace(verdicts("sums", "????"))).silent


@pytest.mark.parametrize("search", ["bisect", "forward", "posterior", "omega"])
def test_threshold_and_consensus_read_the_decision_of_a_search(
    search: str, traces: list[Trace], policy: Policy
) -> None:
    searched = [t for t in run(search, traces[:48], policy) if t.labels]
    decided = {t.id: t.labels.first_error for t in searched if t.labels}
    assert len({first is None for first in decided.values()}) == 2
    again = run("threshold", searched, policy)
    assert {t.id: t.labels and t.labels.first_error for t in again} == decided
    assert [t.labels and t.labels.examined for t in again] == [
        t.labels and t.labels.examined for t in searched
    ]
    judged = [t.with_evidence(_truthful(t, decided[t.id])) for t in again]
    both = run("consensus", judged, policy, evidence=f"{search},judge")
    assert {t.id: t.labels and t.labels.first_error for t in both} == decided
    assert not any(t.labels.undecided for t in both if t.labels)
    lied = [t.with_evidence(_truthful(t, 0)) for t in again if decided[t.id] != 0]
    assert all(t.labels.undecided for t in run("consensus", lied, policy) if t.labels)


def _truthful(trace: Trace, first: int | None) -> Evidence:
    marks = ["+"] * len(trace.steps)
    if first is not None:
        marks[first] = "-"
    return verdicts("judge", "".join(marks))
