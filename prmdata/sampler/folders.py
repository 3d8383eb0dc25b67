"""Where a model's files are: with prmdata, in the user's folder, or fetched from the hub."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from prmdata.errors import SamplerError

ABACUS_MODEL = Path(__file__).parent.parent / "abacus" / "model"
WORDS = ("*.json", "*.jinja")
"""How text becomes tokens, and messages become text."""
WHOLE = (*WORDS, "*.safetensors")


def model_folder(model: str, spec: str) -> Path:
    """All that is needed to run it."""
    if model == "abacus":
        return ABACUS_MODEL
    folder = Path(model)
    if not folder.is_dir():
        return fetched(model, spec, WHOLE)
    if not (folder / "config.json").is_file():
        raise SamplerError(f"{spec}: {model} holds no config.json; it is not a model folder")
    return folder


def tokenizer_folder(model: str, spec: str) -> Path:
    """All that is needed to talk to it where it runs elsewhere."""
    folder = Path(model)
    try:
        found = folder if folder.is_dir() else fetched(model, spec, WORDS)
    except SamplerError as error:
        raise SamplerError(
            f"{error}\nIts tokenizer is needed to render prompts; name a folder or a hub model "
            "that has it with --engine-arg tokenizer=…"
        ) from None
    if not (found / "tokenizer_config.json").is_file():
        raise SamplerError(
            f"{spec}: {model} holds no tokenizer_config.json; to render prompts name a folder or "
            "a hub model that does with --engine-arg tokenizer=…"
        )
    return found


def fetched(model: str, spec: str, files: Sequence[str]) -> Path:
    """From the hub, or from what was fetched before."""
    if model.count("/") > 1 or model.startswith((".", "~", "/")) or not model:
        raise SamplerError(f"{spec}: there is no folder {model}; give a Hugging Face model folder")
    try:
        from huggingface_hub import snapshot_download
        from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError
    except ImportError:
        raise SamplerError(
            f"{spec}: there is no folder {model}; to load it from the hub, "
            "pip install 'prmdata[hub]'"
        ) from None
    try:
        return Path(snapshot_download(model, allow_patterns=list(files)))
    except (HfHubHTTPError, LocalEntryNotFoundError, ValueError, OSError) as error:
        reason = str(error).strip().splitlines()[0]
        raise SamplerError(f"{spec}: no folder {model}, and not from the hub: {reason}") from None
