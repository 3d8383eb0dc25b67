"""`vllm:MODEL`: the vLLM engine in this process, with its own arguments passed through."""

from __future__ import annotations

import hashlib
import os
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from prmdata.errors import ItemError, SamplerError
from prmdata.sampler.models.boundary import exact, span
from prmdata.sampler.models.fingerprint import folder_fingerprint
from prmdata.sampler.models.folders import model_folder
from prmdata.sampler.models.likely import likely
from prmdata.sampler.models.rendering import read_template
from prmdata.sampler.protocol import (
    LOWEST,
    MOST_LIKELY,
    NO_PREFIX,
    Completion,
    Likely,
    Sampler,
    Sampling,
    Scored,
    too_long,
    too_long_to_score,
)
from prmdata.sampler.vllm.hints import MEMORY, cause, hint

PLACEMENT = frozenset({
    "cpu_offload_gb", "data_parallel_size", "disable_log_stats", "download_dir", "dtype",
    "enable_chunked_prefill", "enable_prefix_caching", "enforce_eager", "gpu_memory_utilization",
    "kv_cache_memory_bytes", "max_model_len", "max_num_batched_tokens", "max_num_seqs",
    "pipeline_parallel_size", "seed", "swap_space", "tensor_parallel_size", "trust_remote_code",
})  # fmt: skip
"""Arguments that say where and how fast a model runs, or that the fingerprint holds already."""
INSTALL = "pip install 'prmdata[vllm]'"


class VllmSampler:
    def __init__(
        self, engine: Any, folder: Path, *, spec: str, arguments: Mapping[str, str]
    ) -> None:
        self._engine = engine
        self.spec = spec
        config = engine.vllm_config.model_config
        dtype = str(config.dtype).removeprefix("torch.")
        self.fingerprint = f"{folder_fingerprint(folder)}-vllm-{dtype}{variant(arguments)}"
        self.template = read_template(folder)
        self.context = int(config.max_model_len)
        from transformers import AutoTokenizer

        self._tokenizer = AutoTokenizer.from_pretrained(
            folder, trust_remote_code=config.trust_remote_code
        )
        self._exact = self._reader()

    def _reader(self) -> object:
        """The tokenizer that says where tokens begin, where the model has one."""
        backend = getattr(self._tokenizer, "backend_tokenizer", None)
        return None if backend is None else exact(backend)

    async def complete(
        self, prefix: str, n: int, sampling: Sampling, seed: int
    ) -> list[Completion]:
        from vllm import SamplingParams
        from vllm.sampling_params import RequestOutputKind

        ids = self._encode(prefix)
        if not ids or len(ids) >= self.context:
            raise ItemError(too_long(len(ids), self.context))
        try:
            params = SamplingParams(
                n=n,
                seed=seed,
                temperature=sampling.temperature,
                top_p=sampling.top_p,
                top_k=sampling.top_k or -1,
                max_tokens=min(sampling.max_tokens, self.context - len(ids)),
                stop=list(sampling.stop),
                logprobs=0 if sampling.logprobs else None,
                skip_special_tokens=False,
                spaces_between_special_tokens=False,
                output_kind=RequestOutputKind.FINAL_ONLY,
            )
        except ValueError as error:
            raise ItemError(f"vLLM does not take these settings: {error}") from None
        final = await self._final(ids, params)
        if any(output.finish_reason not in ("stop", "length") for output in final.outputs):
            raise SamplerError(f"{self.spec}: the engine broke off a request")
        return [_completion(output, sampling) for output in final.outputs]

    async def score(self, prefix: str, text: str, top: int = 0) -> Scored:
        from vllm import SamplingParams
        from vllm.sampling_params import RequestOutputKind

        if self._exact is None:
            raise SamplerError(
                f"{self.spec}: its tokenizer does not say where tokens begin, so text after a "
                "prefix cannot be scored"
            )
        read = span(self._exact, prefix, text)
        if len(read.ids) >= self.context:
            raise ItemError(too_long_to_score(len(read.ids), self.context))
        if read.first == 0:
            raise ItemError(NO_PREFIX)
        if not read.starts:
            return Scored((), (), len(read.ids))
        params = SamplingParams(
            max_tokens=1,
            prompt_logprobs=min(top, MOST_LIKELY),
            temperature=0,
            output_kind=RequestOutputKind.FINAL_ONLY,
        )
        final = await self._final(read.ids, params)
        places = final.prompt_logprobs[read.first :]
        return Scored(
            tuple(
                max(float(found[token].logprob), LOWEST)
                for token, found in zip(read.ids[read.first :], places, strict=True)
            ),
            read.starts,
            len(read.ids),
            read.straddles,
            *likely([self._named(found) for found in places], top),
        )

    def _named(self, place: Mapping[int, Any]) -> Likely:
        """The tokens of a place as text: what the engine calls them, byte tokens excepted."""
        return tuple(
            (found.decoded_token or "", max(float(found.logprob), LOWEST))
            for found in place.values()
        )

    async def _final(self, ids: list[int], params: object) -> Any:
        """The last output of a request. Cancelling it aborts the request in the engine."""
        from vllm.v1.engine.exceptions import EngineDeadError

        outputs = []
        try:
            prompt = {"prompt_token_ids": ids}
            async for output in self._engine.generate(prompt, params, uuid.uuid4().hex):
                outputs.append(output)
        except EngineDeadError as error:
            raise SamplerError(f"{self.spec}: the engine has died ({error})") from None
        except ValueError as error:
            raise ItemError(str(error)) from None
        return outputs[-1]

    def _encode(self, text: str) -> list[int]:
        return list(self._tokenizer(text, add_special_tokens=False)["input_ids"])

    async def close(self) -> None:
        self._engine.shutdown()


