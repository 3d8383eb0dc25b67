"""The notebook runs from top to bottom, as it would where an event loop is running already."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

NOTEBOOK = Path(__file__).parents[1] / "docs" / "notebook.ipynb"


@pytest.mark.slow
def test_every_cell_runs(capsys: Any) -> None:
    cells = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
    code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    assert all(not cell["outputs"] for cell in cells if cell["cell_type"] == "code")
    names: dict[str, Any] = {}

    async def run() -> None:
        for text in code:
            exec(compile(text, "cell", "exec"), names)

    asyncio.run(run())
    assert "first wrong step" in capsys.readouterr().out
    assert names["figures"]["with_a_wrong_step"] > 0
    assert (Path("dataset") / "README.md").exists()
