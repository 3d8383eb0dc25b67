"""The trained network → a standard Hugging Face Llama folder."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import tokens
import torch
from network import Network
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer


def export(model: Network, words: Tokenizer, folder: Path, template: str = tokens.TEMPLATE) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    weights = {k: v.bfloat16().contiguous() for k, v in hugging_face_names(model).items()}
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    (folder / "model.safetensors").chmod(0o644)  # as shipped: readable for all
    tokens.save(words, folder, template)
    ids = {f"{name}_token_id": words.token_to_id(f"<{name}>") for name in ("bos", "eos", "pad")}
    shape = model.shape
    config = {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "vocab_size": shape.vocabulary,
        "hidden_size": shape.width,
        "intermediate_size": shape.inner,
        "num_hidden_layers": shape.layers,
        "num_attention_heads": shape.heads,
        "num_key_value_heads": shape.heads,
        "head_dim": shape.head,
        "hidden_act": "silu",
        "max_position_embeddings": shape.context,
        "rms_norm_eps": 1e-5,
        "rope_theta": shape.theta,
        "rope_parameters": {"rope_theta": shape.theta, "rope_type": "default"},
        "tie_word_embeddings": True,
        "attention_bias": False,
        "mlp_bias": False,
        "dtype": "bfloat16",
        "torch_dtype": "bfloat16",
        **ids,
    }
    _write(folder / "config.json", config)
    _write(folder / "generation_config.json", ids)


def restore(model: Network, folder: Path) -> None:
    """The inverse of `export`; tokens that the folder does not know keep their first vectors."""
    weights = load_file(folder / "model.safetensors")
    with torch.no_grad():
        for name, part in hugging_face_names(model).items():
            part[: len(weights[name])].copy_(
                weights[name]
            )  # parts are views of the network's fused weights


def hugging_face_names(model: Network) -> dict[str, torch.Tensor]:
    state = model.state_dict()
    named = {
        "model.embed_tokens.weight": state["embed.weight"],
        "model.norm.weight": state["norm.weight"],
    }
    for layer in range(model.shape.layers):
        ours, theirs = f"blocks.{layer}.", f"model.layers.{layer}."
        q, k, v = state[ours + "qkv.weight"].chunk(3)
        gate, up = state[ours + "gate_up.weight"].chunk(2)
        named |= {
            theirs + "self_attn.q_proj.weight": q,
            theirs + "self_attn.k_proj.weight": k,
            theirs + "self_attn.v_proj.weight": v,
            theirs + "self_attn.o_proj.weight": state[ours + "out.weight"],
            theirs + "mlp.gate_proj.weight": gate,
            theirs + "mlp.up_proj.weight": up,
            theirs + "mlp.down_proj.weight": state[ours + "down.weight"],
            theirs + "input_layernorm.weight": state[ours + "before.weight"],
            theirs + "post_attention_layernorm.weight": state[ours + "between.weight"],
        }
    return named


def _write(path: Path, content: Mapping[str, object]) -> None:
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
