"""A run in parts makes what one run makes; parts that are whole are not run again."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import threading
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from prmdata.errors import OutputError, SettingsChanged
from prmdata.files import paths, write_traces
from prmdata.records import Problem, Step, Trace
from prmdata.run.sharded import parts
from prmdata.run.sharded.parts import Finished, Job, join, run_part
from prmdata.run.stage import RunOptions
from prmdata.run.target import FileOutput, InUse
from prmdata.stages.verify import Verifying, run_verify
from prmdata.verifiers import VERIFIERS

ROOT = Path(__file__).parents[3]


def traces(problems: int) -> list[Trace]:
    steps = (Step("2 + 2 = 4\n"), Step("4 * 3 = 13\n"))
    return [
        Trace(id=f"p{i}/{j}", problem=Problem(f"p{i}", f"Question {i}?"), steps=steps)
        for i in range(problems)
        for j in range(2)
    ]


@pytest.fixture
def job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Job:
    monkeypatch.chdir(tmp_path)
    write_traces("t.jsonl", traces(20))
    request = Verifying("t.jsonl", {"arithmetic": VERIFIERS["arithmetic"]()})
    options = RunOptions(quiet=True, store=None)
    return Job("verify", request, run_verify, options, "many.jsonl", 5, str(tmp_path))


def joined(job: Job, finished: list[Finished]) -> dict[str, object]:
    output = FileOutput(job.target, job.stage, job.request.settings(), job.request.inputs())
    with contextlib.closing(output):
        return join(job, output, finished, 1.0).as_dict()


def whole(job: Job) -> dict[str, object]:
    """The same as one run."""
    one = replace(job, target="one.jsonl", count=1)
    return joined(one, [run_part(one, 1)])


def lines(path: str) -> list[str]:
    return sorted(Path(path).read_text().splitlines())


def test_parts_make_what_one_run_makes_and_count_the_same(job: Job) -> None:
    told: list[int] = []
    finished = [run_part(job, number, told.append) for number in (3, 1, 5, 4, 2)]
    assert [one.error for one in finished] == [None] * 5
    assert told
    counts, single = joined(job, finished), whole(job)
    assert counts == single | {"seconds": 1.0}
    assert (counts["traces"], counts["problems"], counts["verdicts_wrong"]) == (40, 20, 40)
    assert lines("many.jsonl") == lines("one.jsonl")
    assert len(lines("many.jsonl")) == 40
    assert not Path(job.folder).exists()


def test_a_part_that_is_whole_is_not_run_again(job: Job) -> None:
    first = run_part(job, 2)
    before = Path(job.part(2)).stat().st_mtime_ns
    Path("t.jsonl").write_text("no traces any more\n")
    again = run_part(job, 2)
    assert replace(again, node=first.node) == first
    assert Path(job.part(2)).stat().st_mtime_ns == before


def test_a_part_whose_runner_died_before_it_said_so_is_recognised(job: Job) -> None:
    first = run_part(job, 2)
    Path(f"{job.part(2)}.done").unlink()
    again = run_part(job, 2)
    assert again.error is None
    assert again.summary == first.summary


def test_other_settings_are_told_and_take_nothing_over(job: Job) -> None:
    run_part(job, 1)
    other = replace(
        job, request=replace(job.request, verifiers={"algebra": VERIFIERS["algebra"]()})
    )
    error = run_part(other, 1).error
    assert isinstance(error, SettingsChanged)
    assert "holds a run with other settings" in str(error)


def test_a_shard_without_problems_is_an_empty_part(job: Job) -> None:
    many = replace(job, count=200)
    finished = [run_part(many, number) for number in range(1, 201)]
    assert Counter(bool(one.summary["traces"]) for one in finished)[False] > 150
    assert joined(many, finished)["traces"] == 40


def test_a_part_waits_for_the_process_that_had_it(
    job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parts, "TELL_S", 0.02)
    request = replace(job.request, shard=(1, job.count))
    held = FileOutput(job.part(1), job.stage, request.settings(), request.inputs())
    threading.Timer(0.2, held.close).start()
    assert run_part(job, 1).error is None
    held = FileOutput(job.part(2), job.stage, request.settings(), request.inputs())
    monkeypatch.setattr(parts, "WAIT_S", 0.05)
    assert isinstance(run_part(job, 2).error, InUse)
    held.close()


def test_parts_of_different_models_are_not_joined(job: Job) -> None:
    finished = [run_part(job, number) for number in range(1, 6)]
    finished[2] = replace(finished[2], model="one")
    finished[3] = replace(finished[3], model="two")
    with pytest.raises(OutputError, match=r"different models \(one, two\)"):
        joined(job, finished)
    assert not Path("many.jsonl").exists()
    assert Path(job.part(1)).exists()


def test_parts_go_through_a_remote_file_system(job: Job, tmp_path: Path) -> None:
    remote = replace(job, target=f"file://{tmp_path}/far/many.jsonl", count=3)
    finished = [run_part(remote, number) for number in (1, 2, 3)]
    assert [one.error for one in finished] == [None] * 3
    lost = tmp_path / ".prmdata/remote"
    assert lost.is_dir()
    shutil.rmtree(lost)  # as on another node
    assert [run_part(remote, n).summary for n in (1, 2, 3)] == [one.summary for one in finished]
    assert joined(remote, finished)["traces"] == 40
    whole(job)
    assert lines(str(tmp_path / "far/many.jsonl")) == lines("one.jsonl")
    assert not paths.exists(remote.folder)


KILLED = """
import sys, time
from dataclasses import replace
from tests.run.sharded import test_parts as t
from prmdata.run.sharded.parts import Job, run_part
from prmdata.run.stage import RunOptions
from prmdata.stages import verify

async def slowly(request, output, options):
    inner = verify._checked
    async def checked(trace, verifiers):
        time.sleep(0.02)
        return await inner(trace, verifiers)
    verify._checked = checked
    return await verify.run_verify(request, output, options)

request = verify.Verifying("t.jsonl", {"arithmetic": t.VERIFIERS["arithmetic"]()})
job = Job("verify", request, slowly, RunOptions(quiet=True, store=None, concurrency=1), "many.jsonl", 1, ".")
print("begins", flush=True)
run_part(job, 1)
"""


def test_a_part_that_is_killed_goes_on_where_it_was(job: Job) -> None:
    alone = replace(job, count=1)
    for _ in range(3):
        process = subprocess.Popen(
            [sys.executable, "-c", KILLED],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
        )
        assert process.stdout is not None
        process.stdout.readline()
        journals = Path(job.folder.replace("of-5", "of-1"))
        deadline = time.monotonic() + 60
        before = sum(path.stat().st_size for path in journals.rglob("journal-*.jsonl"))
        while time.monotonic() < deadline and process.poll() is None:
            now = sum(path.stat().st_size for path in journals.rglob("journal-*.jsonl"))
            if now > before + 1500:
                break
            time.sleep(0.005)
        process.kill()
        process.communicate()
    done = run_part(alone, 1)
    assert done.error is None
    assert done.summary["resumed"] > 0
    joined(alone, [done])
    whole(job)
    assert lines("many.jsonl") == lines("one.jsonl")
