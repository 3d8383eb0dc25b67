"""Other weights, another fingerprint; large ones are read once."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from prmdata.sampler.models import fingerprint
from prmdata.sampler.models.fingerprint import folder_fingerprint, other_weights


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    model = tmp_path / "model"
    model.mkdir()
    (model / "model.safetensors").write_bytes(bytes(1000))
    (model / "tokenizer.json").write_text("{}")
    return model


def test_all_that_decides_what_is_drawn_counts(folder: Path) -> None:
    seen = [folder_fingerprint(folder), folder_fingerprint(folder, "bfloat16")]
    (folder / "README.md").write_text("about it")
    assert folder_fingerprint(folder) == seen[0]
    for name, content in [
        ("model.safetensors", bytes(999) + b"1"),
        ("tokenizer.json", b"[]"),
        ("config.json", b"{}"),
    ]:
        (folder / name).write_bytes(content)
        seen.append(folder_fingerprint(folder))
    assert len(set(seen)) == len(seen)
    assert not (folder.parent / "cache").exists()


def test_large_folders_are_read_once_while_they_stay_as_they_are(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = folder_fingerprint(folder)
    read = []
    whole = fingerprint._read
    monkeypatch.setattr(fingerprint, "LARGE", 100)
    monkeypatch.setattr(fingerprint, "_read", lambda *a: read.append(1) or whole(*a))
    assert folder_fingerprint(folder) == small == folder_fingerprint(folder)
    assert len(read) == 1
    weights = folder / "model.safetensors"
    weights.write_bytes(bytes(999) + b"2")  # of the same size
    os.utime(weights, ns=(1, 2))
    assert folder_fingerprint(folder) == whole([weights, folder / "tokenizer.json"], ()) != small
    assert len(read) == 2
    assert folder_fingerprint(folder, "float32") != folder_fingerprint(folder)
    for torn in (folder.parent / "cache").rglob("*"):
        if torn.is_file():
            torn.write_text("0f")
    assert folder_fingerprint(folder) != small
    assert len(read) == 4
    assert folder_fingerprint(folder, "float32")
    assert len(read) == 5


def test_a_home_that_cannot_be_written_costs_only_time(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = folder_fingerprint(folder)
    monkeypatch.setattr(fingerprint, "LARGE", 100)
    monkeypatch.setenv("XDG_CACHE_HOME", "/dev/null")
    assert folder_fingerprint(folder) == small


@pytest.mark.parametrize(
    ("one", "other", "differ"),
    [
        ("0123-cpu-bfloat16", "0123-served", False),
        ("0123-cpu-bfloat16", "0124-cpu-bfloat16", True),
        ("named-0123-step100", "named-0124-step200", True),
        ("named-0123-step100", "0124-vllm-float16", False),
        ("named-0123-step100", "named-0123-step100", False),
    ],
)
def test_one_model_run_in_two_ways_is_no_other_model(one: str, other: str, differ: bool) -> None:
    assert other_weights(one, other) is differ
