"""`prmdata export --push-to-hub`: options → an upload, or the list of what it would be."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from prmdata.terminal import print_line

if TYPE_CHECKING:
    from prmdata.run.engine import ErrorLimit
    from prmdata.stages.export import Exporting


def check(repo: str, target: str, *, dry_run: bool) -> None:
    """Before hours of work, not after them."""
    from prmdata.stages.publish import check_publishing, check_token

    check_publishing(repo, target)
    if not dry_run:
        check_token()


def rehearse(request: Exporting, target: str, repo: str, limit: ErrorLimit, public: bool) -> None:
    """List what would be uploaded: of the dataset that is there, or of one made for this alone."""
    from prmdata.cli.shared.exported import counted, say_removed
    from prmdata.stages.export import is_written, run_export
    from prmdata.terminal import say

    if is_written(request, target):
        _list(target, repo, public)
        return
    with tempfile.TemporaryDirectory() as place:
        made = str(Path(place, Path(target).absolute().name))
        summary = run_export(request, made, max_errors=limit)
        if summary is not None:
            say_removed(summary)
            say(f"export: {counted(summary)}; {target} was not written")
        _list(made, repo, public)


def _list(folder: str, repo: str, public: bool) -> None:
    from prmdata.stages.publish import Upload
    from prmdata.terminal import say

    upload = Upload.of(folder, repo)
    sizes = upload.sizes()
    for name, size in sizes.items():
        print_line(f"{size:>15,}  {name}")
    print_line(f"\n{upload.card}", end="")
    kind = "public" if public else "private"
    say(
        f"export: {len(sizes)} files, {sum(sizes.values()):,} bytes would go to the dataset {repo} "
        f"({kind} if it is new); nothing was uploaded"
    )


def push(folder: str, repo: str, public: bool, quiet: bool) -> None:
    from prmdata.stages.publish import Upload, publish
    from prmdata.terminal import say

    upload = Upload.of(folder, repo)
    address = publish(upload, public=public, quiet=quiet)
    if not quiet:
        say(
            f"export: {len(upload.files)} files, {sum(upload.sizes().values()):,} bytes → {address}"
        )
