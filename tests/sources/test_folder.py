"""Models in folders: what is taken, what is refused, and what is said."""

from __future__ import annotations

import os
import socket
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from bundler.digest import Digest
from bundler.errors import BundleError, IntegrityError, MachineError, SourceError, SpecError
from bundler.sources import folder as folder_module
from bundler.sources.folder import look, open_folder
from bundler.sources.listing import ListedFile
from bundler.spec.model import FilePatterns, FolderModel

FILES = {
    "config.json": b"{}",
    "model-00001-of-00002.safetensors": b"1" * 3_000_000,
    "model-00002-of-00002.safetensors": b"2" * 1_000,
    "tokenizer.json": b'{"t": 1}',
    "sub/more.json": b"{}",
}


ALL = FilePatterns()


def _model(files: FilePatterns = ALL) -> FolderModel:
    return FolderModel("team/model", "weights", files)


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    """A folder of a model."""
    root = tmp_path / "weights"
    for path, data in FILES.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(data)
    return root


def _expected(paths: list[str]) -> tuple[ListedFile, ...]:
    return tuple(ListedFile(p, len(FILES[p]), Digest.of(FILES[p])) for p in sorted(paths))


class _Heard:
    """A progress that keeps what it is told."""

    def __init__(self) -> None:
        self.begun: list[tuple[str, int]] = []
        self.done = 0

    def begin(self, title: str, total: int) -> None:
        self.begun.append((title, total))

    def advance(self, count: int) -> None:
        self.done += count

    def say(self, text: str) -> None: ...

    def end(self) -> None: ...


def test_all_files_with_sizes_and_digests(weights: Path, tmp_path: Path) -> None:
    heard = _Heard()
    found = look(_model(), tmp_path, "vllm", heard)
    assert found.files == _expected(list(FILES))
    assert (found.commit, found.license, found.notes) == (None, None, ())
    total = sum(map(len, FILES.values()))
    assert heard.begun == [("reading team/model", total)] and heard.done == total


def test_hidden_files_are_left_out(weights: Path, tmp_path: Path) -> None:
    for hidden in (".git/config", ".cache/huggingface/x.lock", ".gitattributes", "sub/.DS_Store"):
        (weights / hidden).parent.mkdir(parents=True, exist_ok=True)
        (weights / hidden).write_bytes(b"x")
    os.mkfifo(weights / ".pipe")
    (weights / ".loop").symlink_to(".loop")
    assert look(_model(), tmp_path, "vllm").files == _expected(list(FILES))


def test_patterns_choose(weights: Path, tmp_path: Path) -> None:
    patterns = FilePatterns(include=("*.json",), exclude=("sub/*",))
    assert look(_model(patterns), tmp_path, "vllm").files == _expected(["config.json", "tokenizer.json"])
    with pytest.raises(SpecError, match=r"models\[3\].*files\.include\[0\]: no file matches '\*\.gguf'"):
        look(_model(FilePatterns(include=("*.gguf",))), tmp_path, "vllm", where="models[3]")


def test_a_snapshot_of_the_hugging_face_cache(weights: Path, tmp_path: Path) -> None:
    """Its files are links into ``../../blobs``, see huggingface_hub's guide on the cache."""
    blobs = tmp_path / "models--team--model/blobs"
    snapshot = tmp_path / "models--team--model/snapshots/0123abcd"
    for path, data in FILES.items():
        blob = blobs / Digest.of(data).hex
        blob.parent.mkdir(parents=True, exist_ok=True)
        blob.write_bytes(data)
        (snapshot / path).parent.mkdir(parents=True, exist_ok=True)
        (snapshot / path).symlink_to(os.path.relpath(blob, (snapshot / path).parent))
    model = FolderModel("team/model", str(snapshot))
    found = look(model, tmp_path, "vllm")
    assert found.files == _expected(list(FILES))
    assert len(found.notes) == 1
    assert found.notes[0].startswith(f"5 of the files are links out of {snapshot}")
    assert f"config.json is {blobs}" in found.notes[0]
    origin = open_folder(model, tmp_path).files["config.json"]
    assert origin.path.parent == blobs and not origin.path.is_symlink()


