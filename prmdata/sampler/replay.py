"""A sampler that makes nothing: it serves what a store recorded, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from prmdata.errors import ItemError, SamplerError, UsageError
from prmdata.sampler.models.fingerprint import RATES
from prmdata.sampler.protocol import Completion, Marked, Rated, Sampling, Scored
from prmdata.sampler.storage.store import Keys, Store, rating_key, score_key


class Replay:
    def __init__(self, spec: str, store: Store, fingerprint: str | None = None) -> None:
        card = store.card(fingerprint)
        self.spec = spec
        self.fingerprint = card.fingerprint
        self.template = card.template
        self.context = card.context
        self._store = store

    async def complete(
        self, prefix: str, n: int, sampling: Sampling, seed: int
    ) -> list[Completion]:
        request = Keys(self.fingerprint, prefix, sampling)
        found = [self._store.get(request.of(seed + i)) for i in range(n)]
        missing = found.count(None)
        if missing:
            raise ItemError(
                f"{missing} of {n} samples of this prefix (seed {seed}) were never recorded in "
                f"{self.spec}; record them with the sampler that made it"
            )
        return [completion for completion in found if completion is not None]

    async def score(self, prefix: str, text: str, top: int = 0) -> Scored:
        known = self._store.get_score(score_key(self.fingerprint, prefix, text, top))
        if known is None:
            raise SamplerError(f"{self.spec} has no score of this text; scoring text needs a model")
        return known

    @property
    def rates(self) -> bool:
        """Whether what was recorded came from a reward model."""
        return self.fingerprint.endswith(RATES)

    async def rate(self, marked: Marked) -> Rated:
        known = self._store.get_rating(rating_key(self.fingerprint, marked))
        if known is None:
            raise SamplerError(f"{self.spec} has no rating of this text; that needs the model")
        return known

    async def close(self) -> None:
        self._store.close()


async def open_replay(folder: str, options: Mapping[str, str], *, spec: str) -> Replay:
    if options:
        raise UsageError(f"replay takes no options, got {', '.join(sorted(options))}")
    name, _, fingerprint = folder.partition("#")
    if not Path(name).is_dir():
        raise SamplerError(f"{spec}: there is no store at {name}")
    return Replay(spec, Store(name), fingerprint or None)
