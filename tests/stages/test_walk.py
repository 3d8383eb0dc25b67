"""The walk that CONTRIBUTING shows is the one that a trace takes."""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

import pytest

from prmdata.labellers.bisect import Bisect
from prmdata.records import Trace
from prmdata.run.output import ListOutput
from prmdata.run.stage import RunOptions
from prmdata.sampler.rollouts import Rollouts
from prmdata.stages.label import Labelling, run_labelling
from tests.policy import Policy

ROOT = Path(__file__).parents[2]


def walked(frame: FrameType | None) -> list[tuple[str, str]]:
    """Names and files of the frames in the package, the outermost first."""
    found: list[tuple[str, str]] = []
    while frame is not None:
        path = Path(frame.f_code.co_filename)
        if path.is_relative_to(ROOT / "prmdata"):
            place = path.relative_to(ROOT / "prmdata").as_posix()
            found.insert(0, (frame.f_code.co_qualname, place))
        frame = frame.f_back
    return found


def test_from_the_engine_to_a_method_are_the_frames_that_contributing_shows(
    traces: list[Trace], policy: Policy, monkeypatch: pytest.MonkeyPatch
) -> None:
    block = re.search(
        r"<!-- test: walk -->\n```\n(.*?)```", (ROOT / "CONTRIBUTING.md").read_text(), re.DOTALL
    )
    assert block is not None
    shown = [tuple(line.split()[:2]) for line in block[1].splitlines()]
    assert len(shown) <= 6
    seen: list[list[tuple[str, str]]] = []

    async def opened(*_: object) -> Policy:
        return policy

    async def apply(self: Bisect, group: Sequence[Trace], rollouts: Rollouts) -> list[Trace]:
        seen.append(walked(sys._getframe()))
        return list(group)

    monkeypatch.setattr("prmdata.run.stage.open_sampler", opened)  # no spec names this policy
    monkeypatch.setattr(Bisect, "apply", apply)
    options = RunOptions(store=None, quiet=True)
    request = Labelling("label", "bisect", Bisect())
    asyncio.run(run_labelling(request, ListOutput(), options, traces[:4]))
    assert seen[0] == shown[:-1]
    assert shown[-1] == ("Bisect.apply", "labellers/bisect.py")
