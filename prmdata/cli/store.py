"""`prmdata store`."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from prmdata.cli.shared import options as o
from prmdata.terminal import print_line

if TYPE_CHECKING:
    from pathlib import Path

    from prmdata.sampler.storage.census import Census


class Action(StrEnum):
    stats = "stats"
    verify = "verify"
    compact = "compact"
    drop = "drop"


def store(
    action: Annotated[
        Action,
        typer.Argument(
            help="stats: count what is in the store; verify: read every row and check it; compact: "
            "join each sampler's segments and leave out repeated rows; drop: delete the rows of a "
            "sampler (--sampler), old ones (--older-than), or old ones of a sampler (both)."
        ),
    ] = Action.stats,
    store: o.Store = o.STORE,
    sampler: Annotated[
        str | None,
        typer.Option(
            metavar="FINGERPRINT",
            help="With drop: rows of this sampler, as `prmdata store stats` names it.",
            rich_help_panel=o.RUN,
        ),
    ] = None,
    older_than: Annotated[
        str | None,
        typer.Option(
            metavar="DURATION",
            help="With drop: rows of segments that nobody has written to for so long, such as 30d.",
            rich_help_panel=o.RUN,
        ),
    ] = None,
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run",
            help="With drop: say what would be deleted; delete nothing.",
            rich_help_panel=o.RUN,
        ),
    ] = False,
    json: Annotated[
        bool, typer.Option("--json", help="Print the figures as JSON.", rich_help_panel=o.RUN)
    ] = False,
    quiet: o.Quiet = False,
) -> None:
    """Look after the rollout store: count, verify, compact, drop.

    $ prmdata store stats
    $ prmdata store verify --store runs/.prmdata/store
    $ prmdata store drop --older-than 90d --dry-run
    """
    from dataclasses import asdict
    from pathlib import Path

    from prmdata.errors import UsageError
    from prmdata.sampler.storage import census as counting

    place = Path(store)
    if action is not Action.drop and (sampler or older_than or dry_run):
        raise UsageError("--sampler, --older-than and --dry-run belong to `prmdata store drop`")
    if action is Action.stats:
        found = counting.census(place)
        _print(asdict(found), _told(found), as_json=json)
    elif action is Action.verify:
        _verify(place, as_json=json, quiet=quiet)
    elif action is Action.compact:
        _compact(place, as_json=json)
    else:
        _drop(place, sampler, older_than, dry_run=dry_run, as_json=json)


def _verify(folder: Path, *, as_json: bool, quiet: bool) -> None:
    from dataclasses import asdict

    from prmdata.errors import StoreError
    from prmdata.sampler.storage.census import verify
    from prmdata.terminal import say

    found = verify(folder, (lambda line: None) if quiet else say)
    sound = found.rows - found.not_found
    line = f"{folder}: {found.rows:,} rows in {_segments(found.segments)}, {sound:,} sound"
    if found.torn:
        line += f"; unfinished last rows, which count as never written: {found.torn:,}"
    _print(asdict(found), [line], as_json=as_json)
    if found.damaged:
        raise StoreError("\n".join(found.damaged))
    if found.not_found:
        raise StoreError(
            f"{folder}: {found.not_found:,} rows are there and are not found; delete its *.index "
            "files: they are made anew"
        )


def _compact(folder: Path, *, as_json: bool) -> None:
    from dataclasses import asdict

    from prmdata.errors import UsageError
    from prmdata.sampler.storage.compaction import compact_all

    if not folder.is_dir():
        raise UsageError(f"--store {folder}: there is no such folder")
    done = compact_all(folder)
    line = (
        f"{folder}: {_segments(done.segments)} joined to others, {done.repeated:,} repeated rows "
        f"left out; {_size(done.bytes_before)} → {_size(done.bytes_after)}"
    )
    _print(asdict(done), [line], as_json=as_json)


def _drop(
    folder: Path, sampler: str | None, older_than: str | None, *, dry_run: bool, as_json: bool
) -> None:
    from dataclasses import asdict

    from prmdata.durations import parse_seconds
    from prmdata.errors import UsageError
    from prmdata.sampler.storage.census import drop

    if sampler is None and older_than is None:
        raise UsageError("drop what? name a sampler (--sampler) or an age (--older-than 30d)")
    age = None if older_than is None else parse_seconds(older_than, "--older-than")
    gone = drop(folder, sampler, age, dry_run=dry_run)
    line = (
        f"{folder}: {'would drop' if dry_run else 'dropped'} {gone.rows:,} rows in "
        f"{_segments(gone.segments)}, {_size(gone.bytes)}"
    )
    if gone.in_use:
        line += f"; left alone, since a process writes them: {_segments(gone.in_use)}"
    _print(asdict(gone), [line], as_json=as_json)


def _told(found: Census) -> list[str]:
    from prmdata.cli.shared.pages import table
    from prmdata.durations import spell

    whole = found.bytes + found.index_bytes
    lines = [
        f"{found.folder}: {found.rows:,} rows, {_size(whole)} in {_segments(found.segments)} "
        f"({found.indexed:,} with an index, {found.growing:,} being written)"
    ]
    rows = [
        (
            name,
            f"{share.rows:,}",
            _size(share.bytes),
            spell(share.oldest_s),
            spell(share.newest_s),
            share.spec,
        )
        for name, share in sorted(found.samplers.items())
    ]
    header = ("SAMPLER", "ROWS", "SIZE", "OLDEST", "NEWEST", "SPEC")
    return lines + (list(table(rows, header)) if rows else [])


def _print(figures: dict[str, Any], lines: list[str], *, as_json: bool) -> None:
    if as_json:
        import msgspec

        lines = [msgspec.json.encode(figures).decode()]
    for line in lines:
        print_line(line)


def _segments(count: int) -> str:
    return f"{count:,} segment{'' if count == 1 else 's'}"


def _size(count: float) -> str:
    for unit in ("bytes", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:,.0f} {unit}" if unit == "bytes" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:,.1f} TB"
