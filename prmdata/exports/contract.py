"""What an export format is: a frozen dataclass of settings, a schema, and the rows of traces."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, runtime_checkable

from prmdata.records import Trace

if TYPE_CHECKING:
    import pyarrow as pa

Row = dict[str, Any]


class Sink(Protocol):
    """Takes rows."""

    def write(self, row: Row) -> None: ...


class LeftOut(Exception):
    """Why a trace gives no row; the summary counts what was left out by its reason."""


class Format(Protocol):
    @property
    def labelled(self) -> bool:
        """Whether a trace must carry labels to be written."""
        ...

    @property
    def grouped(self) -> bool:
        """Whether `rows` must see all of a problem's traces at once; if not it is given one."""
        ...

    def schema(self) -> pa.Schema | None:
        """The Arrow schema of the rows, explicit: never guessed from data. None: rows are trees,
        which have no columns, and are written as JSON lines only."""
        ...

    def rows(self, group: Sequence[Trace]) -> Iterator[Row]:
        """Its rows, or `LeftOut`."""
        ...

    def tally(self, row: Row, counts: Counter[str]) -> None:
        """Add what this row holds to the counts shown at the end."""
        ...


@runtime_checkable
class Accompanied(Protocol):
    """A format whose reader wants more files in the dataset's folder."""

    def beside(self) -> Mapping[str, str]:
        """Their names and texts."""
        ...


@runtime_checkable
class Lined(Protocol):
    """A format whose JSON lines say it better than its columns can."""

    def line(self, row: Row) -> Row:
        """The row as a line of JSON."""
        ...


@runtime_checkable
class Taught(Protocol):
    """A format whose card says how to train on it, or how to read it."""

    @property
    def snippet(self) -> str:
        """Such lines, as in `exports.shapes.training`."""
        ...


@runtime_checkable
class Explained(Protocol):
    """A format whose card says what its own columns mean."""

    meanings: ClassVar[Mapping[str, str]]


@runtime_checkable
class Tagged(Protocol):
    """A format whose card names the hub's category of its task."""

    hub_task: ClassVar[str]


@runtime_checkable
class Illustrated(Protocol):
    """A format whose rows carry a problem's images; others would ask about what nobody sees."""

    illustrated: ClassVar[bool]


@runtime_checkable
class Acting(Protocol):
    """A format that may have a place for chats with tools: turns, calls and results."""

    @property
    def acts(self) -> bool: ...


def each(group: Iterable[Trace], row: Callable[[Trace], Row]) -> Iterator[Row]:
    """For formats that write one row for one trace."""
    for trace in group:
        yield row(trace)
