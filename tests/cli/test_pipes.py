"""The pipe as the README has it: stages joined by pipes or files, resumed, cut short."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import datasets
import pytest

Shell = Callable[..., object]


def rows(path: str) -> list[dict]:
    return [json.loads(line) for line in Path(path).read_text().splitlines()]


def test_pipes_and_files_make_the_same_dataset(shell) -> None:
    piped = shell(
        "prmdata generate abacus:12 -n 4 | prmdata label | prmdata export --to stepwise -o piped/"
    )
    assert piped.returncode == 0, piped.stderr
    filed = shell(
        "prmdata generate abacus:12 -n 4 -o t.jsonl.zst && prmdata label t.jsonl.zst -o l.parquet "
        "&& prmdata export l.parquet --to stepwise -o filed/"
    )
    assert filed.returncode == 0, filed.stderr
    both = [
        sorted(datasets.load_dataset(name)["train"], key=lambda row: row["trace_id"])
        for name in ("piped", "filed")
    ]
    assert len(both[0]) == 48
    assert both[0] == both[1]
    assert {label for row in both[0] for label in row["labels"]} == {-100, 0, 1}


def test_pipes_that_have_names(shell) -> None:
    named = shell(
        "mkfifo traces; prmdata generate abacus:12 -n 4 -q > traces & "
        "prmdata label traces -q -o >(gzip > l.jsonl.gz); wait; "
        "prmdata export <(zcat l.jsonl.gz) --to records -o l.jsonl -q && "
        "prmdata stats <(cat l.jsonl) > stats && prmdata label l.jsonl -o /dev/null -q"
    )
    assert named.returncode == 0, named.stderr
    assert named.stderr == ""
    assert len(rows("l.jsonl")) == 48
    assert all(row["labels"]["by"] == "posterior" for row in rows("l.jsonl"))
    assert Path("/dev/null").is_char_device()
    asked = shell('prmdata generate <(echo \'{"question": "1 + 1?"}\') -n 1 --dry-run')
    assert asked.returncode == 0, asked.stderr


@pytest.mark.parametrize("words", [["/dev/tty"], ["t.jsonl", "-o", "/dev/tty"]])
def test_a_device_that_cannot_be_opened_is_said(words: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "prmdata", "label", *words],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        start_new_session=True,  # so that there is no terminal
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert "/dev/tty: cannot be opened (No such device or address); name a file" in done.stderr


def test_traces_of_another_model_are_told_of(shell) -> None:
    """Their labels are what this sampler would make of them."""
    made = shell("prmdata generate abacus:12 -n 4 -o t.jsonl && prmdata label t.jsonl -o own.jsonl")
    assert made.returncode == 0, made.stderr
    assert "another model" not in made.stderr
    traces = rows("t.jsonl")
    for trace in traces[:8]:
        trace["origin"]["model"] = "0123456789abcdef-cpu-bfloat16"
    Path("t.jsonl").write_text("".join(json.dumps(trace) + "\n" for trace in traces))
    done = shell("prmdata label t.jsonl -o l.jsonl --summary s.json")
    assert done.returncode == 0, done.stderr
    assert "8 written by another model than the sampler's" in done.stderr
    assert json.loads(Path("s.json").read_text())["of_another_model"] == 8
    decided = shell("prmdata estimate t.jsonl | prmdata label --method threshold -o d.jsonl")
    assert decided.stderr.count("another model") == 1  # threshold asks no sampler


def test_deciding_from_evidence(shell) -> None:
    done = shell(
        "prmdata generate abacus:12 -n 4 | prmdata estimate | prmdata label --method threshold "
        "| prmdata export --to records -o out.jsonl"
    )
    assert done.returncode == 0, done.stderr
    found = rows("out.jsonl")
    assert len(found) == 48
    assert all(row["labels"]["by"] == "threshold" for row in found)
    assert all(row["evidence"][0]["name"] == "mc" for row in found)


@pytest.mark.parametrize(
    "middle", ["a.jsonl", "a.jsonl.gz", "a.jsonl.zst", "a.parquet", "a", "memory"]
)
def test_files_of_every_kind_between_stages(shell, middle: str) -> None:
    done = shell(f"prmdata generate abacus:12 -n 4 -o {middle} && prmdata stats {middle} --json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["traces"] == 48


def test_stdout_in_a_file_is_plain_records(shell) -> None:
    assert shell("prmdata generate abacus:12 -n 4 > t.jsonl").returncode == 0
    found = rows("t.jsonl")
    assert len(found) == 48
    assert {row["stream"] for row in found} == {None}
    assert all("".join(step["text"] for step in row["steps"]) for row in found)


def test_every_line_of_a_pipe_is_a_trace(shell) -> None:
    done = shell("prmdata generate abacus:12 -n 4 | cat")
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row["stream"] for row in found] == ["more"] * 47 + ["end"]
    assert all(row["problem"]["id"] for row in found)


def test_a_closed_pipe_ends_quietly(shell) -> None:
    done = shell("prmdata generate abacus:12 -n 4 -q | head -1")
    assert done.stdout.count("\n") == 1
    assert done.stderr == ""
    assert done.returncode == 0


def test_a_closed_pipe_ends_a_show_quietly(shell) -> None:
    shell("prmdata generate abacus:12 -n 4 -q -o t.jsonl")
    done = shell("prmdata show t.jsonl -n 48 | sed -n 1q")  # more than a pipe holds
    assert (done.returncode, done.stderr) == (0, "")


def test_a_stage_whose_upstream_died_finishes_nothing(shell) -> None:
    done = shell("prmdata generate abacus:12 -n 4 | head -20 | prmdata label -o l.jsonl")
    assert done.returncode == 1
    assert "without its end mark" in done.stderr
    assert "Traceback" not in done.stderr
    assert not Path("l.jsonl").exists()


def test_a_complete_output_is_left_alone(shell) -> None:
    make = "prmdata generate abacus:12 -n 4 -o t.jsonl && prmdata label t.jsonl -o l.jsonl"
    assert shell(make).returncode == 0
    before = [Path(p).stat().st_mtime_ns for p in ("t.jsonl", "l.jsonl")]
    again = shell(make)
    assert again.returncode == 0
    assert again.stderr.count("is up to date") == 2
    assert [Path(p).stat().st_mtime_ns for p in ("t.jsonl", "l.jsonl")] == before


def test_other_settings_are_exit_code_2_and_named(prmdata) -> None:
    assert prmdata("generate", "abacus:12", "-n", "4", "-o", "t.jsonl").returncode == 0
    done = prmdata("generate", "abacus:12", "-n", "4", "--seed", "1", "-o", "t.jsonl")
    assert done.returncode == 2
    assert "seed: made with 0, now 1" in done.stderr


def test_shards_merge_into_the_whole(shell) -> None:
    done = shell(
        "prmdata generate abacus:12 -n 4 -o whole.jsonl && "
        "for i in 1 2 3; do prmdata generate abacus:12 -n 4 --shard $i/3 -o part$i.jsonl; done && "
        "prmdata merge part3.jsonl part1.jsonl part2.jsonl -o merged.jsonl && "
        "prmdata merge whole.jsonl -o sorted.jsonl"
    )
    assert done.returncode == 0, done.stderr
    assert Path("merged.jsonl").read_bytes() == Path("sorted.jsonl").read_bytes()
    assert len(rows("part1.jsonl")) < 48


def test_a_budget_ends_a_run_resumably(shell) -> None:
    shell("prmdata generate abacus:12 -n 4 -o t.jsonl")
    spent = shell("prmdata label t.jsonl -o l.jsonl --max-tokens-total 2000 --concurrency 2")
    assert spent.returncode == 1
    assert "budget of 2,000 tokens is spent" in spent.stderr
    assert not Path("l.jsonl").exists()
    done = shell("prmdata label t.jsonl -o l.jsonl --summary s.json")
    assert done.returncode == 0, done.stderr
    summary = json.loads(Path("s.json").read_text())
    assert 0 < summary["resumed"] < 48
    assert summary["traces"] == 48


def test_dry_run_counts_and_spends_nothing(shell) -> None:
    shell("prmdata generate abacus:12 -n 4 -o t.jsonl")
    done = shell("prmdata label t.jsonl --dry-run --tokens-per-second 100")
    assert done.returncode == 0
    assert "completions · about" in done.stderr
    assert "minutes at 100 tokens/s" in done.stderr
    assert (
        "96 completions · at most 98,304 tokens"
        in shell("prmdata generate abacus:12 -n 8 --dry-run").stderr
    )


def test_keep_says_how_many_went(shell) -> None:
    done = shell("prmdata generate abacus:12 -n 4 --keep 0.3..0.7 -o t.jsonl")
    assert done.returncode == 0, done.stderr
    rates = {row["problem"]["id"]: row["group"]["right"] / 4 for row in rows("t.jsonl")}
    assert rates
    assert all(0.3 <= rate <= 0.7 for rate in rates.values())
    assert f"{12 - len(rates)} of 12 problems outside --keep" in done.stderr


def test_keep_that_keeps_nothing_leaves_nothing_behind(shell) -> None:
    line = "prmdata generate abacus:12 -n 4 -o none.jsonl --keep"
    for _ in range(2):  # and is not up to date afterwards
        done = shell(f"{line} 0.99..0.999")
        assert done.returncode == 1
        assert "widen it, or sample more traces" in done.stderr
        assert not Path("none.jsonl").exists()
    done = shell(f"{line} 0.2..0.8")
    assert done.returncode == 0, done.stderr
    assert rows("none.jsonl")


@pytest.mark.slow
def test_traces_that_are_cut_say_what_to_try(shell) -> None:
    advice = (
        "are cut by the token limit: raise --max-tokens, or, where the model thinks first, try "
        "--template-arg enable_thinking=false\n"
    )
    line = "prmdata generate abacus:3 -n 2 --sampler abacus -o t.jsonl --max-tokens"
    done = shell(f"{line} 8")
    assert done.returncode == 0, done.stderr
    assert done.stderr.endswith(f"generate: warning: 6 of 6 traces {advice}")
    assert "6 cut by the token limit" in done.stderr.splitlines()[-2]
    done = shell(f"{line} 8 --keep 0.1..0.9 --overwrite")
    assert done.returncode == 0, done.stderr
    assert f"6 of 6 traces {advice}" in done.stderr
    assert "warning: 3 of the 3 problems kept may lie outside --keep" in done.stderr
    done = shell(f"{line} 200 --keep 0.99..0.999 --overwrite")
    assert "widen it, or sample more traces" in done.stderr
    done = shell("prmdata generate abacus:12 -n 4 -o all.jsonl")
    assert "--max-tokens" not in done.stderr


def test_the_demo_runs_on_the_real_model(shell) -> None:
    done = shell("prmdata demo --problems 8 -n 4")
    assert done.returncode == 0, done.stderr
    assert "first wrong step" in done.stdout
    assert "First errors found exactly" in done.stdout
    assert "Report  demo-output/report.html" in done.stdout
    assert "--truth abacus -o demo-output/report.html" in done.stderr
    assert b"prmdata" in Path("demo-output/report.html").read_bytes()[:1000]
    loaded = datasets.load_dataset("demo-output/dataset")["train"]
    assert len(loaded) == 32


def test_show_and_score_look_at_the_result(shell) -> None:
    shell("prmdata generate abacus:12 -n 4 | prmdata label -o l.jsonl")
    shown = shell("prmdata show l.jsonl --wrong")
    assert "first wrong step" in shown.stdout
    wrong = next(r for r in rows("l.jsonl") if r["labels"]["first_error"] is not None)
    assert wrong["id"] in shell(f"prmdata show l.jsonl --id {wrong['id']}").stdout
    scored = shell("prmdata score l.jsonl --truth abacus --json")
    figures = json.loads(scored.stdout)
    assert figures["traces"] == 48
    for name in ("exact", "f1", "tokens", "rollouts", "rounds", "step_accuracy"):
        assert figures[name] is not None
    truth = shell("prmdata truth l.jsonl -o v.jsonl && prmdata score v.jsonl --json")
    assert json.loads(truth.stdout) == figures


def test_an_engine_in_process_is_refused_in_a_pipe_and_nowhere_else(shell) -> None:
    """Output that somebody captures is no pipe of stages; what asks no sampler loads none."""
    refused = shell("prmdata generate abacus:1 --sampler vllm:abacus | cat")
    assert refused.returncode == 2
    assert "once for every stage of this pipe" in refused.stderr
    assert shell("prmdata generate abacus:12 -n 4 | prmdata estimate -o e.jsonl").returncode == 0
    decided = shell(
        "export PRMDATA_SAMPLER=vllm:abacus; cat e.jsonl | prmdata label --method threshold | cat"
    )
    assert decided.returncode == 0, decided.stderr
    for line in ("generate abacus:1 -o t.jsonl", "label e.jsonl -o t.jsonl"):
        away = shell(f"echo | prmdata {line} --sampler vllm:/no/folder | cat")
        assert "there is no folder /no/folder" in away.stderr or "not installed" in away.stderr


def test_the_program_starts_by_itself_and_makes_the_same(
    shell, surroundings: dict[str, str]
) -> None:
    """The other tests fork from a process that has imported everything; here nothing is shared, and
    sets are in another order."""
    line = "generate abacus:12 -n 4 | label | export --to stepwise"
    warm = shell(" | ".join(f"prmdata {part} -q" for part in line.split(" | ")))
    program = f'"{sys.executable}" -m prmdata'
    cold = subprocess.run(
        ["bash", "-c", " | ".join(f"{program} {part} -q" for part in line.split(" | "))],
        capture_output=True,
        text=True,
        env={**surroundings, "PYTHONHASHSEED": "7"},
    )
    assert (cold.returncode, cold.stderr) == (warm.returncode, warm.stderr) == (0, "")
    assert sorted(cold.stdout.splitlines()) == sorted(warm.stdout.splitlines())
    assert len(cold.stdout.splitlines()) == 48
