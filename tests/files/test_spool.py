from __future__ import annotations

from contextlib import closing

import pytest

from prmdata.files import spool
from prmdata.records import Problem, Step, Trace


@pytest.mark.parametrize("in_memory", [1 << 20, 100])
def test_traces_come_back_by_key_from_memory_and_from_disk(
    in_memory: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spool, "IN_MEMORY", in_memory)
    traces = [Trace("", Problem("", f"{i % 3}?"), (Step(f"ü\u2028{i}\n" * 9),)) for i in range(30)]
    with closing(spool.Spool()) as found:
        for trace in traces:
            found.add(trace.problem.question, trace)
        groups = dict(found.groups())
    assert list(groups) == ["0?", "1?", "2?"]
    assert groups["1?"] == traces[1::3]
