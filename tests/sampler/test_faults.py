"""Labelling over a server that fails in the middle: the same bytes, each call answered once."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from prmdata.errors import ItemError
from prmdata.files import write_traces
from prmdata.records import Trace
from prmdata.sampler import Sampling, open_sampler
from prmdata.sampler.endpoint.patience import Patient, Waits
from prmdata.serving import free_port
from tests.sampler.endpoint.test_sampler import PROMPT, tell
from tests.sampler.test_contract import served

QUICK = Waits(pause_s=0.01, longest_pause_s=0.02)
AFTER = 30


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, Counter]:
    """The output of a run over a server without faults, and what that server was asked."""
    place = tmp_path_factory.mktemp("undisturbed")
    with served("policy-even") as url:
        label(place, url)
        return (place / "out.jsonl").read_bytes(), made(url)


TRACES: list[Trace] = []


@pytest.fixture(scope="module", autouse=True)
def some_traces(traces: list[Trace]) -> Iterator[None]:
    TRACES[:] = traces[:24]
    yield
    TRACES.clear()


def starting(place: Path, url: str, *words: str) -> subprocess.Popen[str]:
    write_traces(str(place / "t.jsonl"), TRACES)
    line = [sys.executable, "-m", "prmdata", "label", "t.jsonl", "-o", "out.jsonl"]
    line += ["--method", "bisect", "--sampler", url, "--store", "store", *words]
    return subprocess.Popen(line, cwd=place, stderr=subprocess.PIPE, text=True)


def label(place: Path, url: str, *words: str, hear: Callable[[str], None] = lambda s: None) -> str:
    """The run's stderr; `hear` is handed each line as it comes."""
    with starting(place, url, *words) as run:
        assert run.stderr is not None
        said = []
        for line in run.stderr:
            said.append(line)
            hear(line)
    assert run.returncode == 0, said
    return "".join(said)


def made(*urls: str) -> Counter:
    """How often each call was answered; the two by which a client finds out what is offered aside."""
    calls = [tuple(call) for url in urls for call in tell(url, "/calls")["calls"]]
    return Counter(call for call in calls if call[0] != "<bos>1")


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "held", "until": AFTER + 20},
        {"kind": "status", "status": 429, "header": "Retry-After: 0.05"},
        {"kind": "status", "status": 500},
        {"kind": "status", "status": 503},
        {"kind": "truncated"},
        {"kind": "torn"},
        {"kind": "empty"},
    ],
    ids=lambda fault: "-".join(str(v) for v in fault.values()),
)
def test_faults_leave_no_trace(undisturbed: tuple, tmp_path: Path, fault: dict) -> None:
    with served("policy-even") as url:
        tell(url, "/faults", {"faults": [{**fault, "after": AFTER}] * 5})
        label(tmp_path, url)
        assert ((tmp_path / "out.jsonl").read_bytes(), made(url)) == undisturbed
        assert set(made(url).values()) == {1}


def test_a_server_that_dies_is_waited_for(undisturbed: tuple, tmp_path: Path) -> None:
    port = free_port(None)
    with contextlib.ExitStack() as stack:
        url = stack.enter_context(served("policy-even", port))
        tell(url, "/faults", {"faults": [{"kind": "die", "after": AFTER}]})
        before: list[bool] = []

        def hear(line: str) -> None:
            if "does not answer" in line and not before:
                before.append(True)
                stack.enter_context(served("policy-even", port))

        said = label(tmp_path, url, hear=hear)
        after = made(url)
    assert "waiting for it (0 s so far, at most 10 min)" in said
    assert "answers again after" in said
    output, calls = undisturbed
    assert (tmp_path / "out.jsonl").read_bytes() == output
    assert set(after.values()) == {1}
    assert 0 < len(after) < len(calls)  # the rest was answered before it died


def test_a_server_that_stays_away_ends_the_run_and_what_was_done_is_kept(
    undisturbed: tuple, tmp_path: Path
) -> None:
    port = free_port(None)
    with served("policy-even", port) as url:
        tell(url, "/faults", {"faults": [{"kind": "die", "after": AFTER}]})
        with starting(tmp_path, url, "--give-up", "0.1s") as run:
            assert run.stderr is not None
            said = run.stderr.read()
    assert run.returncode == 1
    assert "gave up after" in said
    assert "the same command goes on from here" in said
    with served("policy-even", port) as url:
        label(tmp_path, url, "--give-up", "1m")
        again = made(url)
    output, calls = undisturbed
    assert (tmp_path / "out.jsonl").read_bytes() == output
    assert len(again) < len(calls)


def test_of_two_servers_one_may_die(undisturbed: tuple, tmp_path: Path) -> None:
    with served("policy-even") as dying, served("policy-even") as living:
        tell(dying, "/faults", {"faults": [{"kind": "die", "after": AFTER}]})
        said = label(tmp_path, f"{dying},{living}")
        output, calls = undisturbed
        assert (tmp_path / "out.jsonl").read_bytes() == output
        assert said.count("the other servers go on") == 1
        assert "waiting" not in said
        answered = made(living)
        assert set(answered.values()) == {1}
        assert len(answered) < len(calls)
        label(tmp_path, f"{dying},{living}", "--overwrite")  # also where it is away from the start


def test_a_request_that_alone_is_answered_with_rubbish_fails_alone() -> None:
    async def ask(url: str) -> list:
        sampler = await open_sampler(url)
        assert isinstance(sampler, Patient)
        sampler.wait_as(QUICK, print)
        poisoned = asyncio.create_task(sampler.complete(PROMPT, 1, Sampling(), 0))
        while not poisoned.done():
            await sampler.complete("Question: another\n", 1, Sampling(), 0)
        await sampler.close()
        return await asyncio.gather(poisoned, return_exceptions=True)

    with served("policy-even") as url:
        fault = {"kind": "status", "status": 500, "prompt": PROMPT}
        tell(url, "/faults", {"faults": [fault]})
        (failed,) = asyncio.run(ask(url))
    assert isinstance(failed, ItemError)
    assert "answered 500: busy, 8 times, while other requests are answered" in str(failed)


def test_what_is_no_duration_is_refused(tmp_path: Path) -> None:
    with starting(tmp_path, "http://127.0.0.1:9/v1", "--give-up", "soon") as run:
        assert run.stderr is not None
        assert "--give-up soon: write a duration like 90s, 10m or 2h" in run.stderr.read()
    assert run.returncode == 2
