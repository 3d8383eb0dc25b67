"""What a server can do beyond one completion a request: compatible servers differ."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Offers:
    many: bool = False
    """n samples of one request are those of n requests with seeds that count up."""
    token_ids: bool = False
    """It says which tokens it made: how many each of n samples took."""
    raw: bool = True
    """It can be told to leave a prompt as it is; else it puts the first token there itself."""
    seeds: bool = True
    """The same seed gives the same words."""
