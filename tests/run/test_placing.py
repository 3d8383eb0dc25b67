"""Replacing a target: killed at any instant it goes on, and nothing of anybody else is touched."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from prmdata.errors import OutputError, SettingsChanged, UsageError
from prmdata.files import read_traces
from prmdata.records import Problem, Trace
from prmdata.run.manifest import run_folder
from prmdata.run.target import FileOutput

ROOT = Path(__file__).parents[2]
A, B = (Trace(id=f"{p}/0", problem=Problem(p, "?")) for p in "ab")


@pytest.mark.slow
@pytest.mark.parametrize("target", ["parts", "t.jsonl"])
@pytest.mark.parametrize("manner", ["exchange", "moves"])
def test_a_run_that_dies_at_any_step_of_replacing_goes_on(target: str, manner: str) -> None:
    words = [sys.executable, "-m", "tests.run.dying", target, manner]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(words, capture_output=True, text=True, env=env)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) >= 8


def finished(target: str, *, overwrite: bool = False, k: int = 1) -> None:
    output = FileOutput(target, "label", {"k": k}, {}, overwrite=overwrite)
    try:
        output.accept(0, "0" * 32, [A if k == 1 else B])
        output.finish({})
    finally:
        output.close()


FOREIGN: list[Callable[[Path], object]] = [
    lambda place: (place / "notes.txt").write_text("mine"),
    lambda place: (place / ".git").mkdir(),
    lambda place: (place / "part-00007.parquet").write_text("mine"),
    lambda place: (place / "data" / "more").mkdir(parents=True),
    lambda place: (place / "link").symlink_to("nowhere"),
]


@pytest.mark.parametrize("add", FOREIGN, ids=range(len(FOREIGN)))
def test_what_others_put_into_a_target_is_never_deleted(add: Callable[[Path], object]) -> None:
    finished("parts")
    add(Path("parts"))
    before = sorted(Path("parts").rglob("*"))
    with pytest.raises(OutputError, match="which prmdata did not write"):
        finished("parts", overwrite=True, k=2)
    assert sorted(Path("parts").rglob("*")) == before


@pytest.mark.parametrize("name", ["parts.replaced", "parts.new", ".prmdata.replaced"])
@pytest.mark.parametrize("full", [True, False])
def test_neighbours_with_names_like_ours_are_left_alone(name: str, full: bool) -> None:
    Path(name).mkdir()
    if full:
        Path(name, "mine").write_text("mine")
    finished("parts")
    finished("parts", overwrite=True, k=2)
    assert list(read_traces("parts")) == [B]
    assert [path.name for path in Path(name).iterdir()] == ["mine"] * full


def test_a_folder_of_others_is_not_taken_for_a_target() -> None:
    Path("mine").mkdir()
    Path("mine/part-00000.parquet").write_text("precious")
    with pytest.raises(SettingsChanged):
        finished("mine")
    assert not Path(".prmdata").exists()
    with pytest.raises(OutputError, match=r"holds part-00000\.parquet"):
        finished("mine", overwrite=True)
    assert Path("mine/part-00000.parquet").read_text() == "precious"


def test_a_remote_folder_loses_only_its_own_old_files() -> None:
    import fsspec

    memory = fsspec.filesystem("memory")
    finished("memory://placing/parts")
    finished("memory://placing/parts", overwrite=True, k=2)
    assert list(read_traces("memory://placing/parts")) == [B]
    memory.pipe("/placing/parts/mine.txt", b"mine")
    with pytest.raises(OutputError, match=r"holds mine\.txt"):
        finished("memory://placing/parts", overwrite=True)
    assert memory.cat("/placing/parts/mine.txt") == b"mine"


def test_a_link_stays_a_link_and_its_file_is_replaced() -> None:
    Path("elsewhere").mkdir()
    Path("t.jsonl").symlink_to("elsewhere/real.jsonl")
    Path("parts").symlink_to("elsewhere/folder")
    for target, real in (("t.jsonl", "elsewhere/real.jsonl"), ("parts", "elsewhere/folder")):
        finished(target)
        finished(target, overwrite=True, k=2)
        assert Path(target).is_symlink()
        assert not Path(real).is_symlink()
        assert list(read_traces(real)) == [B]


@pytest.mark.parametrize("target", [".", "..", "../..", "./", "/"])
def test_no_folder_that_we_are_in_is_a_target(target: str) -> None:
    before = sorted(Path("..").iterdir())
    for overwrite in (True, False):
        with pytest.raises(UsageError, match="the folder you are in"):
            finished(target, overwrite=overwrite)
    assert sorted(Path("..").iterdir()) == before
    assert not Path(".prmdata").exists()


def test_a_target_called_like_the_store_leaves_the_store_alone() -> None:
    store = Path(".prmdata/store")
    store.mkdir(parents=True)
    (store / "x.jsonl").write_text("row")
    (store / "f.sampler.json").write_text("{}")
    for target in ("store", "remote", "=store"):
        finished(target)
        finished(target, overwrite=True, k=2)
    assert sorted(path.name for path in store.iterdir()) == ["f.sampler.json", "x.jsonl"]
    assert len({run_folder(target) for target in ("store", "=store", "==store", "remote")}) == 4
    other = Path(".prmdata/mine")
    other.mkdir()
    (other / "f.sampler.json").write_text("{}")
    with pytest.raises(UsageError, match="is a rollout store"):
        finished("mine")


def test_a_file_and_a_folder_do_not_replace_each_other() -> None:
    Path("parts").write_text("mine")
    with pytest.raises(OutputError, match="is a file"):
        finished("parts", overwrite=True)
    Path("t.jsonl").mkdir()
    with pytest.raises(OutputError, match="is a folder"):
        finished("t.jsonl", overwrite=True)
    assert Path("parts").read_text() == "mine"
