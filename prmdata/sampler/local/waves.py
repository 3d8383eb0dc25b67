"""Any causal language model of transformers, with its own forward pass and key-value cache.

Sequences run in waves that begin together, padded on the left as in `generate`. Each draws from
its own seed; but the last bits of its logits come from kernels that see the whole wave, so once
in many thousand tokens (in float32) a draw at the very edge may fall to the other side.
"""

# ruff: noqa: TID253  torch through and through; imported when a model is opened
from __future__ import annotations

import inspect
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from prmdata.errors import SamplerError
from prmdata.sampler.local.draw import chosen
from prmdata.sampler.local.likely import add
from prmdata.sampler.local.scoring import ROWS, Places, Text
from prmdata.sampler.local.sequences import Request, Sequence, extend
from prmdata.sampler.local.tokenizer import TextTokenizer

TOKENS_AT_ONCE = 1 << 15
"""Tokens of prompts, with what pads them, that one wave begins with, save for a longer one."""
LOGITS_WEIGH = 64
"""A token whose logits are asked for takes the room of so many others."""
NO_LIMIT = 1 << 17
"""The context of a model whose configuration names none."""


def load_causal(folder: Path, dtype: torch.dtype, device: torch.device) -> object:
    """The model, by transformers."""
    try:
        from transformers import AutoModelForCausalLM
        from transformers.utils import logging
    except ImportError:
        raise SamplerError(
            f"{folder}: its architecture is run by transformers, which is not installed here; "
            "pip install 'prmdata[local,hub]'"
        ) from None
    # Without a word on it transformers would ask at a terminal whether to run the folder's code.
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        model: Any = AutoModelForCausalLM.from_pretrained(
            folder, dtype=dtype, local_files_only=True, trust_remote_code=False
        )
    except (ValueError, OSError, ImportError, KeyError) as error:
        reason = str(error).strip().splitlines()[0]
        raise SamplerError(f"{folder}: transformers does not open it: {reason}") from None
    if getattr(model, "_is_stateful", False):
        raise SamplerError(
            f"{folder}: a model with a recurrent state is not run here; use vllm:{folder}"
        )
    return model.to(device).eval()


@dataclass(eq=False)
class Wave:
    sequences: list[Sequence]
    cache: Any
    seen_BT: Tensor
    """1 where a token stands, 0 where a prompt is padded."""

    def keep(self, rows: list[int]) -> None:
        """These rows alone, as often as they are named."""
        index = torch.tensor(rows, device=self.seen_BT.device)
        self.cache.batch_select_indices(index)
        self.seen_BT = self.seen_BT[index]


