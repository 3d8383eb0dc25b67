"""Whatever stands in a file, it is read, or one message says what is wrong: nothing else is raised."""

from __future__ import annotations

import copy
import gzip
import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from prmdata import imports
from prmdata.errors import PrmdataError
from prmdata.files import Unreadable, codec, read_traces, write_traces
from prmdata.problems import problems
from prmdata.records import Evidence, Labels, Problem, Step, Trace
from prmdata.stages.whole_groups import whole_groups
from tests.imports.test_imports import MR_GSM8K, PROCESSBENCH, SHEPHERD, prm800k

NODE = {"text": "Two.", "mc_value": 1.0, "children": []}
ROWS: dict[str, dict[str, Any]] = {
    "processbench": PROCESSBENCH,
    "math-shepherd": SHEPHERD,
    "prm800k": prm800k(1, 0, -1, rest=1),
    "mr-gsm8k": MR_GSM8K,
    "big-bench-mistake": {"input": "Sort b a", "steps": ["b", "a"], "answer": "b a",
                          "target": "a b", "mistake_index": 1},
    "openr-tree": {"question": "1 + 1?", "final_answer": "2",
                   "reasoning_steps": {"text": "1 + 1?", "mc_value": 0.5, "children": [NODE, NODE]}},
    "openr-flat": {"question": "1 + 1?", "final_answer": "2", "reasoning_steps": [
        {"solution_prefix": "1 + 1?", "mc_value": 0.5},
        {"solution_prefix": "1 + 1?\n\nTwo.", "mc_value": 1}]},
    "chat": {"id": 3, "answer": "42", "messages": [
        {"role": "system", "content": "Think."}, {"role": "user", "content": "6 * 7?"},
        {"role": "assistant", "content": "", "reasoning_content": "I ask.",
         "tool_calls": [{"function": {"name": "sum", "arguments": "{}"}}]},
        {"role": "tool", "content": "42"}, {"role": "assistant", "content": "So 42."}]},
    "columns": {"id": "a", "problem": "2 + 2?", "answer": "4", "completions": ["So\n4", "It is 5"]},
}  # fmt: skip
PROBLEMS = [
    {"question": "q", "answer": "a #### 4", "id": 3},
    {"problem": "q", "solution": "so \\boxed{4}", "level": 5, "unique_id": "u"},
    {"problem": "q", "answer": "4", "uuid": "u", "solution": "s"},
    {"task_id": 1, "text": "q", "code": "c", "test_list": ["assert f(1) == 2"]},
    {"prompt": [{"role": "user", "content": "q"}], "reward_model": {"ground_truth": "4"},
     "extra_info": {"index": 1}},
    {"prompt": "q", "solution": "\\boxed{4}"},
]  # fmt: skip
ODD: list[Any] = [
    None, True, 7, -1, 2**70, 0.5, 1e308, "", " ", "x", "\ud7ff\u2028", "[1", "[]", [], [None], [[]],
    {}, {"text": 3}, {"role": "user"}, ["a"] * 50, "<think>" * 9, "ки" * 5, [{"children": [{}]}],
]  # fmt: skip


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if path:
        yield path
    inner = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    for name, part in inner:
        yield from places(part, (*path, name))


def changed(row: dict[str, Any], path: tuple[Any, ...], odd: Any) -> dict[str, Any]:
    row = copy.deepcopy(row)
    at: Any = row
    for name in path[:-1]:
        at = at[name]
    if odd is ODD:
        del at[path[-1]]
    else:
        at[path[-1]] = odd
    return row


def mutants(row: dict[str, Any]) -> list[dict[str, Any]]:
    return [changed(row, path, odd) for path in places(row) for odd in (*ODD, ODD)]


