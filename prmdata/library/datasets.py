"""Functions for files and datasets: `read`, `write`, `export` and `publish`."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from prmdata import files
from prmdata.dataset.selection import Selection
from prmdata.errors import OutputError
from prmdata.exports import FORMATS
from prmdata.files import paths
from prmdata.library.running import Traces, each_of
from prmdata.records import Trace
from prmdata.registry import make
from prmdata.stages import publish as hub
from prmdata.stages.export import Exporting, run_export


def read(path: str | os.PathLike[str]) -> Iterator[Trace]:
    """Traces from a file or a directory of parts."""
    return files.readable(files.read_traces(os.fspath(path)))


def write(path: str | os.PathLike[str], traces: Iterable[Trace]) -> int:
    """Write traces to a local file in the format its name asks for; how many there were."""
    path = os.fspath(path)
    if paths.is_remote(path):
        raise OutputError(f"{path}: write to a local file, then copy it there")
    return files.write_traces(path, traces)


def export(
    traces: Traces,
    *,
    output: str | os.PathLike[str],
    to: str = "stepwise",
    settings: Mapping[str, object] | None = None,
    licence: str | None = None,
    **chosen: Any,
) -> dict[str, Any]:
    """Write a dataset; the counts of what went in and what was left out.

    `chosen`: fields of `Selection`, such as `per_problem` or `balance`.
    """
    form = make(FORMATS, to, settings or {})
    request = Exporting(to, form, selection=Selection(**chosen), licence=licence)
    counts = run_export(request, os.fspath(output), overwrite=True, traces=each_of(traces))
    assert counts is not None
    return counts


def publish(folder: str, repo: str, *, public: bool = False) -> str:
    """Upload a dataset that `export` wrote to the Hugging Face hub; its address there.

    It takes one commit, and makes the repository where there is none: a private one, unless
    `public`.
    """
    hub.check_publishing(repo, folder)
    return hub.publish(hub.Upload.of(folder, repo), public=public, quiet=True)