class Waves:
    def __init__(self, model: Any, tokenizer: TextTokenizer, most: int) -> None:
        self.model, self.tokenizer, self.most = model, tokenizer, most
        self.waiting: deque[Request] = deque()
        self.texts: deque[Text] = deque()
        self.waves: list[Wave] = []
        config = model.config.get_text_config()
        self.context = int(getattr(config, "max_position_embeddings", None) or NO_LIMIT)
        self._takes = inspect.signature(model.forward).parameters

    @property
    def running(self) -> list[Sequence]:
        return [sequence for wave in self.waves for sequence in wave.sequences]

    @property
    def busy(self) -> bool:
        return bool(self.waves or self.waiting or self.texts)

    def admit(self) -> None:
        """A wave begins once as many samples wait as run: few waves, and none waits for long."""
        while self.waiting and self.waiting[0].cancelled:
            self.waiting.popleft()
        running = len(self.running)
        waiting = sum(r.n - r.begun for r in self.waiting if not r.cancelled)
        if not waiting or running >= self.most or waiting < min(running, self.most - running):
            return
        fresh = self._next(self.most - running)
        prompts = [samples[0].request.ids for samples in fresh]
        longest = max(map(len, prompts))
        device = self.model.device
        padded = [[0] * (longest - len(ids)) + ids for ids in prompts]
        seen = [[0] * (longest - len(ids)) + [1] * len(ids) for ids in prompts]
        wave = Wave([], None, torch.tensor(seen, device=device))
        logits_BV = self._forward(wave, torch.tensor(padded, device=device))
        rows = [row for row, samples in enumerate(fresh) for _ in samples]
        wave.sequences = [sample for samples in fresh for sample in samples]
        wave.keep(rows)
        self.waves.append(wave)
        extend(wave.sequences, logits_BV[rows], chosen)
        self._leave()

    def step(self) -> None:
        """One token for every running sequence."""
        for wave in self.waves:
            last_B1 = torch.tensor([[s.ids[-1]] for s in wave.sequences], device=self.model.device)
            wave.seen_BT = torch.cat([wave.seen_BT, torch.ones_like(last_B1)], 1)
            extend(wave.sequences, self._forward(wave, last_B1), chosen)
        self._leave()

    def cancel(self, request: Request) -> None:
        request.cancelled = True
        self._leave()

    @torch.inference_mode()
    def score(self) -> None:
        """The texts that wait, as many as fit. Padded at the end, which no token looks back at."""
        while self.texts and self.texts[0].cancelled:
            self.texts.popleft()
        if not self.texts:
            return
        texts = self._next_texts()
        longest = max(len(text.ids) for text in texts)
        padded = [[*text.ids, *[0] * (longest - len(text.ids))] for text in texts]
        keep = longest - min(text.first for text in texts) + 1
        also = {"logits_to_keep": keep} if "logits_to_keep" in self._takes else {}
        ids_BT = torch.tensor(padded, device=self.model.device)
        logits_BTV = self.model(input_ids=ids_BT, use_cache=False, **also).logits
        offset = longest - logits_BTV.shape[1]
        for text, logits_TV in zip(texts, logits_BTV, strict=True):
            places, end = Places(), len(text.ids)
            for start in range(text.first, end, ROWS):
                stop = min(start + ROWS, end)
                rows_TV = logits_TV[start - 1 - offset : stop - 1 - offset]
                add(places, rows_TV, text.ids[start:stop], text.top)
            text.resolve(places)

    def _next_texts(self) -> list[Text]:
        texts: list[Text] = []
        longest, rows = 0, 0
        while self.texts:
            text = self.texts[0]
            longest = max(longest, len(text.ids))
            rows = max(rows, len(text.ids) - text.first + 1)
            most = max(longest, rows * LOGITS_WEIGH)
            if texts and most * (len(texts) + 1) > TOKENS_AT_ONCE:
                break
            texts.append(self.texts.popleft())
        return [text for text in texts if not text.cancelled]

    @torch.inference_mode()
    def _forward(self, wave: Wave, ids_BT: Tensor) -> Tensor:
        """The logits after the last token of each row; the wave's cache holds the tokens."""
        places_BT = (wave.seen_BT.cumsum(1) - 1).clamp_(min=0)[:, -ids_BT.shape[1] :]
        also = {"position_ids": places_BT, "logits_to_keep": 1}
        found = self.model(
            input_ids=ids_BT,
            attention_mask=wave.seen_BT,
            past_key_values=wave.cache,
            use_cache=True,
            **{name: value for name, value in also.items() if name in self._takes},
        )
        wave.cache = found.past_key_values
        logits_BV: Tensor = found.logits[:, -1].float()
        return logits_BV

    def _next(self, free: int) -> list[list[Sequence]]:
        """What begins now, by request."""
        fresh: list[list[Sequence]] = []
        longest = 0
        while self.waiting and free:
            request = self.waiting[0]
            longest = max(longest, len(request.ids))
            if fresh and longest * (len(fresh) + 1) > TOKENS_AT_ONCE:
                break
            samples = [] if request.cancelled else request.begin(free)
            free -= len(samples)
            if request.cancelled or request.begun == request.n:
                self.waiting.popleft()
            if samples:
                fresh.append(samples)
        return fresh

    def _leave(self) -> None:
        """Sequences that are over leave, and waves that are empty."""
        left: list[Sequence] = []
        for wave in self.waves:
            over = [sequence.over(self.tokenizer) for sequence in wave.sequences]
            rows = [row for row, gone in enumerate(over) if not gone]
            if rows and any(over):
                wave.keep(rows)
            left += [s for s, gone in zip(wave.sequences, over, strict=True) if gone]
            wave.sequences = [wave.sequences[row] for row in rows]
        self.waves = [wave for wave in self.waves if wave.sequences]
        for sequence in left:
            sequence.hand_over()