def test_links_inside_need_no_note(weights: Path, tmp_path: Path) -> None:
    (weights / "again.json").symlink_to("sub/more.json")
    found = look(_model(), tmp_path, "vllm")
    assert found.notes == () and found.files[0].path == "again.json"


def _socket(path: Path) -> None:
    # A socket's whole path may have 107 bytes only.
    here = Path.cwd()
    os.chdir(path.parent)
    try:
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(path.name)
    finally:
        os.chdir(here)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        pytest.param(os.mkfifo, "odd: expected a plain file, found a pipe", id="pipe"),
        pytest.param(_socket, "odd: expected a plain file, found a socket", id="socket"),
        pytest.param(lambda p: p.symlink_to("gone"), "odd: a link that leads nowhere", id="dangling"),
        pytest.param(lambda p: p.symlink_to("odd"), "odd: a link that leads nowhere", id="loop"),
        pytest.param(lambda p: p.symlink_to("config.json/x"), "odd: a link that leads nowhere", id="below-file"),
        pytest.param(lambda p: p.symlink_to("sub"), "found a link to a folder", id="folder-link"),
        pytest.param(lambda p: p.symlink_to("."), "found a link to a folder", id="folder-loop"),
        pytest.param(lambda p: p.symlink_to("/dev/zero"), "found a link to a device", id="device-link"),
        pytest.param(lambda p: p.with_name("a\nb").touch(), r"'a\\nb' holds a control character", id="newline"),
        pytest.param(lambda p: p.with_name("a\\b").touch(), "or a backslash", id="backslash"),
        pytest.param(lambda p: (p.with_name("x\x1b[0m")).mkdir(), "a control character", id="escape-folder"),
        pytest.param(lambda p: p.with_name("\udcff").touch(), "not valid UTF-8", id="no-utf-8"),
    ],
)
def test_refuses(weights: Path, tmp_path: Path, make: Callable[[Path], object], words: str) -> None:
    make(weights / "odd")
    with pytest.raises(SpecError, match=words) as caught:
        look(_model(), tmp_path, "vllm")
    assert caught.value.message.startswith("model team/model: ") and caught.value.hint


def test_folders_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="weights: no such file or folder"):
        open_folder(_model(), tmp_path)
    (tmp_path / "weights").touch()
    with pytest.raises(SpecError, match="model team/model: expected a folder, found a file"):
        open_folder(_model(), tmp_path)
    (tmp_path / "weights").unlink()
    (tmp_path / "weights").mkdir()
    with pytest.raises(SpecError, match="model team/model: no files in"):
        open_folder(_model(), tmp_path)


def test_too_many_files(weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder_module, "MAX_FILES", 5)
    assert len(open_folder(_model(), tmp_path).files) == 5
    (weights / "sixth").touch()
    with pytest.raises(SpecError, match="more than 5 files"):
        open_folder(_model(), tmp_path)


def test_a_folder_that_may_not_be_listed() -> None:
    user = os.geteuid()
    with tempfile.TemporaryDirectory() as base:  # pytest's own folders are closed to other users
        (Path(base) / "weights/sub").mkdir(parents=True)
        (Path(base) / "weights/sub").chmod(0)
        Path(base).chmod(0o755)
        try:
            if user == 0:
                os.seteuid(65534)  # root may read everything
            with pytest.raises(MachineError, match="sub: this user may not read it"):
                open_folder(_model(), Path(base))
        finally:
            os.seteuid(user)
            (Path(base) / "weights/sub").chmod(0o755)


def test_reading_pieces(weights: Path, tmp_path: Path) -> None:
    found = open_folder(_model(), tmp_path)
    assert dict(found.paths) == {path: len(data) for path, data in FILES.items()}
    assert found.read("tokenizer.json", 2, 3) == b't":'
    assert found.read("config.json", 2, 0) == b""
    with pytest.raises(IntegrityError, match=r"config\.json: expected at least 3 bytes, found 2") as caught:
        found.read("config.json", 0, 3)
    assert "copy it again" in caught.value.hint
    with pytest.raises(SourceError, match=r"no file 'model-00003\.safetensors'"):
        found.read("model-00003.safetensors", 0, 1)
    (weights / "tokenizer.json").write_bytes(b"")
    with pytest.raises(BundleError, match="became shorter"):
        found.read("tokenizer.json", 0, 4)
