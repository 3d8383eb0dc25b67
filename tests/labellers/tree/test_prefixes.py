"""Prefixes by name: equal where their texts are, and cheap for long traces."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace

from prmdata.labellers.tree.prefixes import prefix_names
from prmdata.records import Problem, Step, Trace


def test_names_are_equal_where_texts_are(traces: list[Trace]) -> None:
    names: dict[bytes, str] = {}
    texts: dict[str, bytes] = {}
    for trace in traces[:40]:
        found = prefix_names(trace)
        assert len(found) == len(trace.steps) + 1
        for count, name in enumerate(found):
            assert names.setdefault(name, trace.prefix(count)) == trace.prefix(count)
            assert texts.setdefault(trace.prefix(count), name) == name
    assert len(names) > 100


def test_a_long_trace_takes_no_memory_for_the_texts_of_its_prefixes() -> None:
    steps = tuple(Step("x" * 200 + str(number)) for number in range(2000))
    trace = replace(Trace("t", Problem("p", "q")), steps=steps)
    tracemalloc.start()
    prefix_names(trace)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1_000_000  # the texts would be 400 MB
