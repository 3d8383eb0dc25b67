from __future__ import annotations

import dataclasses
import gc
import gzip
import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from prmdata.errors import InputError, StreamCut, UsageError
from prmdata.files import (
    Unreadable,
    codec,
    count_hint,
    parquet,
    paths,
    read_groups,
    read_traces,
    readable,
    write_traces,
)
from prmdata.files.columns import records_in
from prmdata.files.schema import arrow_schema, to_row
from prmdata.records import Cost, Evidence, Labels, Origin, Problem, Round, Step, Tally, Trace

FULL = Trace(
    id="p/0-1",
    problem=Problem("p", "1 + 1 = ? ü\u2028", "2", "math", ("a.png",), {"tests": [1, {"a": None}]}, {"level": 3}, ("two", "ii")),
    steps=(Step("x\n\n", "code", {"name": "f", "arguments": {"a": 1}}, "ok"), Step("The answer is 3.", "answer")),
    answer="3",
    correct=False,
    grade="wrong",
    finish="stop",
    origin=Origin("abacus", "f00", ({"role": "user", "content": "q"},), "raw", 0.7, 0.9, 5, 99, ("END",), 3, 1, 17, ("p/0-0", 1), answers="marked"),
    group=Tally(4, 1, 3, 0, 1, 0, {"3": 2, "4": 1}),
    evidence=(
        Evidence("mc", "rollouts", (0.5, None), (1, None), (2, None), (), (), "fixed", {"k": 2}, Cost(10, 2, 1)),
        Evidence("sums", "verdicts", verdicts=("right", "wrong"), notes=(None, "1+1=3")),
        Evidence("posterior", "rollouts", search=(Round((200, 700, 100), (1, 1), (1, 2), "hs"), Round((0, 1000, 0), (), (), ""))),
    ),
    labels=Labels("bisect", 1, (1.0, 0.0), 0.9, True, {"k": 8}, Cost(5, 1, 1, unparsed=1)),
    score=0.25,
)  # fmt: skip
BARE = Trace(id="q/0-0", problem=Problem("q", "?"))


@pytest.mark.parametrize("name", ["t.jsonl", "t.jsonl.gz", "t.jsonl.zst", "t.parquet", "parts"])
def test_every_format_gives_back_the_same_records(tmp_path: Path, name: str) -> None:
    path = str(tmp_path / name)
    assert write_traces(path, [FULL, BARE]) == 2
    assert list(read_traces(path)) == [FULL, BARE]


def test_files_from_before_a_field_are_read_still() -> None:
    row = msgspec.to_builtins(FULL)
    for part, name in ((row, "score"), (row["problem"], "answers"), (row["origin"], "answers")):
        del part[name]
    before = msgspec.convert(row, Trace)
    assert codec.decode_trace(msgspec.json.encode(row), "old") == before
    assert (before.score, before.problem.golds, before.origin.answers) == (None, ("2",), None)
    table = pa.Table.from_pylist([to_row(FULL)], schema=arrow_schema(Trace)).drop(["score"])
    pq.write_table(table, "old.parquet")
    (old,) = read_traces("old.parquet")
    assert old == dataclasses.replace(FULL, score=None)


def test_many_traces_span_parts_and_batches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("prmdata.files.PART_TRACES", 300)
    many = [dataclasses.replace(BARE, id=f"q/{i}") for i in range(1000)]
    write_traces(str(tmp_path / "parts"), many)
    assert len(list((tmp_path / "parts").iterdir())) == 4
    assert list(read_traces(str(tmp_path / "parts"))) == many


def test_remote_paths_are_read(tmp_path: Path) -> None:
    import fsspec

    write_traces(str(tmp_path / "t.jsonl.zst"), [FULL])
    memory = fsspec.filesystem("memory")
    memory.pipe("/box/t.jsonl.zst", (tmp_path / "t.jsonl.zst").read_bytes())
    assert list(read_traces("memory://box/t.jsonl.zst")) == [FULL]
    assert list(read_traces("memory://box/")) == [FULL]


def test_the_arrow_schema_has_no_null_columns_and_round_trips() -> None:
    schema = arrow_schema(Trace)
    assert not any(pa.types.is_null(field.type) for field in schema)
    batch = pa.RecordBatch.from_pylist([to_row(BARE), to_row(FULL)], schema=schema)
    assert [msgspec.convert(row, Trace) for row in records_in(batch, Trace)] == [BARE, FULL]
    part = records_in(batch.slice(1), Trace)
    assert [msgspec.convert(row, Trace) for row in part] == [FULL]


