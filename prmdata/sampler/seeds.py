"""Seeds of requests: they follow from what is asked, and never from when."""

from __future__ import annotations

import hashlib

import msgspec

from prmdata.sampler.protocol import SEED_SPACING, Sampling


def request_seed(
    run_seed: int, fingerprint: str, prompt: str, sampling: Sampling, purpose: str = ""
) -> int:
    """The base seed of all samples of one prompt: spaced, so that neighbours never overlap.

    Requests for the same text with the same settings share their samples, so that one method's
    rollouts serve the next from the store. A purpose keeps apart what must not be shared: the
    rollouts of a question are not the traces that `generate` has sampled of it.
    """
    parts = [run_seed, fingerprint, prompt, sampling, *([purpose] if purpose else [])]
    digest = hashlib.blake2b(msgspec.json.encode(parts), digest_size=8).digest()
    return (int.from_bytes(digest, "big") >> 1) // SEED_SPACING * SEED_SPACING
