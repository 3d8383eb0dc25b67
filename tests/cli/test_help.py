"""Help pages: panels in 80 columns, examples that parse, no page too slow."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from prmdata.cli import COMMANDS, app
from prmdata.cli.shared.building import name_of
from prmdata.cli.shared.help import split_docstring
from prmdata.sampler import SAMPLERS
from prmdata.traces.steps import SPLITTERS

FUNCTIONS = {name_of(f): f for panel in COMMANDS.values() for f in panel}


def page(*words: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "prmdata", *words, "--help"],
        capture_output=True,
        text=True,
        env={
            "PATH": "/usr/bin:/bin",
            "COLUMNS": "200",
            "PYTHONPATH": str(Path(__file__).parents[2]),
        },
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("name", ["label", "generate", "export", "show"])
def test_options_stand_in_panels_of_eighty_columns(name: str) -> None:
    text = page(name)
    assert max(map(len, text.splitlines())) <= 80
    panels = re.findall(r"^(\w[\w ]*):$", text, re.MULTILINE)
    assert panels[0] == "Arguments"
    assert panels[-1] == "Examples"
    if name != "show":
        assert panels[1] == "Input and output"
        assert panels[-2] == "Run"
    assert not re.search(r"<(str|int|float)", text)


def test_every_command_has_an_example_that_parses() -> None:
    """Whatever stands before `prmdata` or after a pipe is the shell's."""
    program = typer.main.get_command(app)
    for name, function in FUNCTIONS.items():
        _, examples = split_docstring(function.__doc__ or "")
        assert examples, name
        for example in examples:
            words = shlex.split(re.split(r"[|)]", example[example.index("prmdata ") :])[0])
            command = program.commands[words[1]]  # type: ignore[attr-defined]
            command.make_context(words[1], words[2:], resilient_parsing=False)


def test_the_contents_name_every_command_without_building_one() -> None:
    code = (
        "from prmdata.cli import app; import typer\n"
        "program = typer.main.get_command(app)\n"
        "page = program.get_help(typer.Context(program, info_name='prmdata'))\n"
        "print(len(program.commands._built), page)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.startswith("0 "), done.stderr
    for name in FUNCTIONS:
        assert re.search(rf"^  {name}  ", done.stdout, re.MULTILINE)


def test_help_that_lists_names_lists_all_of_them() -> None:
    program = typer.main.get_command(app)
    texts = {
        (name, parameter.name): parameter.help
        for name in ("generate", "label")
        for parameter in program.commands[name].params  # type: ignore[attr-defined]
    }
    for entry in SAMPLERS.values():
        assert entry.usage in texts["label", "sampler"]
    for name in SPLITTERS:
        assert name in texts["generate", "steps"]


def test_a_misspelt_command_names_the_nearest(prmdata) -> None:
    done = prmdata("lable")
    assert done.returncode == 2
    assert "Did you mean 'label'" in done.stderr


def test_colours_are_left_out_where_no_color_asks_for_it(shell) -> None:
    line = "prmdata generate abacus:12 -n 4 -q -o t.jsonl && FORCE_COLOR=1 {} prmdata show t.jsonl"
    colour = re.compile(r"\x1b\[[\d;]*3[1-7]m")
    assert colour.search(shell(line.format("")).stdout)
    assert not colour.search(shell(line.format("NO_COLOR=1")).stdout)