def test_parquet_carries_no_library_footer(tmp_path: Path) -> None:
    write_traces(str(tmp_path / "t.parquet"), [FULL])
    metadata = pq.read_metadata(tmp_path / "t.parquet").metadata or {}
    assert b"huggingface" not in metadata


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (b'{"id": "a", "problem"', "not JSON"),
        (b'\xff\xfe{"id": 1}', "not UTF-8"),
        (b'{"id": "a"}', "missing required field `problem`"),
        (b'{"id": "a", "problem": {"id": "p", "question": ""}}', "no question"),
        (b'{"id": "", "problem": {"id": "p", "question": "q"}}', "empty id"),
        (b'{"id": "a", "problem": {"id": "p", "question": 3}}', "problem.question"),
        (
            b'{"id":"a","problem":{"id":"p","question":"q"},"steps":[{"text":"x"}],'
            b'"labels":{"by":"x","first_error":1}}',
            "first_error 1 is not one of its 1 steps",
        ),
        (
            b'{"id":"a","problem":{"id":"p","question":"q"},"steps":[{"text":"x"}],'
            b'"evidence":[{"name":"mc","kind":"rollouts","values":[0.5,1.0]}]}',
            "'mc' has 2 values for 1 steps",
        ),
        (
            b'{"id":"a","problem":{"id":"p","question":"q"},"steps":[{"text":"x"}],'
            b'"evidence":[{"name":"posterior","kind":"rollouts","search":'
            b'[{"belief":[500,500],"starts":[0,0],"left":[0],"ends":"hm"}]}]}',
            "'posterior' has a round of its search that does not fit",
        ),
    ],
)
def test_a_bad_line_says_where_and_what(tmp_path: Path, line: bytes, says: str) -> None:
    path = tmp_path / "t.jsonl"
    good = codec.encode(BARE) + b"\n"
    path.write_bytes(good + line + b"\n" + codec.encode(FULL) + b"\n")
    first, bad, last = read_traces(str(path))
    assert (first, last) == (BARE, FULL)
    assert isinstance(bad, Unreadable)
    assert bad.where == f"{path}:2"
    assert bad.reason.startswith(f"{path}:2: ")
    assert says in bad.reason


def test_parquet_of_another_schema_is_refused(tmp_path: Path) -> None:
    pq.write_table(pa.table({"text": ["a"]}), tmp_path / "t.parquet")
    with pytest.raises(InputError, match=r"no column id, problem, steps \(its columns: text"):
        list(read_traces(str(tmp_path / "t.parquet")))
    (tmp_path / "fake.parquet").write_text("hello")
    with pytest.raises(InputError, match="not a Parquet file"):
        list(read_traces(str(tmp_path / "fake.parquet")))


def test_damaged_archives_and_missing_files_are_named(tmp_path: Path) -> None:
    whole = gzip.compress(codec.encode(BARE) * 100)
    (tmp_path / "cut.jsonl.gz").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "fake.jsonl.zst").write_bytes(b"not zstandard at all")
    for name in ("cut.jsonl.gz", "fake.jsonl.zst"):
        with pytest.raises(InputError, match="cannot be unpacked"):
            list(read_traces(str(tmp_path / name)))
    with pytest.raises(InputError, match="no such file"):
        list(read_traces(str(tmp_path / "none.jsonl")))
    with pytest.raises(InputError, match="no such file or directory"):
        list(read_traces(str(tmp_path / "none")))
    with pytest.raises(UsageError, match="cannot tell the format"):
        paths.format_of("t.csv")


def test_a_bad_row_of_parquet_leaves_the_others(tmp_path: Path) -> None:
    path = str(tmp_path / "t.parquet")
    many = [dataclasses.replace(FULL, id=f"p/{i}") for i in range(300)]
    rows = [to_row(trace) for trace in many]
    rows[1]["problem"]["context"] = "{"
    rows[2]["finish"] = "gone"
    rows[3]["labels"]["first_error"] = 9
    schema = arrow_schema(Trace)
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), path)
    found = list(read_traces(path))
    assert [found[0], *found[4:]] == [many[0], *many[4:]]
    for number, said in ((2, "truncated"), (3, "'gone'"), (4, "first_error 9")):
        bad = found[number - 1]
        assert isinstance(bad, Unreadable)
        assert bad.where == f"{path}:{number}"
        assert bad.reason.startswith(f"{path}:{number}: ")
        assert said in bad.reason


@pytest.mark.parametrize(
    ("length", "says"), [(400, "cannot be read"), (12000, "not a Parquet file")]
)
def test_damaged_parquet_is_named(tmp_path: Path, length: int, says: str) -> None:
    """In its pages, or in its pages and what tells of them."""
    path = tmp_path / "t.parquet"
    write_traces(str(path), [dataclasses.replace(FULL, id=f"p/{i}") for i in range(300)])
    whole = path.read_bytes()
    path.write_bytes(whole[:100] + b"\xff" * length + whole[100 + length :])
    with pytest.raises(InputError, match=rf"t\.parquet: {says}"):
        list(read_traces(str(path)))


