"""A method's look at all traces of the run, before it labels any."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Literal

from prmdata.errors import UsageError
from prmdata.files import Unreadable, read_traces
from prmdata.labellers import Method
from prmdata.labellers.contract import Known, Pools
from prmdata.labellers.fusion.learning import panel_of
from prmdata.labellers.fusion.panel import Panel
from prmdata.records import Trace
from prmdata.truth import truths


def pools(method: Method) -> bool:
    return isinstance(method, Pools) and method.table is None


def pooled(
    method: Method,
    rereadable: Callable[[], Iterable[Trace | Unreadable]] | None,
    report: Callable[[str], None],
) -> Method:
    assert isinstance(method, Pools)
    if rereadable is None:
        raise UsageError(
            "weaver reads all traces before it labels any, and a stream passes once: read a file, "
            "or give a table (`prmdata fit FILE --weaver -o table.json`, --set table=table.json)"
        )
    return method.pooled(list(sound(rereadable())), known_in(method.audited), report)


def sound(traces: Iterable[Trace | Unreadable]) -> Iterator[Trace]:
    """What can be read."""
    for trace in traces:
        if isinstance(trace, Trace):
            yield trace


def known_in(audited: str | None) -> Known | None:
    """What people say of traces, from a file of theirs."""
    if audited is None:
        return None
    known = truths(audited)

    def first_error(trace: Trace) -> int | Literal[False] | None:
        found = known(trace)
        if found is None:
            return False
        first = found.first_wrong
        judged = found.verdicts if first is None else found.verdicts[:first]
        return first if all(verdict == "right" for verdict in judged) else False

    return first_error


def fitted_panel(source: str, audited: str | None, names: Sequence[str] = ()) -> Panel:
    """The panel of a file's judges, for `fit --weaver`."""
    return panel_of(list(sound(read_traces(source))), names, known_in(audited))
