"""What a server can do beyond one completion a request: compatible servers differ."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Offers:
    more: bool = True
    """It takes fields beyond those of the first such API."""
    many: bool = False
    """n samples of one request are those of n requests with seeds that count up."""
    token_ids: bool = False
    """It says which tokens it made: how many each of n samples took."""
    begins: bool = False
    """It puts the first token (`<bos>`) before every prompt by itself."""
    seeds: bool = True
    """The same seed gives the same words."""

    def __and__(self, other: Offers) -> Offers:
        """What two servers have in common."""
        return Offers(
            self.more and other.more,
            self.many and other.many,
            self.token_ids and other.token_ids,
            self.begins,
            self.seeds and other.seeds,
        )
