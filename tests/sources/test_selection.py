"""Which files are chosen, by pattern as the real client does it, and by rule in real repositories' shapes."""

from __future__ import annotations

import pytest
from huggingface_hub.utils._paths import filter_repo_objects
from hypothesis import given
from hypothesis import strategies as st

from bundler.errors import SpecError
from bundler.sources.selection import Selection, matches, select
from bundler.spec.model import Engine, FilePatterns

MISTRAL = {
    ".gitattributes": 1500,
    "README.md": 20_000,
    "SYSTEM_PROMPT.txt": 1000,
    "config.json": 900,
    "consolidated.safetensors": 48_000_000_000,
    "generation_config.json": 100,
    "model-00001-of-00002.safetensors": 24_000_000_000,
    "model-00002-of-00002.safetensors": 24_000_000_000,
    "model.safetensors.index.json": 50_000,
    "params.json": 1200,
    "tekken.json": 19_000_000,
}
GGUF = {
    "README.md": 1000,
    "imatrix_unsloth.dat": 1_000_000,
    "mmproj-BF16.gguf": 900_000_000,
    "mmproj-F16.gguf": 900_000_000,
    "tiny-instruct-Q2_K.gguf": 9_000_000_000,
    "tiny-instruct-Q4_K_M.gguf": 14_000_000_000,
    "tiny-instruct-UD-Q4_K_XL.gguf": 14_500_000_000,
    "BF16/tiny-instruct-BF16-00001-of-00002.gguf": 40_000_000_000,
    "BF16/tiny-instruct-BF16-00002-of-00002.gguf": 7_000_000_000,
}


def chosen(
    files: dict[str, int],
    engine: Engine = "vllm",
    *,
    allow: tuple[str, ...] = (),
    include: tuple[str, ...] = (),
    exclude: tuple[str, ...] = (),
) -> Selection:
    patterns = FilePatterns(include, exclude)
    return select(files, patterns, engine=engine, where="model org/x", allow_pickle=allow)


def sized(*paths: str) -> dict[str, int]:
    return dict.fromkeys(paths, 1_000_000)


def test_mistral_for_vllm_takes_the_consolidated_weights() -> None:
    found = chosen(MISTRAL)
    assert found.paths == tuple(sorted(path for path in MISTRAL if not path.startswith(("model", ".gitattributes"))))
    (note,) = [one for one in found.notes if "model-00001-of-00002.safetensors" in one]
    assert "48.0 GB" in note and "consolidated" in note and "files.include" in note


@pytest.mark.parametrize("missing", ["params.json", "tekken.json"])
def test_mistral_without_what_its_format_needs_takes_the_shards(missing: str) -> None:
    found = chosen({path: size for path, size in MISTRAL.items() if path != missing})
    assert "consolidated.safetensors" not in found.paths
    assert {"model-00001-of-00002.safetensors", "model.safetensors.index.json"} <= set(found.paths)


def test_mistral_for_lm_studio_takes_the_shards() -> None:
    assert "consolidated.safetensors" not in chosen(MISTRAL, "lmstudio").paths


def test_consolidated_alone_stays() -> None:
    files = sized("consolidated-00001-of-00002.safetensors", "consolidated-00002-of-00002.safetensors")
    assert set(chosen(files).paths) == set(files)


def test_llama_and_gpt_oss_leave_the_folders_of_other_forms() -> None:
    kept = ("LICENSE", "USE_POLICY.md", "config.json", "model-00001-of-00001.safetensors", "tokenizer.json")
    other = ("original/consolidated.00.pth", "original/params.json", "metal/model.bin", "original/dtypes.json")
    found = chosen(sized(*kept, *other))
    assert found.paths == kept
    assert any("metal/, original/" in note and "4.0 MB" in note for note in found.notes)


def test_a_folder_that_is_all_there_is_stays() -> None:
    files = sized("README.md", "original/consolidated.00.pth", "original/params.json")
    assert set(chosen(files).paths) == set(files)


def test_safetensors_before_pickles_and_other_frameworks() -> None:
    kept = ("config.json", "configuration_x.py", "merges.txt", "model.safetensors", "tokenizer.model")
    other = ("pytorch_model.bin", "tf_model.h5", "flax_model.msgpack", "onnx/model.onnx", "openvino/m.bin")
    more = ("pytorch_model.bin.index.json", "training_args.bin", "checkpoint-500/model.safetensors", "logo.PNG")
    found = chosen(sized(*kept, *other, *more, "runs/events.out.tfevents.1", "try.ipynb"))
    assert found.paths == kept
    assert any("pickles, which can run code" in note for note in found.notes)


