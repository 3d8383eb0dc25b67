"""What users get wrong: each is one clear message, the right exit code, and nothing lost."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from prmdata.abacus import story
from prmdata.files import codec, write_traces


def refused(done, code: int, *says: str) -> None:
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    for word in says:
        assert word in done.stderr
    assert len(done.stderr.strip().splitlines()) <= 6


def traces(count: int = 20) -> list[str]:
    return [
        json.dumps(
            {"id": f"p{i}/0", "problem": {"id": f"p{i}", "question": "?"}, "steps": [{"text": "x"}]}
        )
        for i in range(count)
    ]


@pytest.mark.parametrize(
    "command",
    [
        ("label",),
        ("estimate",),
        ("export", "-o", "out"),
        ("stats",),
        ("label", "--method", "threshold"),
    ],
)
def test_empty_input(prmdata, command: tuple[str, ...]) -> None:
    refused(prmdata(*command, stdin=""), 1, "input is empty")
    Path("empty.jsonl").write_text("")
    refused(prmdata(command[0], "empty.jsonl", *command[1:]), 1, "input is empty")


def test_empty_problems(prmdata) -> None:
    Path("empty.jsonl").write_text("\n\n")
    refused(prmdata("generate", "empty.jsonl", "-o", "t.jsonl"), 1, "input is empty")


@pytest.mark.parametrize("command", ["label", "export", "stats"])
def test_json_broken_on_line_17(prmdata, command: str) -> None:
    lines = traces()
    lines[16] = '{"id": "p16", "prob'
    Path("t.jsonl").write_text("\n".join(lines) + "\n")
    more = ["-o", "out.jsonl"] if command != "stats" else []
    refused(prmdata(command, "t.jsonl", *more), 1, "t.jsonl:17", "not JSON")
    assert not Path("out.jsonl").exists()


def test_problems_broken_on_line_13(prmdata) -> None:
    told = [story(0, index, 1 + index % 4) for index in range(12)]
    good = [json.dumps({"question": t.question, "answer": str(t.answer)}) for t in told]
    Path("p.jsonl").write_text("\n".join([*good, "{oops"]) + "\n")
    done = prmdata("generate", "p.jsonl", "-n", "4", "-o", "t.jsonl", "--prompt", "plain")
    refused(done, 1, "p.jsonl:13", "not JSON", "1 of 49 items failed", "--max-errors 1")
    assert not Path("t.jsonl").exists()
    done = prmdata(
        "generate", "p.jsonl", "-n", "4", "-o", "t.jsonl", "--max-errors", "1", "--prompt", "plain"
    )
    assert done.returncode == 0
    found = [json.loads(line) for line in Path("t.jsonl").read_text().splitlines()]
    assert [row["id"] for row in found if row["error"]] == ["p.jsonl:13"]
    assert len(found) == 49


def test_not_utf8(prmdata) -> None:
    Path("t.jsonl").write_bytes(b'{"id": "caf\xe9"}\n')
    refused(prmdata("label", "t.jsonl"), 1, "t.jsonl:1", "not UTF-8", "iconv")
    Path("p.jsonl").write_bytes(b'{"question": "caf\xe9"}\n')
    refused(prmdata("generate", "p.jsonl"), 1, "p.jsonl:1", "not UTF-8")


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ('{"question": ""}', "empty"),
        ('{"question": null, "answer": "3"}', "missing"),
        ('{"question": 7}', "not text"),
        ('{"text": "hello"}', "cannot tell which column holds the question (columns: text)"),
        ("[1]", "a list, where a JSON object is needed"),
    ],
)
def test_a_problem_without_a_question(prmdata, row: str, says: str) -> None:
    Path("p.jsonl").write_text(row + "\n")
    refused(prmdata("generate", "p.jsonl"), 1, "p.jsonl:1", says)


def test_duplicate_ids(prmdata) -> None:
    Path("p.jsonl").write_text('{"question": "a", "id": "x"}\n{"question": "b", "id": "x"}\n')
    refused(prmdata("generate", "p.jsonl"), 1, "problem id x comes twice")
    Path("t.jsonl").write_text("\n".join([*traces(2), traces(1)[0]]))
    refused(prmdata("label", "t.jsonl", "-o", "l.jsonl"), 1, "problem p0 comes up again")


def test_parquet_of_another_schema(prmdata) -> None:
    pq.write_table(pa.table({"text": ["a"]}), "t.parquet")
    refused(prmdata("label", "t.parquet"), 1, "t.parquet", "no column id, problem, steps")
    refused(prmdata("generate", "t.parquet"), 1, "--fields question=COLUMN")


@pytest.mark.parametrize("command", ["label", "verify", "stats"])
def test_an_archive_that_was_cut(prmdata, command: str) -> None:
    whole = gzip.compress("\n".join(traces(200)).encode())
    Path("t.jsonl.gz").write_bytes(whole[: len(whole) // 2])
    refused(prmdata(command, "t.jsonl.gz"), 1, "t.jsonl.gz:", "cannot be unpacked")


def test_a_bad_row_of_parquet_counts_as_one(prmdata) -> None:
    write_traces("t.parquet", [codec.decode_trace(line.encode(), "") for line in traces()])
    rows = pq.read_table("t.parquet")
    endings = pa.array([None] * 16 + ["gone"] + [None] * 3, rows.schema.field("finish").type)
    pq.write_table(
        rows.set_column(rows.schema.names.index("finish"), "finish", endings), "t.parquet"
    )
    refused(prmdata("verify", "t.parquet", "-o", "v.jsonl"), 1, "t.parquet:17", "1 of 20 items")
    done = prmdata("verify", "t.parquet", "-o", "v.jsonl", "--max-errors", "1")
    assert done.returncode == 0, done.stderr
    found = [json.loads(line) for line in Path("v.jsonl").read_text().splitlines()]
    assert [row["id"] for row in found if row["error"]] == ["t.parquet:17"]


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["generate", "abacus:3", "-n", "0"], 2, "-n 0"),
        (["generate", "abakus:3"], 2, "did you mean 'abacus'"),
        (["generate", "abacus:many"], 2, "whole number"),
        (["generate", "abacus"], 2, "abacus:COUNT"),
        (["generate", "abacus:3?depth=2"], 2, "unknown depth"),
        (["generate", "abacus:3", "--sampler", "vlm:x"], 2, "did you mean 'vllm'"),
        (["generate", "abacus:3", "--sampler", "local:no/such/folder"], 1, "no/such/folder"),
        (["generate", "abacus:3", "--steps", "line"], 2, "did you mean 'lines'"),
        (["generate", "abacus:3", "--keep", "0.9"], 2, "0.1..0.9"),
        (["generate", "abacus:3", "--shard", "4/3"], 2, "I/N"),
        (["generate", "abacus:3", "--grader", "mine"], 2, "module:function"),
        (["generate", "none.jsonl"], 1, "no such file"),
        (["generate", "t.csv"], 1, "no such file"),
        (["generate", "t.xlsx"], 2, "cannot tell the format"),
        (["label", "--method", "bisekt"], 2, "did you mean 'bisect'"),
        (["label", "--method", "mc"], 2, "prmdata estimate"),
        (["label", "--set", "rollouts=3"], 2, "unknown setting 'rollouts'"),
        (["label", "--set", "rollouts_per_probe"], 2, "name=value"),
        (["export", "--to", "stepwize"], 2, "did you mean 'stepwise'"),
        (["export", "--to", "TRL"], 2, "stepwise (PRMTrainer)"),
        (["label", "--sampler", "localhost:8000"], 2, "http://localhost:8000/v1"),
        (["label", "--sampler", "10.0.0.1:8000/v1"], 2, "http://10.0.0.1:8000/v1"),
        (["score", "--truth", "none"], 1, "input holds no trace"),
        (["lable"], 2, "lable"),
        (["label", "--max-errors", "few"], 2, "--max-errors few"),
        (["label", "--max-errors", "-1"], 2, "--max-errors -1"),
        (["label", "--max-errors", "nan%"], 2, "--max-errors nan%"),
        (["label", "--temperature", "-1"], 2, "--temperature -1"),
        (["generate", "abacus:3", "--temperature", "nan"], 2, "temperature"),
        (["label", "--method", "bisect", "--set", "rollouts_per_probe=0"], 2, ">= 1"),
        (["export", "--public", "-o", "out"], 2, "--push-to-hub"),
        (["stats", "/etc/hostname"], 1, "cannot tell the format"),
        (["export", "--score", "none", "-o", "out"], 1, "no such file or directory"),
    ],
)  # fmt: skip
def test_words_that_make_no_sense(prmdata, words: list[str], code: int, says: str) -> None:
    done = prmdata(*words, stdin="")
    assert done.returncode == code, done.stderr
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def test_an_output_that_cannot_be_written(prmdata) -> None:
    Path("file").write_text("")
    refused(prmdata("generate", "abacus:12", "-n", "4", "-o", "file/t.jsonl"), 1, "cannot write")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_target(shell) -> None:
    done = shell("prmdata generate abacus:12 -n 4 -q > /dev/full")
    assert done.returncode == 1
    assert "No space left" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("command", ["methods", "stats t.jsonl", "show t.jsonl -n 20"])
def test_figures_for_a_full_target(shell, command: str) -> None:
    Path("t.jsonl").write_text("\n".join(traces()) + "\n")
    done = shell(f"prmdata {command} > /dev/full")
    assert done.returncode == 1
    assert done.stderr.endswith("standard output: cannot write (No space left on device)\n")
    assert len(done.stderr.splitlines()) == 1


def test_a_plot_that_cannot_be_written(prmdata) -> None:
    prmdata("generate", "abacus:12", "-n", "4", "-o", "t.jsonl")
    prmdata("label", "t.jsonl", "-o", "l.jsonl")
    done = prmdata("score", "l.jsonl", "--truth", "abacus", "--plot", "no/p.svg")
    refused(done, 1, "no/p.svg: cannot write")


def test_an_input_is_not_overwritten(prmdata) -> None:
    Path("parts").mkdir()
    before = "\n".join(traces()) + "\n"
    Path("parts/t.jsonl").write_text(before)
    Path("link.jsonl").symlink_to("parts/t.jsonl")
    for source, target in (
        ("parts/t.jsonl", "parts/t.jsonl"),
        ("parts/t.jsonl", "link.jsonl"),
        ("parts", "parts/u.jsonl"),
        ("parts", "parts"),
    ):
        for command in (("label",), ("export", "--to", "records")):
            done = prmdata(*command, source, "-o", target, "--overwrite")
            refused(done, 2, f"-o {target}", "choose another output")
    assert Path("parts/t.jsonl").read_text() == before


def test_what_failed_whole_may_be_tried_with_other_settings(prmdata) -> None:
    row = json.loads(traces(1)[0])
    row["evidence"] = [{"name": "mc", "kind": "rollouts", "values": [0.5]}]
    Path("t.jsonl").write_text(json.dumps(row) + "\n")
    words = ("label", "t.jsonl", "--method", "threshold", "-o", "l.jsonl")
    refused(prmdata(*words, "--set", "evidence=none-such"), 1, "1 of 1 items failed")
    assert prmdata(*words, "--set", "evidence=mc").returncode == 0
    refused(prmdata(*words, "--set", "evidence=other"), 2, "holds a run with other settings")


def test_what_could_not_be_labelled_is_told(prmdata) -> None:
    Path("t.jsonl").write_text("\n".join(traces(3)) + "\n")
    done = prmdata("label", "t.jsonl", "-o", "l.jsonl")
    assert "0 right, 0 wrong, 3 not graded · 3 left without labels" in done.stderr


def test_what_stays_undecided_is_told(prmdata) -> None:
    row = json.loads(traces(1)[0])
    row["evidence"] = [{"name": "sums", "kind": "verdicts", "verdicts": ["unknown"]}]
    Path("t.jsonl").write_text(json.dumps(row) + "\n")
    done = prmdata("label", "t.jsonl", "--method", "threshold", "-o", "l.jsonl")
    assert "0 labelled by examination, 0 taken at their word, 1 undecided" in done.stderr


def test_an_output_that_somebody_else_made(prmdata) -> None:
    Path("t.jsonl").write_text("precious\n")
    refused(prmdata("generate", "abacus:12", "-o", "t.jsonl"), 2, "t.jsonl", "--overwrite")
    assert Path("t.jsonl").read_text() == "precious\n"


def test_evidence_that_is_not_there(prmdata) -> None:
    wrong = [json.dumps({**json.loads(line), "correct": False}) for line in traces()]
    Path("t.jsonl").write_text("\n".join(wrong) + "\n")
    done = prmdata("label", "t.jsonl", "--method", "threshold", "-o", "l.jsonl")
    refused(done, 1, "has no evidence", "prmdata estimate", "11 of 11 items failed")


def test_exporting_what_nobody_labelled(prmdata) -> None:
    Path("t.jsonl").write_text("\n".join(traces()) + "\n")
    refused(prmdata("export", "t.jsonl", "-o", "out"), 1, "none of 20 traces", "prmdata label")


@pytest.mark.parametrize("target", ["out", "out.jsonl", "out.parquet"])
def test_an_exported_dataset_is_no_traces(prmdata, target: str) -> None:
    prmdata("generate", "abacus:12", "-n", "4", "-o", "t.jsonl")
    prmdata("label", "t.jsonl", "-o", "l.jsonl")
    assert prmdata("export", "l.jsonl", "-o", target).returncode == 0
    for reader in (("show",), ("stats",), ("score",), ("report", "-o", "r.html")):
        refused(
            prmdata(reader[0], target, *reader[1:]), 1, "is an exported dataset", "--to records"
        )
    prmdata("export", "l.jsonl", "--to", "records", "-o", "records.jsonl")
    assert prmdata("show", "records.jsonl").returncode == 0


def test_truth_cannot_be_decided_from(prmdata) -> None:
    row = {**json.loads(traces(1)[0]), "correct": False}
    row["evidence"] = [{"name": "gold", "kind": "truth", "verdicts": ["wrong"]}]
    Path("t.jsonl").write_text(json.dumps(row) + "\n")
    for more in ([], ["--set", "evidence=gold"]):
        done = prmdata(
            "label", "t.jsonl", "--method", "threshold", "--overwrite", "-o", "l.jsonl", *more
        )
        refused(done, 1, "has no evidence")


def test_files_of_another_kind_than_the_command_takes(prmdata) -> None:
    Path("t.jsonl").write_text("\n".join(traces(2)) + "\n")
    Path("t.csv").write_text("question,answer\n1 + 1?,2\n")
    Path("t.json").write_text('[{"question": "1 + 1?", "answer": "2"}, {"question')
    Path("deep.jsonl").write_text('{"question": ' + "[" * 9999 + "\n")
    refused(prmdata("generate", "t.jsonl"), 2, "t.jsonl:1", "prmdata label")
    refused(prmdata("import", "t.jsonl"), 2, "t.jsonl:1", "a trace already")
    refused(prmdata("label", "t.csv"), 1, "t.csv", "prmdata import")
    refused(prmdata("generate", "t.json"), 1, "t.json", "a JSON array that is broken")
    refused(prmdata("generate", "deep.jsonl"), 1, "deep.jsonl:1", "nested too deeply")
    refused(prmdata("generate", "t.csv", "-o", "t2.csv"), 2, "t2.csv", "cannot tell the format")


def test_a_table_in_a_pipe(prmdata) -> None:
    done = prmdata("import", "-", stdin="question,answer\n1 + 1?,2\n")
    refused(done, 1, "standard input:1", "by its name")


def test_columns_that_are_misspelt(prmdata) -> None:
    Path("p.csv").write_text("question,gold,out\n1 + 1?,2,So 2.\n")
    refused(prmdata("generate", "p.csv", "--fields", "answer=gould"), 2, "did you mean 'gold'")
    words = ("import", "p.csv", "--fields", "question=question,response=ouput,answer=gold")
    refused(prmdata(*words), 2, "--fields ouput", "did you mean 'out'")
    refused(prmdata("import", "p.csv", "--fields", "question=question"), 2, "response=COLUMN")
    done = prmdata("import", "p.csv", "--fields", "question=question,response=out,answer=gold")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["correct"] is True