def write_rows(rows: list[dict[str, Any]]) -> str:
    Path("rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return "rows.jsonl"


def read_or_told(read: Callable[[], list[Any]]) -> tuple[list[Any], str]:
    """What was read, and the message that says what was not."""
    try:
        found = read()
    except PrmdataError as error:
        return [], str(error)
    return found, " ".join(one.reason for one in found if isinstance(one, Unreadable))


@pytest.mark.parametrize("layout", ROWS)
def test_values_of_wrong_types_are_told_row_by_row(layout: str) -> None:
    rows = mutants(ROWS[layout])
    read = list(imports.read(write_rows(rows), layout, {}))
    for found in read:
        if isinstance(found, Unreadable):
            assert found.reason.startswith("rows.jsonl:")
        else:
            assert codec.decode_trace(codec.encode(_named(found)), "").steps == found.steps
    assert {u.where for u in read if isinstance(u, Unreadable)}
    assert any(isinstance(found, Trace) for found in read)
    assert sum(len(g) for g in whole_groups(read) if isinstance(g, list)) == sum(
        isinstance(found, Trace) for found in read
    )


def _named(trace: Trace) -> Trace:
    from dataclasses import replace

    return replace(trace, id="t", problem=replace(trace.problem, id="p"))


@pytest.mark.parametrize("number", range(len(PROBLEMS)))
def test_problems_of_wrong_types_are_told_row_by_row(number: int) -> None:
    for row in mutants(PROBLEMS[number]):
        found, told = read_or_told(lambda row=row: list(problems(write_rows([row]))))
        assert "rows.jsonl:1" in told or isinstance(found[0], Problem)


TRACE = Trace(
    "p/0",
    Problem("p", "1 + 2?", "3", context={"tests": ["a"]}),
    (Step("1 + 2 = 4\n"), Step("So 4.", "answer")),
    evidence=(Evidence("o", "truth", verdicts=("wrong", None)),),
    labels=Labels("x", 0, values=(0.5, 0.0), confidence=0.5),
)


def test_traces_of_wrong_types_are_told_line_by_line() -> None:
    rows = mutants(json.loads(codec.encode(TRACE)))
    for found in read_traces(write_rows(rows)):
        assert isinstance(found, Trace) or found.reason.startswith("rows.jsonl:")


def as_csv(rows: list[dict[str, Any]]) -> bytes:
    return b"problem,answer,response\n" + b'"1 + 2?",3,"So ""3"".\nYes."\n' * len(rows)


def as_parquet(rows: list[dict[str, Any]]) -> bytes:
    pq.write_table(pa.Table.from_pylist(rows), "made.parquet")
    return Path("made.parquet").read_bytes()


ROW = {"problem": "1 + 2?", "answer": "3", "response": 'So "3".\nYes.'}
FILES: dict[str, Callable[[list[dict[str, Any]]], bytes]] = {
    "r.jsonl": lambda rows: b"".join(json.dumps(row).encode() + b"\n" for row in rows),
    "r.json": lambda rows: json.dumps(rows, indent=1).encode(),
    "r.csv": as_csv,
    "r.tsv": lambda rows: as_csv(rows).replace(b",", b"\t"),
    "r.csv.gz": lambda rows: gzip.compress(as_csv(rows)),
    "r.jsonl.zst": lambda rows: zstandard.compress(json.dumps(rows[0]).encode() * 3),
    "r.parquet": as_parquet,
}


def mutilated(data: bytes, chance: random.Random) -> bytes:
    """Cut, overwritten, doubled or stuffed."""
    start, end = sorted(chance.randrange(len(data)) for _ in range(2))
    junk = chance.choice(
        [b"\x00", b"\xff\xfe", b'"', b"\n", b"[", b"{", b"\xef\xbb\xbf", b"\r", b","]
    )
    return chance.choice(
        [
            data[:end],
            data[start:],
            data[:start] + data[end:],
            data[:start] + junk * chance.randrange(1, 9) + data[start:],
            data[:start] + chance.randbytes(min(end - start, 40)) + data[start + 40 :],
            data[:end] + data[start:],
        ]
    )


@pytest.mark.parametrize("name", FILES)
def test_damaged_files_are_read_or_told_in_one_message(name: str) -> None:
    chance = random.Random(name)
    whole = FILES[name]([ROW] * 6)
    reads = (
        lambda: list(imports.read(name, "columns", {})),
        lambda: list(imports.read(name, None, {})),
        lambda: list(problems(name, fields={"question": "problem", "answer": "answer", "id": ""})),
        lambda: list(read_traces(name)),
    )
    for _ in range(60):
        Path(name).write_bytes(mutilated(whole, chance))
        for read in reads:
            _, told = read_or_told(read)
            assert not told or any(word in told for word in (name, "problem id", "--fields"))


@pytest.mark.parametrize("name", ["t.jsonl", "t.jsonl.gz", "t.jsonl.zst", "t.parquet"])
def test_damaged_traces_are_read_or_told_in_one_message(name: str) -> None:
    chance = random.Random(name)
    write_traces(name, [TRACE] * 6)
    whole = Path(name).read_bytes()
    for _ in range(120):
        Path(name).write_bytes(mutilated(whole, chance))
        _, told = read_or_told(lambda: list(read_traces(name)))
        assert not told or name in told


def test_columns_that_stand_twice_in_parquet() -> None:
    table = pa.Table.from_arrays([pa.array(["p"]), pa.array(["q"])], names=["problem", "problem"])
    pq.write_table(table, "r.parquet")
    for read in (
        lambda: list(imports.read("r.parquet", "columns", {})),
        lambda: list(problems("r.parquet")),
        lambda: list(read_traces("r.parquet")),
    ):
        with pytest.raises(PrmdataError, match=r"r\.parquet"):
            read()
    write_traces("t.parquet", [TRACE])
    table = pq.read_table("t.parquet")
    pq.write_table(table.append_column("steps", table.column("steps")), "t.parquet")
    with pytest.raises(PrmdataError, match=r"two columns are named 'steps'"):
        list(read_traces("t.parquet"))
