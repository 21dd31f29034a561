"""Which files of a model are not needed because others hold the same weights, as rules in an order.

Rules: no I/O; a rule only leaves something out when what is preferred is there. Pickles, which can run code,
give way to every other format. What a rule does not know stays in, for space is cheaper than a model
that does not start. Names are those of https://huggingface.co/docs/transformers/main_classes/model (shards,
variants) and https://github.com/ggml-org/ggml/blob/master/docs/gguf.md (GGUF names and split parts).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from bundler.spec.model import Engine

Files = Mapping[str, int]

PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle")
_NEVER_READ = (
    *(".png", ".jpg", ".jpeg", ".gif", ".webp", ".svg", ".bmp", ".ico", ".avif", ".heic"),
    *(".mp4", ".webm", ".mov", ".mp3", ".pdf", ".ipynb", ".gitattributes", ".gitignore", ".ds_store"),
)
_FRAMEWORKS = (".h5", ".msgpack", ".onnx", ".onnx_data", ".tflite", ".mlmodel", ".ot", ".engine", ".nemo")
_FOLDERS = ("original", "metal", "onnx", "openvino", "coreml", "tensorrt", "runs")
_QUANTISATIONS = (
    *("Q4_K_M", "UD-Q4_K_XL", "Q4_K_XL", "Q4_K_L", "MXFP4", "Q4_K_S", "Q5_K_M", "UD-Q5_K_XL", "Q5_K_S"),
    *("Q4_1", "Q4_0", "IQ4_XS", "IQ4_NL", "Q6_K", "UD-Q6_K_XL", "Q6_K_L", "Q8_0", "UD-Q8_K_XL"),
    *("Q3_K_L", "Q3_K_M", "BF16", "F16", "FP16", "F32"),
)
_SHARD = re.compile(r"-\d{5}-of-\d{5}(?=\.)")
_VARIANT = re.compile(r"model(-\d{5}-of-\d{5})?\.(fp16|bf16|fp32|fp8|int8|int4)(-\d{5}-of-\d{5})?\.safetensors")
_LEFTOVER = re.compile(r"events\.out\.tfevents|(^|/)imatrix[^/]*$|[.-]imatrix\.(dat|gguf)$|\.imatrix$")
_MODEL = re.compile(r"model(-\d{5}-of-\d{5})?\.safetensors")
_MISTRAL = re.compile(r"consolidated([.-].*)?\.safetensors")


@dataclass(frozen=True, slots=True)
class LeftOut:
    """What a rule leaves out, and why: the end of a sentence that starts with "left out"."""

    paths: frozenset[str]
    why: str


Rule = Callable[[Files, Engine], LeftOut]


def _never_read(files: Files, engine: Engine) -> LeftOut:
    dropped = _ending(files, _NEVER_READ) | {path for path in files if _LEFTOVER.search(path)}
    return LeftOut(frozenset(dropped), "which no engine reads (images, notebooks and the like)")


def _other_folders(files: Files, engine: Engine) -> LeftOut:
    """``original/`` of Llama and gpt-oss, ``metal/`` of gpt-oss, exports, checkpoints of a training."""
    inside = {path for path in files if _is_other_folder(path)}
    others = _ending(files.keys() - inside, (".safetensors", ".gguf", *PICKLES))
    named = ", ".join(sorted({path.partition("/")[0] + "/" for path in inside}))
    return LeftOut(frozenset(inside if others else ()), f"in {named}, the same model in other forms")


def _other_frameworks(files: Files, engine: Engine) -> LeftOut:
    served = _ending(files, (".safetensors", ".gguf", *PICKLES))
    dropped = _with_index(files, _ending(files, _FRAMEWORKS)) if served else frozenset()
    return LeftOut(dropped, "the same weights for other frameworks (TensorFlow, Flax, ONNX and the like)")


def _gguf_or_not(files: Files, engine: Engine) -> LeftOut:
    """LM Studio reads GGUF, vLLM serves safetensors better; either takes the other where there is no choice."""
    gguf, rest = _ending(files, (".gguf",)), _ending(files, (".safetensors", *PICKLES))
    if not gguf or not rest:
        return LeftOut(frozenset(), "")
    if engine == "lmstudio":
        return LeftOut(_with_index(files, rest), "since LM Studio reads the GGUF beside them")
    return LeftOut(frozenset(gguf), "the same weights as GGUF, since vLLM reads the other files")


def _pickles(files: Files, engine: Engine) -> LeftOut:
    better = _ending(files, (".safetensors", ".gguf"))
    dropped = _with_index(files, _ending(files, PICKLES)) if better else frozenset()
    return LeftOut(dropped, "pickles, which can run code, beside safe weights")


def _mistral_twins(files: Files, engine: Engine) -> LeftOut:
    """``consolidated*.safetensors`` is read by vLLM with --load-format mistral, the shards by everything else."""
    mistral = {path for path in files if _MISTRAL.fullmatch(path)}
    shards = {path for path in files if _MODEL.fullmatch(path)}
    if not mistral or not shards:
        return LeftOut(frozenset(), "")
    if engine == "vllm" and {"params.json", "tekken.json"} <= files.keys():
        return LeftOut(_with_index(files, shards), "the same weights as in consolidated*.safetensors")
    return LeftOut(_with_index(files, mistral), "the same weights as in model*.safetensors")


def _variants(files: Files, engine: Engine) -> LeftOut:
    """Precision variants, and one file beside its shards: vLLM would load them all, transformers the index's."""
    plain = {path for path in files if _MODEL.fullmatch(path)}
    sharded = {path for path in plain if _SHARD.search(path)}
    dropped = _with_index(files, {path for path in files if _VARIANT.fullmatch(path)} if plain else ())
    if sharded and "model.safetensors.index.json" in files:
        dropped |= plain - sharded
    return LeftOut(dropped, "the same weights as in the other model*.safetensors")


