"""Rows as people have them: JSON lines and arrays, CSV and TSV, with the marks that programs leave."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
import zstandard

from prmdata.errors import InputError
from prmdata.files import Unreadable, codec, count_hint, read_traces, rows
from prmdata.records import Origin, Problem, Trace

ROWS = [{"q": "1 + 1 = ?\nTell me.", "a": "2"}, {"q": 'Say "ü" now', "a": ""}]
CSV = 'q,a\n"1 + 1 = ?\nTell me.",2\n"Say ""ü"" now",\n'


def read(name: str, data: bytes) -> list[object]:
    Path(name).write_bytes(data)
    return [row for row, _ in rows.read(name)]


LINES = "".join(json.dumps(row) + "\n" for row in ROWS).encode()


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("r.jsonl", LINES),
        ("r.jsonl", b"\xef\xbb\xbf" + LINES),
        ("r.jsonl", LINES.replace(b"}\n", b"}\r\n")),
        ("r.json", json.dumps(ROWS).encode()),
        ("r.json", json.dumps(ROWS, indent=2).encode()),
        ("r.json", b"\xef\xbb\xbf\n\n " + json.dumps(ROWS, indent=2).encode()),
        ("r.jsonl", json.dumps(ROWS).encode()),
        ("r.json.gz", gzip.compress(json.dumps(ROWS).encode(), mtime=0)),
        ("r.csv", CSV.encode()),
        ("r.csv", b"\xef\xbb\xbf" + CSV.encode()),
        ("r.csv", CSV.replace("2\n", "2\r\n").replace("a\n", "a\r\n").encode()),
        ("r.csv", CSV.replace("q,a", "q;a").replace('",', '";').encode()),
        ("r.tsv", CSV.replace("q,a", "q\ta").replace('",', '"\t').encode()),
        ("r.csv.gz", gzip.compress(CSV.encode(), mtime=0)),
        ("r.csv.zst", zstandard.compress(CSV.encode())),
        ("R.CSV", CSV.encode()),
    ],
)
def test_the_same_rows_come_out_of_each(name: str, data: bytes) -> None:
    assert read(name, data) == ROWS


@pytest.mark.parametrize(
    ("name", "data", "says"),
    [
        ("r.json", b'[{"q": 1}, {"q"', "r.json: a JSON array that is broken: not JSON"),
        ("r.jsonl", "\ufeff{}".encode("utf-16-le"), "UTF-16"),
        ("r.json", b"[" * 100_000, "nested too deeply"),
        ("r.csv", b"q,a\n\xe9,2\n", "not UTF-8"),
        ("r.csv", "q,a\nx,2\n".encode("utf-16"), "not UTF-8"),
        ("r.csv", b"q,q\nx,2\n", "two columns are named 'q'"),
        ("r.csv", b'q,a\n"x,2\n', "r.csv:2: cannot be read as a table"),
        ("r.csv.gz", gzip.compress(CSV.encode() * 50, mtime=0)[:60], "cannot be unpacked"),
        ("r.csv.gz", b"no archive", "cannot be unpacked"),
        ("r.csv.zst", b"no archive", "cannot be unpacked"),
    ],
)
def test_what_cannot_be_read_is_one_message(name: str, data: bytes, says: str) -> None:
    with pytest.raises(InputError) as error:
        read(name, data)
    assert says in str(error.value)
    assert name in str(error.value)


@pytest.mark.parametrize(
    ("name", "data", "says"),
    [
        ("r.csv", b"q,a\nx\ny,2\n", "r.csv:2: 1 cells under 2 columns"),
        ("r.csv", b"q,a\nx,1,2\ny,2\n", "r.csv:2: 3 cells under 2 columns"),
        ("r.json", b'[7, {"q": "y", "a": "2"}]', "r.json item 1: a number"),
        ("r.json", b'[{"q": "\xe9"}, {"q": "y", "a": "2"}]', "r.json item 1: not UTF-8"),
        ("r.jsonl", b'[1]\n{"q": "y", "a": "2"}\n', "r.jsonl:1: a list"),
        ("r.jsonl", b'{"q": \n{"q": "y", "a": "2"}\n', "r.jsonl:1: not JSON"),
        ("r.jsonl", b'{"q": %s}\n{"q": "y", "a": "2"}\n' % (b"[" * 9999), "nested too deeply"),
    ],
)
def test_a_bad_row_leaves_the_others(name: str, data: bytes, says: str) -> None:
    bad, good = read(name, data)
    assert isinstance(bad, Unreadable)
    assert says in bad.reason
    assert good == {"q": "y", "a": "2"}


def test_a_table_holds_no_traces() -> None:
    Path("t.csv").write_text("id,problem\n1,x\n")
    for reads in (lambda: list(read_traces("t.csv")), lambda: count_hint("t.csv")):
        with pytest.raises(InputError, match="prmdata import"):
            reads()


def test_an_array_of_records_is_told_from_a_record() -> None:
    record = codec.encode(Trace("p/0", Problem("p", "?")))
    Path("t.jsonl").write_bytes(b"[" + record + b"]\n")
    (bad,) = read_traces("t.jsonl")
    assert isinstance(bad, Unreadable)
    assert "jq -c '.[]'" in bad.reason


@pytest.mark.parametrize(
    "part",
    [
        f'"origin": {{"seed": {2**63}}}',
        f'"origin": {{"seed": -{2**64}}}',
        f'"group": {{"n": 1, "right": {2**70}, "wrong": 0}}',
        f'"evidence": [{{"name": "mc", "kind": "rollouts", "cost": {{"tokens": {2**65}}}}}]',
        '"labels": {"by": "x", "values": [1e999]}',
        '"labels": {"by": "x", "values": [NaN]}',
        '"origin": {"temperature": -Infinity}',
        '"origin": {"tokens": 1.5}',
        '"labels": {"by": "x", "cost": {"tokens": null}}',
        '"group": {"n": null, "right": 0, "wrong": 0}',
    ],
)
def test_numbers_that_are_none_are_refused_where_they_enter(part: str) -> None:
    line = '{"id": "a", "problem": {"id": "p", "question": "q"}, "steps": [{"text": "x"}], %s}'
    Path("t.jsonl").write_text(line % part + "\n")
    (bad,) = read_traces("t.jsonl")
    assert isinstance(bad, Unreadable)
    assert "t.jsonl:1" in bad.reason


def test_the_largest_integer_is_taken() -> None:
    line = codec.encode(Trace("p/0", Problem("p", "?"), origin=Origin(seed=2**63 - 1)))
    assert codec.decode_trace(line, "").origin.seed == 2**63 - 1


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_parquet_with_values_that_are_no_numbers_is_refused(value: float) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    from prmdata.files.schema import arrow_schema, to_row

    row = to_row(Trace("p/0", Problem("p", "?"), origin=Origin(temperature=1.0)))
    row["origin"]["temperature"] = value
    pq.write_table(pa.Table.from_pylist([row], schema=arrow_schema(Trace)), "t.parquet")
    (bad,) = read_traces("t.parquet")
    assert isinstance(bad, Unreadable)
    assert "t.parquet:1" in bad.reason
    assert "cannot be stored" in bad.reason
