"""Traces ↔ JSON lines, plain or packed, in files and pipes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import IO

from prmdata.errors import InputError
from prmdata.files import paths
from prmdata.files.codec import encode
from prmdata.records import Trace


def read_lines(path: str) -> Iterator[tuple[bytes, str]]:
    """Lines that are not blank, each with where it stands (`file:line`)."""
    name = "standard input" if path == "-" else path
    with paths.open_bytes(path) as raw:
        number = 0
        try:
            for line in raw:
                number += 1
                if line.strip():
                    yield line, f"{name}:{number}"
        except (OSError, EOFError, ValueError) as error:
            raise InputError(f"{name}:{number + 1}: cannot be unpacked ({error})") from None
        except Exception as error:
            if type(error).__name__ != "ZstdError":  # zstandard's own, which is imported lazily
                raise
            raise InputError(f"{name}:{number + 1}: cannot be unpacked ({error})") from None


def write_traces(raw: IO[bytes], traces: Iterable[Trace]) -> int:
    count = 0
    for trace in traces:
        raw.write(encode(trace) + b"\n")
        count += 1
    return count
