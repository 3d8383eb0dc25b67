"""Where bytes are: local paths, fsspec URLs, `-` for the pipe; and which format a name means."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import stat
import sys
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Literal, cast

from prmdata.errors import InputError, OutputError, PrmdataError, UsageError

Format = Literal["jsonl", "parquet", "directory", "stream"]
PARTS = (".jsonl", ".jsonl.gz", ".jsonl.zst", ".parquet")
TABLES = tuple(f".{kind}{packing}" for kind in ("csv", "tsv") for packing in ("", ".gz", ".zst"))


def is_remote(path: str) -> bool:
    return "://" in path


def is_stream(path: str) -> bool:
    """Whether its bytes pass once: `-`, a pipe with a name such as `<(zcat x)`, or a device."""
    if path == "-":
        return True
    try:
        mode = Path(path).stat().st_mode
    except (OSError, ValueError):
        return False  # not there yet; whoever opens it reports what is wrong
    return stat.S_ISFIFO(mode) or stat.S_ISCHR(mode)


def is_pipe(file: int | str) -> bool:
    """Whether another process is at the other end of a descriptor or path."""
    mode = os.stat(file).st_mode  # noqa: PTH116 (a descriptor has no path)
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)


def is_packed(path: str) -> bool:
    return path.endswith((".gz", ".zst"))


def is_table(path: str) -> bool:
    """Whether it is read only, as rows: CSV or TSV."""
    return path.lower().endswith(TABLES)


def format_of(path: str) -> Format:
    """By name: `-`, `.parquet`, `.jsonl[.gz|.zst]`; a name without any ending is a directory."""
    if is_stream(path):
        return "stream"
    name = path.rstrip("/").rsplit("/", 1)[-1]
    if name.endswith(".parquet"):
        return "parquet"
    if name.endswith(
        (".jsonl", ".jsonl.gz", ".jsonl.zst", ".ndjson", ".json", ".json.gz", ".json.zst")
    ):
        return "jsonl"
    if (
        path.endswith("/")
        or "." not in name.lstrip(".")
        or (not is_remote(path) and Path(path).is_dir())
    ):
        return "directory"
    raise UsageError(
        f"{path}: cannot tell the format from the name; use .jsonl, .jsonl.zst, .jsonl.gz, "
        ".parquet, a directory, or - for a pipe"
    )


def parts_of(path: str) -> list[str]:
    """The files that hold a source's records: itself, or a directory's parts in name order."""
    if is_table(path) or format_of(path) != "directory":
        return [path]
    filesystem, root = filesystem_of(path)
    if not is_remote(path) and Path(path).is_file():
        raise InputError(
            f"{path}: cannot tell the format from the name; use a file that ends in "
            f"{', '.join(PARTS)}, or pipe it in"
        )
    found = sorted(
        name
        for name in filesystem.find(root)
        if name.endswith(PARTS) and "/." not in name[len(root) :]
    )
    if not found:
        if not filesystem.exists(root):
            raise InputError(f"{path}: there is no such file or directory")
        raise InputError(f"{path}: the directory holds no {'/'.join(PARTS)}")
    return [filesystem.unstrip_protocol(name) if is_remote(path) else name for name in found]


def filesystem_of(path: str) -> tuple[Any, str]:
    """A path's file system, and its name there."""
    import fsspec

    try:
        filesystem, name = fsspec.core.url_to_fs(path)
    except (ImportError, ValueError) as error:
        raise UsageError(f"{path}: {error}") from None
    return filesystem, name


def exists(path: str) -> bool:
    filesystem, name = filesystem_of(path)
    return bool(filesystem.exists(name))


@contextlib.contextmanager
def open_bytes(path: str) -> Iterator[IO[bytes]]:
    """Read a file, unpacked; a path that is not there is the user's to put right."""
    if path == "-":
        # Not sys.stdin: its lock would be taken by a reader thread when the process ends.
        with open(0, "rb", closefd=False) as stdin:
            yield stdin
        return
    if is_stream(path):
        with _open_named(path, "rb", InputError) as stream:
            yield stream
        return
    filesystem, name = filesystem_of(path)
    try:
        with filesystem.open(name, "rb") as raw:
            yield _unpacked(path, raw)
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such file") from None
    except IsADirectoryError:
        raise InputError(f"{path}: is a directory of another kind than expected") from None
    except PermissionError:
        raise InputError(f"{path}: not allowed to read it") from None


def open_stream(path: str) -> IO[bytes]:
    """Standard output, or a pipe or device that has a name, to write to."""
    return sys.stdout.buffer if path == "-" else _open_named(path, "wb", OutputError)


def _open_named(path: str, mode: Literal["rb", "wb"], error: type[PrmdataError]) -> IO[bytes]:
    try:
        return open(path, mode)  # noqa: PTH123 (mypy knows the mode)
    except OSError as reason:
        raise error(f"{path}: cannot be opened ({reason.strerror}); name a file or -") from None


def _unpacked(path: str, raw: IO[bytes]) -> IO[bytes]:
    if path.endswith(".gz"):
        import gzip

        return cast("IO[bytes]", gzip.GzipFile(fileobj=raw))
    if path.endswith(".zst"):
        import pyarrow as pa

        stream = pa.CompressedInputStream(pa.PythonFile(raw, mode="r"), "zstd")
        return io.BufferedReader(stream)
    return raw


@contextlib.contextmanager
def unpacking(place: Callable[[], str]) -> Iterator[None]:
    """Says where a damaged archive could not be read on."""
    try:
        yield
    except UnicodeDecodeError:
        raise
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise InputError(f"{place()}: cannot be unpacked ({error})") from None


@dataclass(frozen=True, slots=True)
class _Unclosed:
    """A file that outlives the packer which writes into it."""

    raw: IO[bytes]
    closed: bool = False

    def write(self, data: bytes) -> int:
        return self.raw.write(data)

    def flush(self) -> None:
        self.raw.flush()

    def close(self) -> None:
        pass


@contextlib.contextmanager
def packed(path: str, raw: IO[bytes]) -> Iterator[IO[bytes]]:
    """A writer into `raw` that packs as the target's name asks."""
    if path.endswith(".gz"):
        import gzip

        with gzip.GzipFile(fileobj=raw, mode="wb", mtime=0, filename="") as writer:
            yield cast("IO[bytes]", writer)
    elif path.endswith(".zst"):
        import pyarrow as pa

        with pa.CompressedOutputStream(pa.PythonFile(_Unclosed(raw), mode="w"), "zstd") as writer:
            yield cast("IO[bytes]", writer)
    else:
        yield raw


@contextlib.contextmanager
def writing(what: str) -> Iterator[None]:
    """Turns the operating system's refusals to write into one clear line."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        hint = {
            errno.ENOSPC: "make room and run the same command again: it goes on where it stopped",
            errno.EACCES: "choose a place where you may write",
            errno.EROFS: "choose a place where you may write",
            errno.EDQUOT: "make room and run the same command again: it goes on where it stopped",
        }.get(error.errno or 0, "check the path and run the same command again")
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise OutputError(f"{what}: cannot write ({reason}); {hint}") from error
