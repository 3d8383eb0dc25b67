from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from prmdata.errors import UsageError
from prmdata.exports import FORMATS
from prmdata.exports.contract import LeftOut
from prmdata.exports.judge import Judge
from prmdata.records import Evidence, Trace
from prmdata.registry import make
from tests.exports.cases import JUDGED, RIGHT, TRUSTED, WRONG, exported

CHECKED = WRONG.with_evidence(
    Evidence(
        "arithmetic",
        "verdicts",
        verdicts=("right", "wrong", "unknown"),
        notes=(None, "3 + 8 = 12: is 11", None),
    )
)


def said(trace: Trace, **settings: object) -> list[str]:
    row = Judge(**settings).row(trace)  # type: ignore[arg-type]
    return [message["content"] for message in row["messages"]]


def test_turns_are_those_of_rlhflow() -> None:
    assert Judge().row(WRONG)["messages"] == [
        {"role": "user", "content": "What is 3 + 4 * 2? 4 * 2 = 8"},
        {"role": "assistant", "content": "+"},
        {"role": "user", "content": "3 + 8 = 12"},
        {"role": "assistant", "content": "-"},
    ]
    assert said(WRONG, after_error="wrong")[1::2] == ["+", "-", "-"]
    assert said(RIGHT, right="Yes", wrong="No")[1::2] == ["Yes"] * 3
    assert said(RIGHT, join="paragraph")[0] == "What is 3 + 4 * 2?\n\n4 * 2 = 8"


@pytest.mark.parametrize(("base", "wrong"), [(0, "1"), (1, "2")])
def test_the_index_points_at_the_paragraph_that_is_wrong(base: int, wrong: str) -> None:
    asked, answer = said(WRONG, layout="index", index_base=base)
    assert re.findall(r"<paragraph_(\d)>", asked) == [str(base + i) for i in range(3)]
    (boxed,) = re.findall(r"\\boxed\{(-?\d+)\}", answer)
    assert boxed == wrong
    assert f"<paragraph_{boxed}>\n3 + 8 = 12\n</paragraph_{boxed}>" in asked
    assert said(RIGHT, layout="index", index_base=base)[1] == r"\boxed{-1}"


def test_braces_in_a_question_are_left_alone() -> None:
    braced = replace(WRONG, problem=replace(WRONG.problem, question=r"What is \frac{1}{2}?"))
    assert r"\frac{1}{2}?" in said(braced, layout="index")[0]


def test_notes_are_the_rationale_unless_they_argue_for_another_verdict() -> None:
    assert said(JUDGED)[1::2] == [
        "Four twos are eight.\n\n+",
        "Three and eight are eleven.\n\n-",
    ]
    assert said(JUDGED, layout="index", index_base=1)[1] == (
        "Paragraph 1: Four twos are eight.\n\n"
        "Paragraph 2: Three and eight are eleven.\n\n\\boxed{2}"
    )
    assert said(JUDGED, rationale="none")[1::2] == ["+", "-"]
    otherwise = replace(JUDGED, correct=True, labels=RIGHT.labels)
    assert said(otherwise)[1::2] == ["+", "+", "+"]
    assert Judge().row(otherwise)["rationale"] == "contradicts the labels"


def test_grounded_turns_are_those_of_groundedprm() -> None:
    asked = Judge(layout="grounded", column="conversation", join="line").row(CHECKED)
    roles = [message["role"] for message in asked["conversation"]]
    assert roles == ["system", "user", "assistant", "user", "assistant"]
    _, first, right, second, wrong = (message["content"] for message in asked["conversation"])
    assert (first, second) == ("What is 3 + 4 * 2?\n4 * 2 = 8", "3 + 8 = 12")
    assert right == (
        "<verify>\narithmetic confirms it.\n</verify>\n<judge>\nThis step is right.\n</judge>\n"
        "<output>\n\\boxed{+}\n</output>"
    )
    assert wrong == (
        "<verify>\narithmetic refutes it: 3 + 8 = 12: is 11\n</verify>\n"
        "<judge>\nThis step is wrong.\n</judge>\n<output>\n\\boxed{-}\n</output>"
    )


def test_grounded_turns_tell_what_tools_said_and_what_critics_wrote() -> None:
    silent = said(WRONG, layout="grounded")
    assert "<verify>\nNo tool settles this step.\n</verify>" in silent[2]
    both = JUDGED.with_evidence(CHECKED.evidence[0])
    assert said(both, layout="grounded")[4].startswith(
        "<verify>\ncritique refutes it: Three and eight are eleven.\n"
        "arithmetic refutes it: 3 + 8 = 12: is 11\n</verify>"
    )
    known = WRONG.with_evidence(Evidence("abacus", "truth", verdicts=("right", "wrong", "wrong")))
    assert said(known, layout="grounded") == silent
    overruled = replace(CHECKED, correct=True, labels=RIGHT.labels)
    assert "refutes" not in "".join(said(overruled, layout="grounded"))


def test_a_reader_gets_messages_and_whole_numbers(tmp_path: Path) -> None:
    loaded, counts = exported(tmp_path, "judge", [WRONG, RIGHT, TRUSTED, JUDGED])
    assert loaded.features["first_error"].dtype == "int64"
    assert loaded["first_error"][:] == [1, -1, -1, 1]
    assert [m["role"] for m in loaded[0]["messages"]] == ["user", "assistant"] * 2
    assert loaded[0]["messages"][3] == {"role": "assistant", "content": "-"}
    assert (counts["with an error"], counts["with a rationale"]) == (2, 1)
    assert counts["unexamined traces"] == 1


def test_settings() -> None:
    assert make(FORMATS, "judge", {"index_base": "1"}) == Judge(index_base=1)
    with pytest.raises(UsageError):
        make(FORMATS, "judge", {"index_base": "2"})
    with pytest.raises(UsageError, match="both"):
        Judge(right="-")


def test_a_grounded_conversation_may_end_before_a_step_of_which_nothing_speaks() -> None:
    """Else a judge would learn to assert without a reason."""
    assert said(CHECKED, layout="grounded", unsettled="cut") == said(CHECKED, layout="grounded")
    checked = Evidence("sums", "verdicts", verdicts=("right", "right", "unknown"))
    right = RIGHT.with_evidence(checked)
    whole, cut = (said(right, layout="grounded", unsettled=how) for how in ("keep", "cut"))
    assert len(whole) == 7
    assert cut == whole[:5]
    unheard = WRONG.with_evidence(Evidence("sums", "verdicts", verdicts=("right", "unknown", None)))
    for trace in (unheard, WRONG):
        with pytest.raises(LeftOut, match="nothing speaks of"):
            said(trace, layout="grounded", unsettled="cut")
    assert said(unheard, unsettled="cut") == said(unheard)  # other layouts give no reasons
