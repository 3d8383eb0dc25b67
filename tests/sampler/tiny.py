"""Tiny models of any architecture: random weights, sharp enough to have opinions, and a tokenizer."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

CONTEXT = 320
QUESTION = "<bos>Question: Ada has 3 plums and buys 4 more.\n"
TEXTS = [
    "Question: Ada has 3 plums.\n",
    "Ünïcödé 日本語 and 12 + 7 = 19.\n",
    "So the answer is 4.\n",
]
LLAMA3 = {
    "rope_type": "llama3",
    "rope_theta": 10_000.0,
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 64,
}
SMALL = {
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
}
GROUPED = {**SMALL, "num_key_value_heads": 2}
SHAPES: dict[str, tuple[str, dict[str, Any]]] = {
    "small": ("llama", {**GROUPED, "rope_parameters": LLAMA3}),
    "abacus": (
        "llama",
        {
            "hidden_size": 256,
            "intermediate_size": 704,
            "num_hidden_layers": 4,
            "num_attention_heads": 8,
            "num_key_value_heads": 8,
            "tie_word_embeddings": True,
        },
    ),
    "mistral": ("mistral", {**GROUPED, "head_dim": 24, "sliding_window": 24}),
    "qwen2": ("qwen2", GROUPED),
    "qwen3": ("qwen3", {**GROUPED, "head_dim": 24, "tie_word_embeddings": True}),
    "gpt2": ("gpt2", {"n_embd": 64, "n_layer": 2, "n_head": 4, "n_positions": CONTEXT}),
    "gpt_neox": ("gpt_neox", SMALL),
    "gemma2": ("gemma2", {**GROUPED, "head_dim": 16, "sliding_window": 24}),
    "phi": ("phi", SMALL),
    "mamba": ("mamba", {"hidden_size": 64, "num_hidden_layers": 2}),
}


def save_tiny(folder: Path, name: str, **more: Any) -> Path:
    """A model folder as transformers writes it."""
    from transformers import AutoConfig, AutoModelForCausalLM

    tokenizer = _tokenizer()
    tokenizer.save(str(folder / "tokenizer.json"))
    kind, shape = SHAPES[name]
    asked: Mapping[str, Any] = {
        "vocab_size": tokenizer.get_vocab_size(),
        "bos_token_id": 1,
        "eos_token_id": 2,
        "pad_token_id": 0,
        "initializer_range": 0.08,
        "tie_word_embeddings": False,
        **({} if kind in ("gpt2", "mamba") else {"max_position_embeddings": CONTEXT}),
        **shape,
        **more,
    }
    torch.manual_seed(1)
    model = AutoModelForCausalLM.from_config(AutoConfig.for_model(kind, **asked))
    with torch.no_grad():
        for weight in model.parameters():
            if weight.ndim == 1:  # biases and norms begin as zeros and ones: nobody would see them
                weight.add_(0.2 * torch.randn_like(weight))
    model.save_pretrained(folder)
    return folder


def _tokenizer() -> Tokenizer:
    """Bytes, and few merges."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(
        TEXTS * 5,
        trainers.BpeTrainer(
            vocab_size=290,
            special_tokens=["<pad>", "<bos>", "<eos>"],
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        ),
    )
    return tokenizer
