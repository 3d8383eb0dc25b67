"""`--engine` and `--shard` on the command line."""

from __future__ import annotations

import importlib.util
import subprocess
from pathlib import Path

import pytest

from prmdata.files import write_traces
from tests.run.sharded.test_parts import traces
from tests.warm import command


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return command(*words, folder=folder)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    write_traces(str(tmp_path / "t.jsonl"), traces(6))
    return tmp_path


@pytest.mark.skipif(importlib.util.find_spec("ray") is not None, reason="Ray is installed here")
def test_without_the_extra_it_says_which(place: Path) -> None:
    done = run(place, "verify", "t.jsonl", "-o", "v.jsonl", "--engine", "ray")
    assert done.returncode == 2
    assert "pip install 'prmdata[ray]'" in done.stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["-o", "v.jsonl", "--engine", "spark"], "choose here or ray"),
        (["-o", "v.jsonl", "--parts", "3"], "--parts belongs to ray"),
        (["--engine", "ray"], "name the input and -o"),
        (["-o", "v.jsonl", "--engine", "ray", "--shard", "1/2"], "leave --shard out"),
        (["-o", "v.jsonl", "--shard", "3/2"], "write it as I/N"),
    ],
)
def test_what_cannot_be_meant_is_refused(place: Path, words: list[str], message: str) -> None:
    done = run(place, "verify", "t.jsonl", *words)
    assert done.returncode == 2
    assert message in done.stderr
    assert not (place / "v.jsonl").exists()


def test_shards_of_any_stage_join_to_the_whole(place: Path) -> None:
    """Empty shards too."""
    for shard in range(1, 9):
        done = run(place, "verify", "t.jsonl", "--shard", f"{shard}/8", "-o", f"s{shard}.jsonl")
        assert done.returncode == 0, done.stderr
    assert min((place / f"s{i}.jsonl").stat().st_size for i in range(1, 9)) == 0
    shards = [f"s{i}.jsonl" for i in range(1, 9)]
    assert run(place, "merge", *shards, "-o", "m.jsonl").returncode == 0
    assert run(place, "verify", "t.jsonl", "-o", "one.jsonl").returncode == 0
    assert sorted((place / "m.jsonl").read_text().splitlines()) == sorted(
        (place / "one.jsonl").read_text().splitlines()
    )
