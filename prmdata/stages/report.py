"""`report`: files of labelled traces → one page for a browser, or the same page served by parts."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from prmdata.audit.ledger import Draw
from prmdata.errors import UsageError
from prmdata.files.paths import is_stream, writing
from prmdata.grading import Grader
from prmdata.report.page.gathering import Gathering, Progress
from prmdata.report.page.rollouts import RolloutTexts
from prmdata.report.page.serving import listening
from prmdata.report.page.writing import MARK, page
from prmdata.sampler import open_sampler
from prmdata.sampler.rollouts import RolloutSettings
from prmdata.terminal import say
from prmdata.truth import truths

PATIENCE = 5.0
"""Seconds between two words on how far the reading is."""
LARGE = 64_000_000
"""Bytes of a page that browsers open slowly."""


@dataclass(frozen=True, slots=True)
class Reporting:
    sources: Sequence[str]
    truth: str = "evidence"
    judged: int = 50
    """Traces to draw for judging."""
    seed: int = 0
    rollouts: str | None = None
    """The store with the texts of the labels' rollouts."""
    rollout_seed: int = 0
    """Random seed of the run that made the labels."""


@contextlib.contextmanager
def gathered(request: Reporting, progress: Progress | None = None) -> Iterator[Gathering]:
    """Everything that the page shows; what could not be read is said on stderr too."""
    if sum(is_stream(source) for source in request.sources) > 1:
        raise UsageError("only one of the files can be standard input")
    drawing = Draw(request.judged, request.seed)
    gathering = Gathering(truths(request.truth), drawing, len(request.sources) > 1)
    with contextlib.ExitStack() as closing:
        closing.callback(gathering.close)
        if request.rollouts is not None:
            gathering.texts = closing.enter_context(_texts(request.rollouts, request.rollout_seed))
        for source in request.sources:
            gathering.read(source, progress or (lambda count: None))
        gathering.finish()
        for note in notes(gathering):
            say(f"report: {note}")
        yield gathering


@contextlib.contextmanager
def _texts(store: str, seed: int) -> Iterator[RolloutTexts]:
    with asyncio.Runner() as runner:
        sampler = runner.run(open_sampler(f"replay:{store}", {}))
        grader = Grader()
        try:
            yield RolloutTexts(sampler, grader, RolloutSettings(seed), runner)
        finally:
            runner.run(sampler.close())
            runner.run(grader.close())


def notes(gathering: Gathering) -> list[str]:
    """What a reader must know and could miss."""
    found = []
    for source in gathering.sources:
        if source.unreadable:
            more = source.unreadable_count - 1
            rest = f" (and {more:,} more)" if more else ""
            found.append(f"left out, not readable: {source.unreadable[0]}{rest}")
        if source.cut:
            found.append(source.cut)
        counts = source.sums.counts
        if not counts.labelled:
            found.append(f"{source.name} carries no labels; the report shows its traces")
        found += [f"{source.name}: {warning}" for warning in counts.trust.warnings()]
    texts = gathering.texts
    if texts is not None and texts.missing:
        found.append(
            f"{texts.missing:,} rollouts are not in the store as this command asks for them "
            f"(--rollout-seed, default settings), {texts.found:,} are: {texts.reason}"
        )
    shared = min(source.pack.records for source in gathering.sources)
    if gathering.several and gathering.rows >= sum(s.pack.records for s in gathering.sources):
        found.append("the files have no trace in common; nothing can be compared")
    elif gathering.rows > shared:
        found.append(f"the files hold different traces: {gathering.rows:,} in all")
    return found


def run_report(request: Reporting, output: str, *, quiet: bool = False) -> None:
    check_output(output)
    with gathered(request) as gathering:
        data = page(gathering)
        about = f"{gathering.rows:,} traces of {gathering.problems:,} problems"
    write(output, data)
    if quiet:
        return
    say(f"report: {about} → {output} ({len(data) / 1e6:.1f} MB); open it in a browser")
    if len(data) > LARGE:
        say("report: browsers open a page of this size slowly; --serve reads it by parts")


def serve_report(request: Reporting, host: str, port: int, *, quiet: bool = False) -> None:
    """Until Ctrl-C. Everything is read before the page can be opened."""
    start = time.monotonic()
    told = start

    def progress(count: int) -> None:
        nonlocal told
        if not quiet and time.monotonic() - told > PATIENCE:
            told = time.monotonic()
            say(f"report: {count:,} traces read ({count / (told - start):,.0f} a second)")

    with gathered(request, progress) as gathering, listening(gathering, host, port) as server:
        about = f"{gathering.rows:,} traces of {gathering.problems:,} problems"
        say(f"report: {about} → {server.address} (Ctrl-C ends it)")
        server.serve_forever()


def check_output(output: str) -> None:
    """Before the work: only a report of ours is ever replaced."""
    place = Path(output)
    if place.is_dir():
        raise UsageError(f"-o {output}: is a folder; name a file, such as {output}/report.html")
    if place.exists() and not _is_report(place):
        raise UsageError(f"-o {output}: exists, and is no report of prmdata; choose another output")


def _is_report(place: Path) -> bool:
    with place.open("rb") as file:
        return MARK.encode() in file.read(2048)


def write(output: str, data: bytes) -> None:
    place = Path(output)
    scratch = place.with_name(f".{place.name}.{os.getpid()}.part")
    with writing(output):
        place.parent.mkdir(parents=True, exist_ok=True)
        try:
            scratch.write_bytes(data)
            scratch.replace(place)
        finally:
            scratch.unlink(missing_ok=True)
