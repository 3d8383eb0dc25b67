from __future__ import annotations

import json
from pathlib import Path

import datasets
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from prmdata.abacus import story
from prmdata.errors import InputError, UsageError
from prmdata.files import Unreadable
from prmdata.problems import problems, shard_of
from prmdata.records import Problem
from prmdata.traces.generate import Generation


def read(source: str, **how: object) -> list[Problem]:
    found = list(problems(source, **how))  # type: ignore[arg-type]
    assert not any(isinstance(one, Unreadable) for one in found)
    return found  # type: ignore[return-value]


def wrote(*rows: dict, name: str = "p.jsonl") -> str:
    Path(name).write_text("".join(json.dumps(row) + "\n" for row in rows))
    return name


def test_gsm8k_takes_the_answer_behind_the_hashes() -> None:
    row = {"question": "How many?", "answer": "<<500*2=1000>>500*2=1000\n#### 1,000"}
    (problem,) = read(wrote(row))
    assert (problem.question, problem.answer) == ("How many?", "1000")
    assert problem.context["solution"] == row["answer"]
    assert problem.id == read(wrote(row))[0].id


def test_math_takes_its_answer_or_the_last_box() -> None:
    base = {"problem": "p", "solution": r"so \boxed{1}, no: \boxed{\frac{1}{2}}", "level": 5}
    plain, with_answer = read(
        wrote(
            {**base, "type": "Algebra"}, {**base, "answer": "3", "unique_id": "u/7", "problem": "q"}
        )
    )
    assert plain.answer == r"\frac{1}{2}"
    assert plain.meta == {"level": 5, "type": "Algebra"}
    assert (with_answer.answer, with_answer.id) == ("3", "u/7")


def test_numina_and_openr1() -> None:
    (problem,) = read(
        wrote(
            {"problem": "p", "solution": "s", "answer": "4", "uuid": "x", "problem_type": "Algebra"}
        )
    )
    assert (problem.answer, problem.id, problem.meta) == ("4", "x", {"problem_type": "Algebra"})


def test_any_columns_by_name_from_json_lines_and_parquet() -> None:
    rows = [{"prompt": f"q{i}", "gold": i, "note": "x" * 500} for i in range(3)]
    pq.write_table(pa.Table.from_pylist(rows), "p.parquet")
    for source in (wrote(*rows), "p.parquet"):
        found = read(source, fields={"question": "prompt", "answer": "gold"})
        assert [(p.question, p.answer) for p in found] == [("q0", "0"), ("q1", "1"), ("q2", "2")]
        assert found[0].meta == {}  # long columns say nothing of the kind of problem
    with pytest.raises(UsageError, match="unknown field of a problem"):
        read("p.parquet", fields={"query": "prompt"})


def test_a_saved_dataset_is_read() -> None:
    rows = [{"question": f"q{i}", "answer": f"#### {i}"} for i in range(3)]
    datasets.Dataset.from_list(rows).save_to_disk("saved")
    assert [p.answer for p in read("hub:saved")] == ["0", "1", "2"]
    datasets.DatasetDict(test=datasets.Dataset.from_list(rows[:1])).save_to_disk("split")
    assert len(read("hub:split?split=test")) == 1
    with pytest.raises(InputError, match="hub:split"):
        read("hub:split?split=none")


def test_abacus_problems_are_the_generators() -> None:
    found = read("abacus:6?level=2-3&seed=9")
    for index, problem in enumerate(found):
        told = story(9, index, 2 + index % 2)
        assert (problem.question, problem.answer) == (told.question, str(told.answer))
    assert read("abacus:6?level=2-3&seed=9") == found
    with pytest.raises(UsageError, match="levels go from 1 to 4"):
        read("abacus:6?level=7")


def test_shards_share_out_all_problems() -> None:
    ids = [problem.id for problem in read("abacus:200")]
    counts = [sum(shard_of(i, 4) == part for i in ids) for part in (1, 2, 3, 4)]
    assert sum(counts) == 200
    assert min(counts) > 25


DATA = Path(__file__).parent.parent.parent.parent / "shared" / "data"


@pytest.mark.skipif(not DATA.exists(), reason="needs GSM8K and MATH-500 beside the project")
def test_real_sets_are_recognised() -> None:
    gsm8k, math = read(str(DATA / "gsm8k_test.jsonl")), read(str(DATA / "math500.jsonl"))
    assert (len(gsm8k), len(math)) == (1319, 500)
    assert all(p.answer for p in [*gsm8k, *math])
    assert all(p.answer and p.answer.lstrip("-").replace(".", "").isdigit() for p in gsm8k)


