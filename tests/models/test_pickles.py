"""Weights that run code when loaded are refused by name and by content."""

from __future__ import annotations

import io
import pickle
import tarfile
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bundler.errors import SpecError
from bundler.models.pickles import check_pickles, find_pickles, is_pickle_name
from tests.models.stage import WHERE, Files


def _torch_zip() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps({"a": 1}, protocol=2))
    return out.getvalue()


def _tar() -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        archive.addfile(tarfile.TarInfo("pickle"))
    return out.getvalue()


def _npy(array: np.ndarray[tuple[int, ...], np.dtype[np.generic]]) -> bytes:
    out = io.BytesIO()
    np.save(out, array, allow_pickle=True)
    return out.getvalue()


OBJECTS = _npy(np.array([{"a": 1}], dtype=object))
FIELDS = _npy(np.array([(1, "a")], dtype=[("n", "<i4"), ("o", "O")]))


@pytest.mark.parametrize(
    "path",
    [
        "pytorch_model.bin",
        "pytorch_model-00001-of-00002.bin",
        "sub/PYTORCH_MODEL.BIN",
        "model.pt",
        "last.ckpt",
        "x.pkl",
        "x.pickle",
        "scaler.joblib",
        "training_args.bin",
    ],
)
def test_refused_by_name(path: str) -> None:
    assert is_pickle_name(path)
    with pytest.raises(SpecError) as caught:
        check_pickles(Files({path: b"harmless text"}), (), WHERE)
    assert caught.value.message.startswith(f"models[0]: {path}: pickled weights, which can run any code")
    assert "safetensors" in caught.value.hint
    assert f"allow_pickle: [{path}]" in caught.value.hint


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("value", [{"a": 1}, [1, 2], (1, 2), {}, [], {1: [2]}, pickle.PickleError, range(3)])
def test_refused_by_content_in_every_protocol(protocol: int, value: object) -> None:
    assert find_pickles(Files({"weights.pth": pickle.dumps(value, protocol=protocol)})) == ("weights.pth",)


@pytest.mark.parametrize("data", [_torch_zip(), _tar(), OBJECTS, FIELDS], ids=["zip", "tar", "objects", "fields"])
@pytest.mark.parametrize("path", ["consolidated.00.pth", "weights", "x.npy", "tokenizer.model"])
def test_refused_by_content(path: str, data: bytes) -> None:
    assert find_pickles(Files({path: data})) == (path,)


@pytest.mark.parametrize(
    ("path", "data"),
    [
        ("model.safetensors", b"\x80\x02" + bytes(6)),
        ("LICENSE", b"Apache License\nVersion 2.0\n"),
        ("LICENSE", b"(c) 2025 the authors\n"),
        (".gitattributes", b"*.bin filter=lfs diff=lfs merge=lfs -text\n"),
        ("tokenizer.model", b"\n\x0e\n\x05<unk>\x15\x00\x00\x00\x00\x18\x02"),
        ("tiktoken.model", b"IQ== 0\nIg== 1\n"),
        ("array.npy", _npy(np.zeros(3, dtype=np.float32))),
        ("empty", b""),
        ("weights.pth", b"./lib/python\n"),
        ("chat_template.jinja", b"(dp0\n"),
        ("pytorch_model.bin.index.json", b"{}"),
    ],
)
def test_not_taken_for_a_pickle(path: str, data: bytes) -> None:
    assert find_pickles(Files({path: data})) == ()


def test_only_a_little_is_read() -> None:
    files = Files({"a.pth": bytes(100), "b.safetensors": b"", "c.bin": b""}, {"a.pth": 10**12, "c.bin": 10**12})
    assert find_pickles(files) == ("c.bin",)
    assert files.bytes_read == 512


def test_allowed_by_its_whole_path_only() -> None:
    files = Files({"a.bin": b"1", "sub/a.bin": b"2"})
    with pytest.raises(SpecError, match=r"models\[0\]: sub/a.bin: pickled weights"):
        check_pickles(files, ["a.bin"], WHERE)
    assert check_pickles(files, ["a.bin", "sub/a.bin"], WHERE) == ("a.bin", "sub/a.bin")


def test_an_allowance_for_nothing_is_refused() -> None:
    with pytest.raises(SpecError, match=r"models\[0\]: allow_pickle: no file of the model is called model.bim"):
        check_pickles(Files({"model.bin": b""}), ["model.bim"], WHERE)


@pytest.mark.parametrize("hidden", [b"I1\n0cos\nsystem\n(S'true'\ntR.", b"Va\n0N0(ios\nsystem\n."])
def test_a_pickle_without_its_usual_beginning_is_found(hidden: bytes) -> None:
    assert find_pickles(Files({"weights.pth": hidden + bytes(1000)})) == ("weights.pth",)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=600), st.sampled_from(["a.pth", "a", "a.npy", "a.xyz"]))
def test_any_bytes_are_judged_without_a_fault(data: bytes, path: str) -> None:
    assert find_pickles(Files({path: data})) in ((), (path,))
