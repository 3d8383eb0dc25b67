"""`export --push-to-hub`: a written dataset → one commit to the Hugging Face hub.

One commit, so that nobody ever loads half of it; shards of an earlier upload that are no longer
part of it are deleted in the same one, or they would be loaded beside the new.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from prmdata.dataset.card import MANIFEST
from prmdata.errors import OutputError, UsageError
from prmdata.files import paths

T = TypeVar("T")
CARD = "README.md"
DATA = "data/"
REPO = re.compile(r"(?:[\w-][\w.-]*/)?[\w-][\w.-]*")


@dataclass(frozen=True, slots=True)
class Upload:
    """What would go to the hub, and under which name."""

    folder: Path
    repo: str
    files: Sequence[str]
    card: str

    @classmethod
    def of(cls, folder: str, repo: str) -> Upload:
        """Of a finished dataset, whose manifest says what belongs to it."""
        place = Path(folder)
        known = _manifest(place)
        name = place.absolute().name
        _refuse_outside(place, known["files"])
        card = (place / CARD).read_text(encoding="utf-8")
        named = card.replace(f"\n# {name}\n", f"\n# {repo}\n", 1)
        named = named.replace(f'load_dataset("{name}"', f'load_dataset("{repo}"', 1)
        return cls(place, repo, [*known["files"], MANIFEST], named)

    def contents(self) -> dict[str, Path | bytes]:
        """Its files; the card bears its name on the hub, and the manifest that card's checksum."""
        card, known = self.card.encode(), _manifest(self.folder)
        known["files"][CARD] = {"bytes": len(card), "sha256": hashlib.sha256(card).hexdigest()}
        own = {
            CARD: card,
            MANIFEST: msgspec.json.format(msgspec.json.encode(known)) + b"\n",
        }
        return {name: own.get(name, self.folder / name) for name in self.files}

    def sizes(self) -> dict[str, int]:
        return {
            name: len(what) if isinstance(what, bytes) else what.stat().st_size
            for name, what in self.contents().items()
        }


def check_publishing(repo: str, target: str) -> None:
    """What can be known before the work begins."""
    if not REPO.fullmatch(repo) or ".." in repo or "--" in repo:
        raise UsageError(f"--push-to-hub {repo}: write it as OWNER/NAME")
    if paths.format_of(target) != "directory" or paths.is_remote(target):
        raise UsageError(
            f"--push-to-hub {repo}: name the local directory to write and upload with -o"
        )


def check_token() -> str:
    hub = _hub()
    token = hub.get_token()
    if not token:
        raise OutputError(
            "--push-to-hub: no token for the hub; log in with `hf auth login`, or set HF_TOKEN to "
            "one that may write (https://huggingface.co/settings/tokens)"
        )
    return str(token)


def publish(upload: Upload, *, public: bool = False, quiet: bool = False) -> str:
    """Create the repository where it is not there, private unless asked; the dataset's address."""
    hub, token = _hub(), check_token()
    if quiet:
        hub.utils.disable_progress_bars()
    api = hub.HfApi(token=token)

    def commit() -> str:
        made = api.create_repo(upload.repo, repo_type="dataset", private=not public, exist_ok=True)
        there = api.list_repo_files(made.repo_id, repo_type="dataset")
        stale = [name for name in there if name.startswith(DATA) and name not in upload.files]
        operations = [
            *(hub.CommitOperationDelete(path_in_repo=name) for name in stale),
            *(
                hub.CommitOperationAdd(path_in_repo=name, path_or_fileobj=what)
                for name, what in upload.contents().items()
            ),
        ]
        api.create_commit(
            made.repo_id,
            operations,
            repo_type="dataset",
            commit_message="Upload the dataset with prmdata",
        )
        return str(made)

    return reported(commit, upload, token)


def reported(work: Callable[[], T], upload: Upload, token: str) -> T:
    """Turns what the hub, the network or its library object to into one message."""
    try:
        return work()
    except Exception as error:  # noqa: BLE001  each version of the library has its own HTTP errors
        status = getattr(getattr(error, "response", None), "status_code", None)
        hint = {
            401: "the token is not valid: log in again with `hf auth login`, or mend HF_TOKEN",
            403: f"the token may not write to {upload.repo}: take one with the permission to write",
            404: "check the name of the owner, and that the token may see it",
        }.get(status or 0, "check the network (HF_ENDPOINT, HF_HUB_OFFLINE) and try again")
        reason = f"{type(error).__name__}: {error}".strip().splitlines()[0].replace(token, "…")
        raise OutputError(
            f"{upload.repo}: not uploaded ({reason}); {hint}. The dataset stands complete in "
            f"{upload.folder}: the same command again only uploads it"
        ) from None


def _refuse_outside(folder: Path, names: Iterable[str]) -> None:
    """Whatever a manifest names is published: nothing that lies elsewhere may be."""
    inside = folder.resolve()
    for name in names:
        if not (folder / name).resolve().is_relative_to(inside):
            raise OutputError(
                f"{folder}/{MANIFEST}: names {name}, which is not in the dataset's folder; nothing "
                "was uploaded. Export the dataset again"
            )


def _manifest(folder: Path) -> dict[str, Any]:
    try:
        known: dict[str, object] = msgspec.json.decode((folder / MANIFEST).read_bytes())
    except (OSError, msgspec.DecodeError) as error:
        raise OutputError(f"{folder}: no dataset that could be uploaded ({error})") from None
    return known


def _hub() -> Any:
    try:
        import huggingface_hub
    except ImportError:
        raise UsageError(
            "--push-to-hub needs the hub's library: pip install 'prmdata[hub]'"
        ) from None
    return huggingface_hub