def _quantisations(files: Files, engine: Engine) -> LeftOut:
    return _one_of(files, _ending(files, (".gguf",)) - _projectors(files), _QUANTISATIONS)


def _one_projector(files: Files, engine: Engine) -> LeftOut:
    """The part of a model that sees pictures comes as a GGUF of its own, in several precisions."""
    return _one_of(files, _projectors(files), ("F16", "FP16", "BF16", "Q8_0", "F32"))


TWINS: tuple[Rule, ...] = (_gguf_or_not, _mistral_twins, _variants, _quantisations)
RULES: tuple[Rule, ...] = (
    _never_read,
    _other_folders,
    _other_frameworks,
    _gguf_or_not,
    _pickles,
    _mistral_twins,
    _variants,
    _quantisations,
    _one_projector,
)


def _ending(paths: Collection[str], endings: tuple[str, ...]) -> set[str]:
    return {path for path in paths if path.lower().endswith(endings)}


def _with_index(files: Files, dropped: Collection[str]) -> frozenset[str]:
    """With the index of shards, which would otherwise name files that are not there."""
    indexes = {f"{_SHARD.sub('', path)}.index.json" for path in dropped}
    return frozenset(dropped) | (indexes & files.keys())


def _is_other_folder(path: str) -> bool:
    first, slash, _ = path.partition("/")
    return bool(slash) and (first.lower() in _FOLDERS or re.fullmatch(r"checkpoint-\d+", first) is not None)


def _projectors(files: Files) -> set[str]:
    return {path for path in _ending(files, (".gguf",)) if "mmproj" in path.rpartition("/")[2].lower()}


def _one_of(files: Files, paths: Collection[str], order: tuple[str, ...]) -> LeftOut:
    """Keep the preferred one of several quantisations, all its parts with it."""
    groups: dict[str, set[str]] = {}
    for path in paths:
        groups.setdefault(_SHARD.sub("", path), set()).add(path)
    if len(groups) < 2:
        return LeftOut(frozenset(), "")
    ranked = sorted(groups, key=lambda name: (_rank(name, order), len(groups[name]), name))
    dropped = frozenset(paths) - groups[ranked[0]]
    return LeftOut(dropped, f"other quantisations than {ranked[0]}")


def _rank(name: str, order: tuple[str, ...]) -> int:
    """The place in ``order`` of the quantisation that the path names; UD-Q4_K_XL is not Q4_K_XL."""
    found = [one for one in order if re.search(rf"(^|[-._/]){one}[-./]", name.upper())]
    return order.index(max(found, key=len)) if found else len(order)
