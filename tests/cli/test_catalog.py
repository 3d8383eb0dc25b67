"""What there is, as a table and entry by entry; plug-ins come by the same way."""

from __future__ import annotations

import pytest

from prmdata.cli import catalog
from prmdata.environments import ENVIRONMENTS
from prmdata.exports import FORMATS
from prmdata.imports import IMPORTS
from prmdata.labellers import LABELLERS
from prmdata.problems import LAYOUTS, SOURCES
from prmdata.settings import documented
from prmdata.verifiers import VERIFIERS

TABLES = (
    (catalog.methods, LABELLERS),
    (catalog.methods, VERIFIERS),
    (catalog.formats, FORMATS),
    (catalog.sources, IMPORTS),
)


@pytest.mark.parametrize(("command", "table"), TABLES)
def test_the_table_names_every_entry_in_eighty_columns(
    command, table, capsys: pytest.CaptureFixture[str]
) -> None:
    command()
    lines = capsys.readouterr().out.splitlines()
    names = {line.split()[0] for line in lines if line.strip()}
    assert set(table) <= names
    assert max(map(len, lines)) <= 90


@pytest.mark.parametrize(
    ("command", "table", "name"),
    [(command, table, name) for command, table in TABLES for name in table],
)
def test_a_page_names_every_setting_and_an_example(
    command, table, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    command(name)
    page = capsys.readouterr().out
    for setting in documented(table[name]):
        assert f"--set {setting.name}" in page
    assert "Example:\n  $ prmdata " in page
    assert name in page


@pytest.mark.parametrize("name", [*SOURCES, *LAYOUTS])
def test_sources_and_layouts_of_problems_have_a_page(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    catalog.sources(name)
    assert name in capsys.readouterr().out


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_an_environment_shows_its_settings_also_where_something_else_has_its_name(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    catalog.sources(name)
    page = capsys.readouterr().out
    assert f"--environment {name}" in page
    for setting in documented(ENVIRONMENTS[name]):
        assert f"--environment-arg {setting.name}" in page


def test_a_method_says_what_it_costs_needs_and_where_it_comes_from(
    capsys: pytest.CaptureFixture[str],
) -> None:
    catalog.methods("bisect")
    page = capsys.readouterr().out
    assert "Cost: 4,800 tokens, for a trace of 10 steps" in page
    assert "Needs: sampler." in page
    assert "https://arxiv.org/abs/2406.06592" in page


def test_a_misspelt_name_is_told_the_nearest(prmdata) -> None:
    done = prmdata("methods", "bisekt")
    assert done.returncode == 2
    assert "did you mean 'bisect'" in done.stderr
