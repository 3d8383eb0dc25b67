"""Rows → a dataset: a folder of Parquet shards with its card, one file, or lines on a pipe."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import IO, TYPE_CHECKING

import msgspec

from prmdata.exports.contract import Row
from prmdata.files import paths
from prmdata.files.parquet import ParquetWriter
from prmdata.files.paths import writing

if TYPE_CHECKING:
    import pyarrow as pa

SHARD_BYTES = 500 << 20


class RowWriter:
    """Takes rows; `close` returns the files written, relative to the target."""

    def __init__(
        self,
        path: Path,
        target: str,
        schema: pa.Schema,
        split: str = "train",
        line: Callable[[Row], Row] | None = None,
    ) -> None:
        self._path, self._target, self._schema = path, target, schema
        self._split, self._line = split, line
        self._kind = paths.format_of(target)
        self._shards: list[Path] = []
        self._raw: IO[bytes] | None = None
        self._lines: IO[bytes] | None = None
        self._parquet: ParquetWriter | None = None
        self._closing: list[Callable[[], object]] = []

    def write(self, row: Row) -> None:
        with writing(self._target):
            if self._kind in ("stream", "jsonl"):
                line = row if self._line is None else self._line(row)
                self._line_writer().write(msgspec.json.encode(line) + b"\n")
                return
            writer = self._parquet_writer()
            groups = writer.groups
            writer.write(row)
            if writer.groups > groups and self._kind == "directory":
                assert self._raw is not None
                if self._raw.tell() >= SHARD_BYTES:  # known when a row group has been written
                    self._end_shard()

    def close(self) -> list[str]:
        with writing(self._target):
            if self._kind in ("stream", "jsonl"):
                self._line_writer()
                for close in reversed(self._closing):
                    close()
                return []
            if not self._shards:  # a dataset without rows is one empty shard
                self._parquet_writer()
            self._end_shard()
            if self._kind == "parquet":
                return []
            return [self._final(number, shard) for number, shard in enumerate(self._shards)]

    def abandon(self) -> None:
        """Let go of what is open; the run that called failed."""
        with contextlib.suppress(OSError, ValueError):
            if self._parquet is not None:
                self._parquet.close()
        with contextlib.suppress(OSError, ValueError):
            if self._raw is not None:
                self._raw.close()
            if self._closing and self._kind == "jsonl":
                self._closing[0]()

    def _line_writer(self) -> IO[bytes]:
        if self._lines is None:
            if self._kind == "stream":
                self._lines = paths.open_stream(self._target)
                self._closing.append(self._lines.flush)
            else:
                raw = self._path.open("wb")
                packing = paths.packed(self._target, raw)
                self._lines = packing.__enter__()
                self._closing += [raw.close, lambda: packing.__exit__(None, None, None)]
        return self._lines

    def _parquet_writer(self) -> ParquetWriter:
        if self._parquet is None:
            path = self._path
            if self._kind == "directory":
                path = self._path / "data" / f"{self._split}-{len(self._shards):05d}.parquet"
                path.parent.mkdir(parents=True, exist_ok=True)
            self._shards.append(path)
            self._raw = path.open("wb")
            self._parquet = ParquetWriter(self._raw, self._schema)
        return self._parquet

    def _end_shard(self) -> None:
        if self._parquet is not None and self._raw is not None:
            self._parquet.close()
            self._raw.flush()
            os.fsync(self._raw.fileno())
            self._raw.close()
            self._parquet = self._raw = None

    def _final(self, number: int, shard: Path) -> str:
        name = f"data/{self._split}-{number:05d}-of-{len(self._shards):05d}.parquet"
        shard.replace(self._path / name)
        return name
