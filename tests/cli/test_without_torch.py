"""What works where torch is not installed: all but `local:` models."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

BLOCK = """
import sys
for name in ("torch", "safetensors", "transformers", "datasets"):
    sys.modules[name] = None
from prmdata.cli import main
sys.argv = ["prmdata", *sys.argv[1:]]
main()
"""
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def bare(tmp_path: Path) -> Run:
    program = tmp_path / "bare.py"
    program.write_text(BLOCK)

    def run(*words: str, code: int = 0) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, str(program), *words]
        done = subprocess.run(command, capture_output=True, text=True, env=os.environ, cwd=tmp_path)
        assert done.returncode == code, done.stderr
        return done

    return run


@pytest.mark.slow
def test_the_whole_pipeline_runs(bare: Run, tmp_path: Path) -> None:
    bare("generate", "abacus:3", "-n", "2", "-o", "t.jsonl")
    bare("verify", "t.jsonl", "--with", "arithmetic", "-o", "v.jsonl")
    bare("label", "v.jsonl", "--method", "hybrid", "-o", "h.jsonl")
    bare("label", "v.jsonl", "--method", "bisect", "-o", "b.jsonl")
    bare("export", "b.jsonl", "--to", "stepwise", "-o", "dataset")
    bare("score", "b.jsonl", "--truth", "abacus")
    bare("stats", "b.jsonl")
    bare("show", "b.jsonl")
    assert list((tmp_path / "dataset").glob("**/*.parquet"))


def test_foreign_traces_are_read_and_graded(bare: Run, tmp_path: Path) -> None:
    rows = '{"id": "1", "problem": "1+1?", "steps": ["1 + 1 = 2", "So 2."], "label": -1, "final_answer_correct": true}\n'
    (tmp_path / "p.jsonl").write_text(rows)
    (tmp_path / "g.jsonl").write_text('{"id": "1", "gold": "2", "text": "The answer is 2."}\n')
    bare("import", "p.jsonl", "--from", "processbench", "-o", "i.jsonl")
    bare("grade", "g.jsonl", "--fields", "answer=gold,response=text", "-o", "graded.jsonl")


def test_a_model_on_torch_says_what_to_install(bare: Run, tmp_path: Path) -> None:
    said = bare("generate", "abacus:1", "--sampler", "local:abacus", "-o", "t.jsonl", code=1).stderr
    assert "pip install 'prmdata[local]'" in said


def test_doctor_says_what_is_missing(bare: Run) -> None:
    assert "unknown without torch" in bare("doctor").stdout