def test_nested_columns_and_ids_of_the_source() -> None:
    rows = [{"data": {"q": f"q{i}", "gold": [3, 4]}, "id": f"n{i}"} for i in "12"]
    found = read(wrote(*rows), fields={"question": "data.q", "answer": "data.gold.1"})
    assert [(p.id, p.question, p.answer) for p in found] == [("n1", "q1", "4"), ("n2", "q2", "4")]
    (first, _) = read("p.jsonl", fields={"question": "data.q", "id": ""})
    assert len(first.id) == 16


def test_a_misspelt_column_is_refused_with_the_nearest_name() -> None:
    wrote({"question": "q", "gold": 1}, {"question": "r", "gold": 2, "late": 3})
    with pytest.raises(UsageError, match=r"--fields gould: .*did you mean 'gold'\?"):
        read("p.jsonl", fields={"answer": "gould"})
    with pytest.raises(UsageError, match="did you mean 'answer'"):
        read("p.jsonl", fields={"anwser": "gold"})
    assert read("p.jsonl", fields={"answer": "late"})[1].answer == "3"


USER = {"role": "user", "content": "1 + 1?"}
SYSTEM = {"role": "system", "content": "Be brief."}


@pytest.mark.parametrize(
    ("row", "answer", "system"),
    [
        ({"prompt": [USER], "reward_model": {"style": "rule", "ground_truth": "2"}}, "2", None),
        ({"prompt": [SYSTEM, USER], "reward_model": {"ground_truth": "2"}}, "2", "Be brief."),
        ({"prompt": [USER], "solution": r"\boxed{2}"}, "2", None),
        ({"prompt": "1 + 1?", "answer": 2}, "2", None),
        ({"messages": [SYSTEM, USER], "ground_truth": "2"}, "2", "Be brief."),
    ],
)
def test_prompts_for_reinforcement_learning(row: dict, answer: str, system: str | None) -> None:
    (problem,) = read(wrote(row))
    assert (problem.question, problem.answer) == ("1 + 1?", answer)
    assert problem.context.get("system") == system
    messages = Generation().messages(problem)
    assert [m["role"] for m in messages] == (["system"] if system else []) + ["user"]
    assert Generation(system="Mine.").messages(problem)[0]["content"] == "Mine."


@pytest.mark.parametrize(
    "prompt",
    [[USER, {"role": "assistant", "content": "2"}], [USER, USER], [SYSTEM], ["x"], [], [{}], 7],
)
def test_prompts_of_another_shape_are_refused(prompt: object) -> None:
    wrote({"prompt": prompt, "answer": "2"}, {"prompt": "1 + 1?", "answer": "2"})
    bad, good = problems("p.jsonl", fields={"question": "prompt", "answer": "answer"})
    assert isinstance(bad, Unreadable)
    assert "p.jsonl:1: the question (column 'prompt')" in bad.reason
    assert isinstance(good, Problem)


@pytest.mark.parametrize("trainer", ["verl", "trl", "ms-swift"])
def test_our_own_prompts_are_read_again(trainer: str) -> None:
    from prmdata.exports.rl import Rl

    export = Rl(trainer=trainer)  # type: ignore[arg-type]
    row = export.row(Problem("p7", "1 + 1?", "2"), "", "1 + 1?", "2")
    pq.write_table(pa.Table.from_pylist([row], schema=export.schema()), "rl.parquet")
    (problem,) = read("rl.parquet")
    assert (problem.id, problem.question, problem.answer) == ("p7", "1 + 1?", "2")


def test_gaps_in_a_column_of_numbers_are_no_answers() -> None:
    rows = [{"question": "q", "answer": 2.0}, {"question": "r", "answer": None}]
    pq.write_table(pa.Table.from_pylist(rows), "p.parquet")
    table = pq.read_table("p.parquet")
    gap = pa.array([2.0, float("nan")])
    pq.write_table(table.set_column(1, "answer", gap), "p.parquet")
    assert [p.answer for p in read("p.parquet")] == ["2.0", None]


def test_a_list_of_answers_holds_several_gold_ones() -> None:
    rows = [
        {"question": "q", "answer": ["Eiffel Tower", "la tour Eiffel"]},
        {"question": "r", "answer": "4", "answers": ["four", "4"]},
    ]
    Path("p.jsonl").write_text("\n".join(map(json.dumps, rows)))
    assert [p.golds for p in read("p.jsonl")] == [("Eiffel Tower", "la tour Eiffel"), ("4", "four")]