def _completion(output: Any, sampling: Sampling) -> Completion:
    logprobs = None
    if sampling.logprobs:
        places = zip(output.token_ids, output.logprobs, strict=True)
        logprobs = tuple(float(found[token].logprob) for token, found in places)
    return Completion(
        text=output.text,
        tokens=len(output.token_ids),
        finish="length" if output.finish_reason == "length" else "stop",
        logprobs=logprobs,
    )


async def open_vllm(model: str, options: Mapping[str, str], *, spec: str) -> Sampler:
    """Start the engine; `options` are its own arguments."""
    os.environ.setdefault("VLLM_LOGGING_STREAM", "ext://sys.stderr")
    os.environ.setdefault("VLLM_LOGGING_LEVEL", "WARNING")
    os.environ.setdefault("VLLM_CPU_KVCACHE_SPACE", "2")
    try:
        from vllm.engine.arg_utils import AsyncEngineArgs
        from vllm.platforms import current_platform
        from vllm.v1.engine.async_llm import AsyncLLM
    except ImportError as error:
        if error.name not in ("vllm", None):
            raise SamplerError(f"vLLM is installed but does not import: {error}") from None
        raise SamplerError(f"{spec}: vLLM is not installed here; {INSTALL}") from None
    folder = model_folder(model, spec)
    asked: dict[str, object] = {"model": str(folder), "enable_prefix_caching": True}
    if current_platform.is_cpu():
        # Seeded requests crash this platform's engine when they are prefilled in parts.
        asked |= {"enable_chunked_prefill": False, "enforce_eager": True}
    asked |= {name.replace("-", "_"): _typed(value) for name, value in options.items()}
    try:
        engine = AsyncLLM.from_engine_args(AsyncEngineArgs(**asked))
    except TypeError as error:
        raise SamplerError(f"{spec}: vLLM does not take these engine arguments: {error}") from None
    except Exception as error:  # noqa: BLE001  whatever kept it from starting is for the user
        reason = cause(error)
        advice = hint(reason, "look at the engine's own messages above" + MEMORY)
        raise SamplerError(f"{spec}: the engine did not start: {reason}\n{advice}") from None
    sampler: Sampler = VllmSampler(engine, folder, spec=spec, arguments=options)
    return sampler


def variant(arguments: Mapping[str, str]) -> str:
    """What in the engine's arguments makes another model of the same files: quantization, the type
    of the KV cache, overrides, the load format, and whatever is not known to be harmless."""
    named = {name.replace("-", "_"): value for name, value in arguments.items()}
    telling = sorted(item for item in named.items() if item[0] not in PLACEMENT)
    if not telling:
        return ""
    return "-" + hashlib.sha256(repr(telling).encode()).hexdigest()[:8]


def _typed(value: str) -> object:
    """Engine arguments are typed on a command line: numbers and switches are read as such."""
    if value.lower() in ("true", "false"):
        return value.lower() == "true"
    for kind in (int, float):
        try:
            return kind(value)
        except ValueError:
            continue
    return value
