"""Traces ↔ Parquet, batch by batch: memory does not grow with the file."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from typing import IO, TYPE_CHECKING, Any

import msgspec

from prmdata.errors import InputError
from prmdata.files import paths
from prmdata.files.codec import Unreadable, check_numbers, checked
from prmdata.files.columns import records_in
from prmdata.files.foreign import advice
from prmdata.files.schema import arrow_schema, to_row
from prmdata.records import Trace

if TYPE_CHECKING:
    import pyarrow as pa

ROWS_PER_BATCH = 256
ROWS_PER_GROUP = 8192
BYTES_PER_GROUP = 64 << 20
"""A row group is held in memory to be written, and by many to be read: long rows shorten it."""


def read_traces(path: str) -> Iterator[Trace | Unreadable]:
    number = 0
    for batch in _batches(path, needed=("id", "problem", "steps")):
        for row in _records(batch):
            number += 1
            yield _trace(row, f"{path}:{number}")


def _records(batch: Any) -> Iterator[object]:
    """What the rows hold; in the place of one that cannot be read, the error."""
    try:
        yield from records_in(batch, Trace)
    except (msgspec.DecodeError, TypeError, UnicodeDecodeError) as error:
        if batch.num_rows == 1:
            yield error
            return
        for place in range(batch.num_rows):
            yield from _records(batch.slice(place, 1))


def _trace(row: object, where: str) -> Trace | Unreadable:
    if isinstance(row, Exception):
        return Unreadable(where, f"{where}: not a prmdata record: {row}")
    try:
        trace = msgspec.convert(row, Trace)
        check_numbers(trace, where)
        return checked(trace, where)
    except msgspec.ValidationError as error:
        return Unreadable(where, f"{where}: not a prmdata record: {error}")
    except InputError as error:
        return Unreadable(where, str(error))


def read_rows(path: str) -> Iterator[tuple[dict[str, object], str]]:
    """Rows of any Parquet file, each with where it stands."""
    number = 0
    for batch in _batches(path):
        for row in batch.to_pylist():
            number += 1
            yield row, f"{path}:{number}"


def count_rows(path: str) -> int:
    with _opened(path) as table:
        return int(table.metadata.num_rows)


def _batches(path: str, needed: tuple[str, ...] = ()) -> Iterator[Any]:
    with _opened(path) as table:
        missing = [name for name in needed if name not in table.schema_arrow.names]
        if missing:
            names = table.schema_arrow.names
            raise InputError(
                f"{path}: has no column {', '.join(missing)} (its columns: {', '.join(names)}); "
                f"{advice(names)}"
            )
        yield from table.iter_batches(ROWS_PER_BATCH)


@contextlib.contextmanager
def _opened(path: str) -> Iterator[Any]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    with paths.open_bytes(path) as raw:
        try:
            table = pq.ParquetFile(raw)
        except (pa.ArrowException, OSError) as error:
            raise InputError(f"{path}: not a Parquet file ({error})") from None
        names = table.schema_arrow.names
        if twice := next((name for name in names if names.count(name) > 1), None):
            raise InputError(f"{path}: two columns are named '{twice}'; rename one of them")
        try:
            yield table
        except (pa.ArrowException, OSError) as error:
            raise InputError(f"{path}: cannot be read ({error})") from None


class ParquetWriter:
    """Writes rows of one explicit schema, as plain pyarrow does: without the footer of `datasets`,
    which older ones cannot read. With the page index and content-defined chunks, the hub's viewer
    reads single pages, and a changed dataset uploads what has changed.
    """

    def __init__(self, raw: IO[bytes], schema: pa.Schema) -> None:
        import pyarrow.parquet as pq

        self.schema = schema
        self._file = pq.ParquetWriter(
            raw,
            schema,
            compression="zstd",
            write_page_index=True,
            use_content_defined_chunking=True,
        )
        self._rows: list[dict[str, object]] = []
        self._pending: list[object] = []
        self._pending_rows = self._pending_bytes = 0
        self.rows = 0
        self.groups = 0
        """Row groups written."""

    def write(self, row: dict[str, object]) -> None:
        self._rows.append(row)
        self.rows += 1
        if len(self._rows) >= ROWS_PER_BATCH:
            self._batch()

    def _batch(self) -> None:
        import pyarrow as pa

        if self._rows:
            batch = pa.RecordBatch.from_pylist(self._rows, schema=self.schema)
            self._pending.append(batch)
            self._pending_rows += batch.num_rows
            self._pending_bytes += batch.nbytes
            self._rows = []
        if self._pending_rows >= ROWS_PER_GROUP or self._pending_bytes >= BYTES_PER_GROUP:
            self._flush()

    def _flush(self) -> None:
        import pyarrow as pa

        if self._pending:
            table = pa.Table.from_batches(self._pending, schema=self.schema)
            self._file.write_table(table.combine_chunks(), row_group_size=ROWS_PER_GROUP)
            self._pending, self._pending_rows, self._pending_bytes = [], 0, 0
            self.groups += 1

    def close(self) -> None:
        self._batch()
        self._flush()
        self._file.close()

    def __del__(self) -> None:
        """A file that was given up needs no footer; pyarrow would write it to a closed file."""
        if hasattr(self, "_file"):
            self._file.is_open = False


def write_traces(raw: IO[bytes], traces: Iterable[Trace]) -> int:
    writer = ParquetWriter(raw, arrow_schema(Trace))
    for trace in traces:
        writer.write(to_row(trace))
    writer.close()
    return writer.rows
