"""A browser for the tests that are marked `browser`; without one they are skipped, except in CI."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.report.page.browser import Browser, found


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if found() is None and not os.environ.get("PRMDATA_BROWSER_NEEDED"):
        skip = pytest.mark.skip(reason="no Chromium: apt-get install chromium, or PRMDATA_BROWSER")
        for item in items:
            if item.get_closest_marker("browser"):
                item.add_marker(skip)


@pytest.fixture(scope="session")
def shared_browser() -> Iterator[Browser]:
    assert found() is not None, "no Chromium: apt-get install chromium, or set PRMDATA_BROWSER"
    browser = Browser()
    yield browser
    browser.close()


@pytest.fixture
def browser(shared_browser: Browser) -> Iterator[Browser]:
    """As a person finds it; the page may not complain of anything."""
    shared_browser.complaints.clear()
    shared_browser.size(1280, 900)
    shared_browser.scheme("light")
    for path in shared_browser.downloads.iterdir():
        path.unlink()
    yield shared_browser
    assert shared_browser.complaints == []


@pytest.fixture(scope="session")
def address() -> object:
    """Of a page that was written here."""
    return lambda path="report.html": Path(path).resolve().as_uri()
