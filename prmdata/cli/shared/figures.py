"""Figures on standard output: for people, or as JSON."""

from __future__ import annotations

from typing import Any

from prmdata.terminal import print_line


def print_figures(figures: dict[str, Any], as_json: bool) -> None:
    if as_json:
        import msgspec

        print_line(msgspec.json.encode(figures).decode())
        return
    from prmdata.report.score import lines

    for line in lines(figures):
        print_line(line)
