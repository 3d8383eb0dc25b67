"""Short names for the prefixes of a trace: equal text (and equal answers of tools), equal name,
whichever trace it is from."""

from __future__ import annotations

import hashlib

from prmdata.records import Trace


def prefix_names(trace: Trace) -> list[bytes]:
    """For the text before the first step, after the first, and so on to the whole.

    Texts themselves would take the square of a long trace's length in memory.
    """
    digest = hashlib.blake2b(digest_size=16)
    names = [digest.digest()]
    for step in trace.steps:
        digest.update(step.text.encode("utf-8", "surrogatepass"))
        if step.messages:  # the same words may have been answered otherwise
            digest.update(f"\0{step.observation}\0".encode("utf-8", "surrogatepass"))
        names.append(digest.digest())
    return names
