"""GSM8K: `question`, and a worked `answer` that ends in `#### 72`."""

from __future__ import annotations

from prmdata.problems.contract import Layout


def final_answer(worked: str) -> str | None:
    _, mark, answer = worked.rpartition("####")
    return answer.strip().replace(",", "") if mark else worked.strip()


class _Layout(Layout):
    def fits(self, row: object) -> bool:
        return (
            isinstance(row, dict)
            and isinstance(row.get("question"), str)
            and isinstance(row.get("answer"), str)
            and "####" in row["answer"]
        )


LAYOUT = _Layout(
    columns=("question", "answer"),
    fields={"question": "question", "answer": "answer", "solution": "answer"},
    answer=final_answer,
    help="question, answer ending '#### 72'",
)
