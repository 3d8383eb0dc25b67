"""Imports point one way: a room knows those above it in this list, never those below."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "prmdata"


def rooms() -> list[list[str]]:
    """CONTRIBUTING's own list: what stands on a line may import from the lines above it."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    block = text.partition("<!-- test: rooms -->")[2].partition("```")[2].partition("```")[0]
    lines = (line.partition("  ")[0].split() for line in block.splitlines()[1:])
    return [[name.rstrip("/") for name in names] for names in lines if names]


RANK = {name: rank for rank, names in enumerate(rooms()) for name in names}


def test_the_list_names_every_room_and_nothing_else() -> None:
    there = {p.stem if p.suffix == ".py" else p.name for p in PACKAGE.iterdir()}
    assert set(RANK) == there - {"__pycache__", "py.typed"}


def room(module: str) -> str | None:
    """`prmdata.files.paths` → `files`; the package itself, for its version, is nobody's room."""
    parts = module.split(".")
    return parts[1] if parts[0] == "prmdata" and len(parts) > 1 else None


@pytest.mark.parametrize(
    "path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE))
)
def test_a_file_imports_only_from_rooms_above_it(path: Path) -> None:
    own = path.relative_to(PACKAGE).with_suffix("").parts[0]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        modules = []
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module == "prmdata":
            modules = [f"prmdata.{alias.name}" for alias in node.names if alias.name in RANK]
        elif isinstance(node, ast.ImportFrom):
            modules = [node.module or ""]
        for name in filter(None, map(room, modules)):
            assert name == own or RANK[name] < RANK[own], f"{own} imports {name}"


def test_methods_and_stages_never_know_which_sampler_they_have() -> None:
    backends = ("sampler.local", "sampler.endpoint.sampler", "sampler.vllm", "sampler.replay")
    for folder in (
        "labellers",
        "traces",
        "run",
        "stages",
        "report",
        "dataset",
        "exports",
        "verifiers",
    ):
        for path in (PACKAGE / folder).rglob("*.py"):
            text = path.read_text(encoding="utf-8")
            assert not any(backend in text for backend in backends), path
