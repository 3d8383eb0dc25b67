"""Addresses as users write them: no password goes anywhere but to its server."""

from __future__ import annotations

import pytest

from prmdata.errors import UsageError
from prmdata.sampler.endpoint.addresses import Address, proxy_of


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "no_proxy", "PRMDATA_API_KEY", "OPENAI_API_KEY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.mark.parametrize(
    ("text", "url", "login"),
    [
        (" http://gpu:8000/v1/ ", "http://gpu:8000/v1", None),
        ("https://me:s3%3Acret@gpu/v1", "https://gpu/v1", ("me", "s3:cret")),
        ("http://me@gpu:80/v1", "http://gpu:80/v1", ("me", "")),
        ("http://[fe80::1]:8000/v1", "http://[fe80::1]:8000/v1", None),
    ],
)
def test_a_login_is_taken_out(text: str, url: str, login: tuple[str, str] | None) -> None:
    assert (Address.read(text).url, Address.read(text).login) == (url, login)


@pytest.mark.parametrize(
    "text", ["http://", "http://me:s3cret@:80/v1", "http://me:s3cret@gpu:x/v1"]
)
def test_what_is_no_address_is_said_without_its_password(text: str) -> None:
    with pytest.raises(UsageError) as refusal:
        Address.read(text)
    assert "s3cret" not in str(refusal.value)


def test_a_key_goes_where_it_belongs(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Address.read("http://gpu/v1").key is None
    monkeypatch.setenv("OPENAI_API_KEY", "theirs")
    assert Address.read("http://gpu/v1").key is None
    assert Address.read("https://api.openai.com/v1").key == "theirs"
    assert Address.read("https://notopenai.com/v1").key is None
    monkeypatch.setenv("PRMDATA_API_KEY", "ours")
    assert Address.read("http://gpu/v1").key == "ours"
    assert Address.read("http://me:s3cret@gpu/v1").key is None


def test_a_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    assert proxy_of("http://gpu:8000/v1") is None
    monkeypatch.setenv("HTTP_PROXY", "http://gate:3128")
    assert proxy_of("http://127.0.0.1:8000/v1") is None  # this machine needs no gate
    monkeypatch.setenv("NO_PROXY", "gpu2,gpu3")
    assert proxy_of("http://gpu2:8000/v1") is None
    assert proxy_of("http://gpu:8000/v1") == "http://gate:3128"
    assert proxy_of("https://gpu:8000/v1") is None
    assert proxy_of("http://127.0.0.1:8000/v1") is None
