"""`doctor`: what this machine has, what it can reach, and what to install for the rest."""

from __future__ import annotations

import os
import platform
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

from prmdata.errors import PrmdataError
from prmdata.sampler import parse_spec
from prmdata.version import VERSION

LIBRARIES = ("numpy", "pyarrow", "tokenizers", "math-verify", "aiohttp", "torch")
MISSING = "missing"
ANSWER_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Finding:
    subject: str
    text: str


async def examine(sampler: str | None, store: str) -> list[Finding]:
    """Everything that can be found out in a few seconds."""
    return [
        *_versions(),
        *_devices(),
        await _sandbox(),
        *[await _server(name, url) for name, url in _servers(sampler)],
        _store(store),
        *_extras(),
    ]


def _versions() -> Iterator[Finding]:
    yield Finding("prmdata", f"{VERSION}, Python {platform.python_version()}")
    yield Finding("system", f"{platform.system()} {platform.release()}, {platform.machine()}")
    yield Finding("libraries", ", ".join(f"{name} {_version(name)}" for name in LIBRARIES))


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return MISSING


def _devices() -> Iterator[Finding]:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    yield Finding("cores", str(cores))
    try:
        import torch
    except ImportError:
        yield Finding("accelerators", "unknown without torch, which only `local:` models need")
        return
    names = [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())]
    if torch.backends.mps.is_available():
        names.append("Apple GPU")
    yield Finding("accelerators", ", ".join(names) or "none")


async def _sandbox() -> Finding:
    from prmdata.sandbox.level import reached

    try:
        level = await reached()
    except PrmdataError as error:
        return Finding("sandbox", f"none, so code cannot be run: {error}")
    weaker = "".join(f"; not {name} ({reason})" for name, reason in level.refused.items())
    return Finding("sandbox", f"{level.name} ({', '.join(level.layers)}){weaker}")


def _servers(sampler: str | None) -> Iterator[tuple[str, str]]:
    """What is named, and what was started from this folder."""
    from prmdata.serving.record import recorded

    if sampler is not None and parse_spec(sampler)[0] == "http":
        for url in sampler.split(","):
            yield url.strip(), url.strip()
    for server in recorded():
        yield f"{server.url} ({server.state})", server.url


async def _server(name: str, url: str) -> Finding:
    import aiohttp

    key = os.environ.get("OPENAI_API_KEY")
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    timeout = aiohttp.ClientTimeout(total=ANSWER_SECONDS)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout, headers=headers) as session,
            session.get(f"{url.rstrip('/')}/models") as answer,
        ):
            answer.raise_for_status()
            models = (await answer.json())["data"]
        offered = ", ".join(str(model["id"]) for model in models)
    except (aiohttp.ClientError, TimeoutError, KeyError, TypeError, ValueError) as error:
        reason = f"{type(error).__name__}: {error}".rstrip(": ")
        return Finding(name, f"not reachable ({reason}); start one with `prmdata serve MODEL`")
    return Finding(name, f"reachable, offers {offered or 'nothing'}")


def _store(folder: str) -> Finding:
    path = Path(folder)
    if folder == "none" or not path.is_dir():
        return Finding("store", f"{folder}: nothing there yet")
    size = sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
    free = shutil.disk_usage(path).free
    return Finding("store", f"{folder}: {size / 1e6:,.1f} MB, {free / 1e9:,.1f} GB free beside it")


def _extras() -> Iterator[Finding]:
    try:
        needed = requires("prmdata") or []
    except PackageNotFoundError:  # run from its source, without an installation
        return
    extras: dict[str, list[str]] = {}
    for line in needed:
        if found := re.fullmatch(r"([\w.-]+).*extra == ['\"]([\w-]+)['\"].*", line):
            extras.setdefault(found[2], []).append(found[1])
    for extra, packages in extras.items():
        missing = [package for package in packages if _version(package) == MISSING]
        text = f"missing {', '.join(missing)}: pip install 'prmdata[{extra}]'"
        yield Finding(f"extra {extra}", text if missing else "installed")
