from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from prmdata.errors import InputError, OutputError, SettingsChanged, UsageError
from prmdata.files import read_traces
from prmdata.records import Problem, Trace
from prmdata.run.manifest import input_state, run_folder
from prmdata.run.target import FileOutput, is_up_to_date

A, B, C = (Trace(id=f"{p}/0", problem=Problem(p, "?")) for p in "abc")
KEYS = [f"{i:032x}" for i in range(3)]


def opened(
    target: str = "t.jsonl", k: int = 8, inputs: dict[str, str] | None = None, **more: bool
) -> FileOutput:
    return FileOutput(target, "label", {"k": k}, inputs or {}, **more)


@pytest.mark.parametrize(
    "target", ["t.jsonl", "t.jsonl.zst", "t.parquet", "parts", "memory://x/t.jsonl"]
)
def test_the_target_appears_whole_and_in_input_order(target: str) -> None:
    output = opened(target)
    for index, trace in ((2, C), (0, A), (1, B)):
        output.accept(index, KEYS[index], [trace])
    assert not Path(target).exists()
    output.finish({"n": 3})
    output.close()
    assert list(read_traces(target)) == [A, B, C]
    manifest = json.loads((run_folder(target) / "manifest.json").read_text())
    assert manifest["complete"] is True
    assert manifest["summary"] == {"n": 3}
    again = opened(target)
    assert again.up_to_date
    again.close()


def test_an_unfinished_run_goes_on_where_it_stopped() -> None:
    first = opened()
    first.accept(1, KEYS[1], [B])
    first.close()
    second = opened()
    assert not second.up_to_date
    assert second.known(0, KEYS[0]) is None
    assert second.known(1, KEYS[1]) == [B]
    second.accept(0, KEYS[0], [A])
    second.finish({})
    second.close()
    assert list(read_traces("t.jsonl")) == [A, B]


def test_a_torn_journal_loses_its_last_row_only() -> None:
    first = opened()
    first.accept(0, KEYS[0], [A])
    first.accept(1, KEYS[1], [B])
    first.close()
    (journal,) = run_folder("t.jsonl").glob("journal-*")
    journal.write_bytes(journal.read_bytes()[:-5])
    second = opened()
    assert second.known(0, KEYS[0]) == [A]
    assert second.known(1, KEYS[1]) is None
    second.close()
    journal.write_bytes(b"garbage\n" + journal.read_bytes())
    with pytest.raises(OutputError, match="journal is damaged"):
        opened()


