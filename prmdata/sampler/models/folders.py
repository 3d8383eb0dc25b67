"""Where a model's files are: with prmdata, in the user's folder, or fetched from the hub."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from prmdata.errors import SamplerError

ABACUS_MODEL = Path(__file__).parents[2] / "abacus" / "model"
AGENT_MODEL = Path(__file__).parents[2] / "worlds" / "agent"
SHIPPED = {"abacus": ABACUS_MODEL, "abacus:agent": AGENT_MODEL}
"""Models that come with prmdata, by what a user calls them."""
WORDS = ("*.json", "*.jinja")
"""How text becomes tokens, and messages become text."""
WHOLE = (*WORDS, "*.model", "*.tiktoken", "merges.txt", "vocab.txt", "*.py")
WEIGHTS = ("*.safetensors", "consolidated*.safetensors", "*.bin")
"""Of these the first that there is: some models have the same weights in several layouts."""
OTHERS = ("*/*.safetensors", "*/*.bin", "training_args.bin", "optimizer.bin")
"""Weights of other layouts, and what looks like weights."""

STATUS = re.compile(r"\d{3} (Client|Server) Error\.")


def model_folder(model: str, spec: str) -> Path:
    """All that is needed to run it."""
    if model in SHIPPED:
        return SHIPPED[model]
    folder = Path(model)
    if not folder.is_dir():
        return _fetched_whole(model, spec)
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


def _fetched_whole(model: str, spec: str) -> Path:
    for wanted in WEIGHTS:
        others = OTHERS if "consolidated" in wanted else (*OTHERS, "consolidated*")
        folder = fetched(model, spec, (*WHOLE, wanted), others)
        if any(folder.glob(wanted)):
            return folder
    raise SamplerError(f"{spec}: {model} has no weights on the hub that are .safetensors or .bin")


def fetched(model: str, spec: str, files: Sequence[str], others: Sequence[str] = ()) -> Path:
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
        found = snapshot_download(model, allow_patterns=[*files], ignore_patterns=[*others])
    except (HfHubHTTPError, LocalEntryNotFoundError, ValueError, OSError) as error:
        reason = _reason(error, model)
        raise SamplerError(f"{spec}: no folder {model}, and not from the hub: {reason}") from None
    return Path(found)


def _reason(error: Exception, model: str) -> str:
    from huggingface_hub.errors import GatedRepoError, HfHubHTTPError

    if isinstance(error, GatedRepoError):
        return (
            f"accept the licence on the model's page (https://huggingface.co/{model}), and say "
            "who you are with hf auth login or HF_TOKEN"
        )
    if isinstance(error, HfHubHTTPError) and error.response.status_code == 401:
        return (
            "it knows none of that name, or shows it to some only; mend the name, or say who you "
            "are with hf auth login or HF_TOKEN"
        )
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    said = [line for line in lines if not STATUS.match(line)]
    return (said or lines or [type(error).__name__])[0]
