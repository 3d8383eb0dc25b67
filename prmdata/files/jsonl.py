"""Traces ↔ JSON lines, plain or packed, in files and pipes."""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Iterator
from typing import IO

from prmdata.errors import InputError
from prmdata.files import paths
from prmdata.files.codec import encode
from prmdata.records import Trace


def read_lines(path: str) -> Iterator[tuple[bytes, str]]:
    """Lines that are not blank, each with where it stands (`file:line`)."""
    name = "standard input" if path == "-" else path
    number = 0
    with paths.open_bytes(path) as raw, paths.unpacking(lambda: f"{name}:{number + 1}"):
        for line in raw:
            number += 1
            text = _without_mark(line, name) if number == 1 else line
            if text.strip():
                yield text, f"{name}:{number}"


def _without_mark(line: bytes, name: str) -> bytes:
    """The first line, without the mark of the byte order that some programs write."""
    if line.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise InputError(f"{name}: is UTF-16; convert it: iconv -f UTF-16 -t UTF-8")
    return line.removeprefix(codecs.BOM_UTF8)


def write_traces(raw: IO[bytes], traces: Iterable[Trace]) -> int:
    count = 0
    for trace in traces:
        raw.write(encode(trace) + b"\n")
        count += 1
    return count