def test_no_flipped_bit_in_a_journal_becomes_a_trace() -> None:
    first = opened()
    for index, trace in enumerate((A, B, C)):
        first.accept(index, KEYS[index], [trace])
    first.close()
    (journal,) = run_folder("t.jsonl").glob("journal-*")
    whole = journal.read_bytes()
    noticed = 0
    for bit in random.Random(3).sample(range(8 * len(whole)), 300):
        flipped = bytearray(whole)
        flipped[bit // 8] ^= 1 << bit % 8
        journal.write_bytes(flipped)
        try:
            again = opened()
        except OutputError:
            noticed += 1
            continue
        found = [again.known(index, key) for index, key in enumerate(KEYS)]
        again.close()
        assert all(one in (None, [trace]) for one, trace in zip(found, (A, B, C), strict=True))
    assert noticed > 280


@pytest.mark.parametrize("row", [b"[" * 4000, b"null", b"{}", b'{"key":"zz","traces":[]}', b""])
def test_a_foreign_row_in_a_journal_is_one_message(row: bytes) -> None:
    opened().close()
    (run_folder("t.jsonl") / "journal-0.jsonl").write_bytes(row + b"\n")
    with pytest.raises(OutputError, match="journal is damaged"):
        opened()


def test_a_disk_that_fills_up_leaves_a_journal_that_can_be_read() -> None:
    words = [sys.executable, "-c", FILLING]
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(words, capture_output=True, text=True, env=env)
    assert done.returncode == 0, done.stderr
    again = opened()
    assert [again.known(index, key) for index, key in enumerate(KEYS)] == [[A], None, [C]]
    again.close()


FILLING = """
import resource, signal
from prmdata.errors import OutputError
from tests.run.test_target import A, B, C, KEYS, opened, run_folder

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
output = opened()
output.accept(0, KEYS[0], [A])
(journal,) = run_folder("t.jsonl").glob("journal-*")
resource.setrlimit(resource.RLIMIT_FSIZE, (journal.stat().st_size + 50, -1))
try:
    output.accept(1, KEYS[1], [B])
    raise SystemExit("it was written")
except OutputError:
    pass
resource.setrlimit(resource.RLIMIT_FSIZE, (-1, -1))
output.accept(2, KEYS[2], [C])
"""


def test_failed_items_get_another_try() -> None:
    first = opened()
    first.accept(0, KEYS[0], [A.failed("server gone")])
    first.close()
    second = opened()
    assert second.known(0, KEYS[0]) is None
    second.close()


@pytest.fixture
def done() -> None:
    output = opened(inputs={"in.jsonl": "v1"})
    output.accept(0, KEYS[0], [A])
    output.finish({})
    output.close()


@pytest.mark.usefixtures("done")
def test_other_settings_are_refused_by_name_unless_overwritten() -> None:
    with pytest.raises(SettingsChanged, match=r"k: made with 8, now 9") as refusal:
        opened(k=9, inputs={"in.jsonl": "v1"})
    assert refusal.value.exit_code == 2
    with pytest.raises(SettingsChanged, match="input"):
        opened(inputs={"other.jsonl": "v1"})
    assert list(read_traces("t.jsonl")) == [A]
    output = opened(k=9, inputs={"in.jsonl": "v1"}, overwrite=True)
    assert not output.up_to_date
    output.close()


@pytest.mark.usefixtures("done")
def test_a_changed_input_is_done_again_without_asking() -> None:
    same = opened(inputs={"in.jsonl": "v1"})
    assert same.up_to_date
    same.close()
    changed = opened(inputs={"in.jsonl": "v2"})
    assert not changed.up_to_date
    changed.close()


@pytest.mark.usefixtures("done")
def test_whether_a_target_is_up_to_date_is_found_without_writing() -> None:
    def found(target: str = "t.jsonl", k: int = 8, state: str = "v1") -> bool:
        return is_up_to_date(target, "label", {"k": k}, {"in.jsonl": state})

    before = {path: path.read_bytes() for path in Path().rglob("*") if path.is_file()}
    assert found()
    assert not found(k=9)
    assert not found(state="v2")
    assert not found("none/t.jsonl")
    assert {path: path.read_bytes() for path in Path().rglob("*") if path.is_file()} == before
    Path("t.jsonl").unlink()
    assert not found()


def test_a_file_that_nobody_knows_is_not_touched() -> None:
    Path("t.jsonl").write_text("mine\n")
    with pytest.raises(SettingsChanged, match="no record says how it was made"):
        opened()
    assert Path("t.jsonl").read_text() == "mine\n"


def test_two_runs_never_write_one_target() -> None:
    first = opened()
    with pytest.raises(OutputError, match="another prmdata run"):
        opened()
    first.close()


def test_a_run_keeps_to_the_model_it_began_with() -> None:
    first = opened()
    first.pin("model", "aaa-float32")
    first.accept(0, KEYS[0], [A])
    first.close()
    second = opened()
    with pytest.raises(SettingsChanged, match="begun with another model"):
        second.pin("model", "aaa-bfloat16")
    second.pin("model", "aaa-float32")
    second.close()


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot write"):
        opened(str(tmp_path / "file" / "t.jsonl"))


def test_the_state_of_an_input_changes_with_it(tmp_path: Path) -> None:
    path = tmp_path / "in.jsonl"
    path.write_text("a\n")
    before = input_state(str(path))
    assert input_state(str(path)) == before
    path.write_text("ab\n")
    assert input_state(str(path)) != before


def test_the_state_of_a_remote_folder_changes_with_its_parts() -> None:
    import fsspec

    memory = fsspec.filesystem("memory")
    memory.pipe("/state/parts/a.jsonl", b"a\n")
    folder = input_state("memory://state/parts")
    file = input_state("memory://state/parts/a.jsonl")
    assert input_state("memory://state/parts") == folder
    memory.pipe("/state/parts/b.jsonl", b"b\n")
    assert input_state("memory://state/parts") != folder
    assert input_state("memory://state/parts/a.jsonl") == file
    memory.pipe("/state/parts/a.jsonl", b"changed\n")
    assert input_state("memory://state/parts/a.jsonl") != file


@pytest.mark.parametrize("path", ["memory://state/none.jsonl", "memory://state/none"])
def test_a_remote_input_that_is_not_there_is_named(path: str) -> None:
    with pytest.raises(InputError, match=f"{path}: there is no such file"):
        input_state(path)


def test_a_protocol_that_nobody_knows_is_named() -> None:
    with pytest.raises(UsageError, match="s4://"):
        input_state("s4://box/t.jsonl")