def test_traces_are_counted_beforehand_where_that_is_cheap(tmp_path: Path) -> None:
    counts = {}
    for name in ("t.jsonl", "t.parquet", "t.jsonl.gz", "t.jsonl.zst"):
        write_traces(str(tmp_path / name), [FULL, BARE])
        counts[name] = count_hint(str(tmp_path / name))
    assert counts == {"t.jsonl": 2, "t.parquet": 2, "t.jsonl.gz": None, "t.jsonl.zst": None}
    (tmp_path / "fake.parquet").write_text("hello")
    with pytest.raises(InputError, match="not a Parquet file"):
        count_hint(str(tmp_path / "fake.parquet"))


def test_groups_must_stand_together_and_ids_be_unique() -> None:
    a, b = (Trace(id=f"{p}/0", problem=Problem(p, "?")) for p in "ab")
    a2 = dataclasses.replace(a, id="a/1")
    unreadable = Unreadable("x:3", "broken")
    assert list(read_groups([a, unreadable, a2, b])) == [unreadable, [a, a2], [b]]
    with pytest.raises(InputError, match="problem a comes up again"):
        list(read_groups([a, b, a2]))
    with pytest.raises(InputError, match="a/0 occurs twice"):
        list(read_groups([a, a]))


READER = "from prmdata.files import read_traces; import sys\nprint(len(list(read_traces('-'))))"


@pytest.mark.parametrize(
    ("marks", "ends"), [(["more", "end"], True), (["more", "more"], False), ([None, None], True)]
)
def test_a_stream_without_its_end_mark_was_cut(marks: list[str | None], ends: bool) -> None:
    lines = b"".join(
        codec.encode(dataclasses.replace(BARE, id=str(i), stream=mark)) + b"\n"
        for i, mark in enumerate(marks)
    )
    done = subprocess.run([sys.executable, "-c", READER], input=lines, capture_output=True)
    assert (done.returncode == 0) == ends
    assert (StreamCut.__name__ in done.stderr.decode()) != ends


@pytest.mark.parametrize("name", ["t.jsonl", "t.jsonl.gz", "parts"])
@pytest.mark.parametrize("last", ["more", "end"])
def test_a_file_that_tee_wrote_from_a_pipe_that_was_cut_is_refused(name: str, last: str) -> None:
    marked = [dataclasses.replace(BARE, id=str(i), stream="more") for i in range(3)]
    marked.append(dataclasses.replace(BARE, id="3", stream=last))
    lines = b"".join(codec.encode(trace) + b"\n" for trace in marked)
    place = Path(name)
    if name == "parts":
        place.mkdir()
        place = place / "a.jsonl"
    place.write_bytes(gzip.compress(lines) if name.endswith("gz") else lines)
    if last == "end":
        assert [t.id for t in read_traces(name)] == ["0", "1", "2", "3"]
        return
    with pytest.raises(StreamCut, match="without the end mark"):
        list(read_traces(name))


def test_json_is_what_other_tools_expect() -> None:
    row = json.loads(codec.encode(FULL))
    assert row["problem"]["id"] == "p"
    assert [step["text"] for step in row["steps"]] == [s.text for s in FULL.steps]
    assert io.BytesIO(codec.encode(FULL)).read().count(b"\n") == 0
    assert os.linesep.encode() not in codec.encode(FULL)


def test_a_parquet_file_that_is_given_up_is_left_alone(tmp_path: Path) -> None:
    """What it would still write comes too late, and breaks whatever runs just then."""

    def traces() -> Iterator[Trace]:
        yield FULL
        raise ValueError("half way")

    with pytest.raises(ValueError, match="half way"), (tmp_path / "t.parquet").open("wb") as raw:
        parquet.write_traces(raw, traces())
    gc.collect()  # a warning here, of what cannot be raised, is an error


def test_what_is_packed_is_read_by_others_and_theirs_by_us(tmp_path: Path) -> None:
    write_traces(str(tmp_path / "ours.jsonl.zst"), [FULL] * 2000)
    ours = (tmp_path / "ours.jsonl.zst").read_bytes()
    assert zstandard.ZstdDecompressor().stream_reader(ours).read().count(b"\n") == 2000
    theirs = zstandard.compress(codec.encode(FULL) + b"\n")
    (tmp_path / "theirs.jsonl.zst").write_bytes(theirs * 3)  # as `cat` joins them
    assert list(read_traces(str(tmp_path / "theirs.jsonl.zst"))) == [FULL] * 3


@pytest.mark.parametrize("damage", ["cut", "garbage behind it"])
def test_a_damaged_archive_is_said_to_be_one(tmp_path: Path, damage: str) -> None:
    write_traces(str(tmp_path / "t.jsonl.zst"), [FULL] * 2000)
    data = (tmp_path / "t.jsonl.zst").read_bytes()
    data = data[: len(data) // 2] if damage == "cut" else data + b"and more"
    (tmp_path / "t.jsonl.zst").write_bytes(data)
    with pytest.raises(InputError, match="cannot be unpacked"):
        list(readable(read_traces(str(tmp_path / "t.jsonl.zst"))))
