"""Lines of JSON that carry their own checksum, in files that only grow.

The checksum is the last field of the line, over all that stands before it, so that any reader of
JSON lines still reads them. Lines written before there were checksums have none.
"""

from __future__ import annotations

import os
import zlib

MARK = b',"crc":'


class Broken(ValueError):
    """The line is not the one that was written."""


def seal(row: bytes) -> bytes:
    """A line of one JSON object, with its checksum and its newline."""
    return b"%b%b%d}\n" % (row[:-1], MARK, zlib.crc32(row))


def is_sealed(line: bytes) -> bool:
    return line.rfind(MARK, -20) >= 0


def unseal(line: bytes) -> bytes:
    """The object as it was before it was sealed."""
    at = line.rfind(MARK, -20)
    row, found = line[:at] + b"}", line[at + len(MARK) :].rstrip(b"\n")
    if at < 0 or found != b"%d}" % zlib.crc32(row):
        raise Broken("its checksum does not fit")
    return row


def append(file: int, lines: list[bytes], end: int) -> int:
    """Write whole lines at the end of a file that is `end` bytes long; its new length.

    A disk that fills up takes part of a line: that part is cut off again, so that whatever is
    written later begins a line of its own.
    """
    data = b"".join(lines)
    done = 0
    try:
        while done < len(data):
            done += os.write(file, data[done:])
    except OSError:
        os.ftruncate(file, end + data.rfind(b"\n", 0, done) + 1)
        raise
    return end + done