def test_pickles_stay_where_nothing_else_is_or_where_allowed() -> None:
    assert chosen(sized("pytorch_model.bin")).paths == ("pytorch_model.bin",)
    files = sized("model.safetensors", "voices.pt", "optimizer.pt")
    assert chosen(files, allow=("voices.pt",)).paths == ("model.safetensors", "voices.pt")


def test_allowing_by_name_brings_back_nothing_but_pickles() -> None:
    assert "model.onnx" not in chosen(sized("model.safetensors", "model.onnx"), allow=("*",)).paths


def test_lm_studio_takes_one_quantisation_and_one_projector() -> None:
    found = chosen(GGUF, "lmstudio")
    assert found.paths == ("README.md", "mmproj-F16.gguf", "tiny-instruct-Q4_K_M.gguf")
    assert any("other quantisations than tiny-instruct-Q4_K_M.gguf" in note for note in found.notes)


def test_a_longer_name_is_another_quantisation() -> None:
    found = chosen(sized("m-Q4_K_XL.gguf", "m-UD-Q4_K_XL.gguf", "m-Q8_0.gguf"), "lmstudio")
    assert found.paths == ("m-UD-Q4_K_XL.gguf",)


def test_split_parts_stay_together() -> None:
    files = {path: size for path, size in GGUF.items() if "Q4" not in path and "Q2" not in path}
    assert [path for path in chosen(files, "lmstudio").paths if path.startswith("BF16")] == [
        "BF16/tiny-instruct-BF16-00001-of-00002.gguf",
        "BF16/tiny-instruct-BF16-00002-of-00002.gguf",
    ]


def test_a_quantisation_may_be_named_by_its_folder() -> None:
    files = sized("Q2_K/m-00001-of-00002.gguf", "Q2_K/m-00002-of-00002.gguf", "Q4_K_M/m-00001-of-00001.gguf")
    assert chosen(files, "lmstudio").paths == ("Q4_K_M/m-00001-of-00001.gguf",)


@pytest.mark.parametrize(("engine", "kept"), [("vllm", "model.safetensors"), ("lmstudio", "m-Q8_0.gguf")])
def test_gguf_beside_safetensors_goes_by_engine(engine: Engine, kept: str) -> None:
    assert chosen(sized("model.safetensors", "m-Q8_0.gguf"), engine).paths == (kept,)


def test_variants_and_a_whole_file_beside_its_shards() -> None:
    assert chosen(sized("model.safetensors", "model.fp16.safetensors")).paths == ("model.safetensors",)
    shards = sized("model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors")
    index = sized("model.safetensors.index.json")
    assert set(chosen(shards | index | sized("model.safetensors")).paths) == set(shards | index)


def test_unknown_weights_stay() -> None:
    files = sized("model.safetensors", "mtp.safetensors", "2_Dense/model.safetensors", "vocab.bpe")
    found = chosen(files)
    assert set(found.paths) == set(files)
    assert found.notes == ()


def test_patterns_choose_and_nothing_else_is_left_out() -> None:
    found = chosen(MISTRAL, include=("consolidated*.safetensors", "*.json"), exclude=("generation*",))
    assert found.paths == (
        *("config.json", "consolidated.safetensors", "model.safetensors.index.json"),
        *("params.json", "tekken.json"),
    )
    assert found.notes == ()


def test_patterns_that_bring_weights_twice_are_said() -> None:
    found = chosen(MISTRAL, exclude=("*.md",))
    assert ".gitattributes" in found.paths and "model-00001-of-00002.safetensors" in found.paths
    (note,) = found.notes
    assert "more than once" in note and "48.0 GB" in note


@pytest.mark.parametrize("key", ["include", "exclude"])
def test_a_pattern_that_matches_nothing(key: str) -> None:
    wrong = ("*.json", "consolidatd*")
    with pytest.raises(SpecError) as caught:
        chosen(MISTRAL, include=wrong if key == "include" else (), exclude=wrong if key == "exclude" else ())
    assert f"model org/x: files.{key}[1]: no file matches 'consolidatd*'" in caught.value.message
    assert "consolidated.safetensors" in caught.value.message and "3 more" in caught.value.message
    assert "trailing /" in caught.value.hint


def test_nothing_left() -> None:
    with pytest.raises(SpecError, match=r"nothing is left of README\.md"):
        chosen(sized("README.md"), include=("*.md",), exclude=("README*",))
    with pytest.raises(SpecError, match="expected weights, found no files"):
        chosen({})
    with pytest.raises(SpecError, match="no file matches 'a', found no files"):
        chosen({}, include=("a",))


PATHS = st.text("ab./*?[]!-", min_size=1, max_size=8)


@given(st.sets(PATHS, max_size=8), PATHS)
def test_patterns_match_as_in_the_real_client(paths: set[str], pattern: str) -> None:
    ours = {path for path in paths if matches(path, pattern)}
    assert ours == set(filter_repo_objects(paths, allow_patterns=[pattern]))
