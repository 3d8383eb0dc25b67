"""What an export format is: a frozen dataclass of settings, a schema, and the rows of a trace."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar, Protocol

from prmdata.records import Trace


class Format(Protocol):
    labelled: ClassVar[bool]
    """Whether a trace must carry labels to be written."""

    def schema(self) -> Any:
        """The Arrow schema of the rows, explicit: never guessed from data."""
        ...

    def rows(self, trace: Trace) -> Iterator[dict[str, Any]]: ...

    def tally(self, trace: Trace, counts: dict[str, int]) -> None:
        """Add what this trace gives to the counts shown at the end."""
        ...
