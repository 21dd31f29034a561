"""Proves the stand-in hub with the real ``huggingface_hub`` client, in a process of its own per question.

A process of its own, because the client reads its environment once; Xet is off there, as on a machine
without ``hf_xet``, so that Xet files come by plain HTTP.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.counterparts.hub import Hub
from tests.counterparts.need import need

FILES: dict[str, bytes | Path] = {
    "config.json": b'{"model_type": "llama"}',
    "README.md": b"# Tiny\n",
    "sub folder/a&b %20.txt": b"odd name",
    "model-00001-of-00002.safetensors": b"first " * 50_000,
    "model-00002-of-00002.safetensors": b"second " * 50_000,
    "big.xet": b"xet " * 10_000,
}


@pytest.fixture
def hub() -> Iterator[Hub]:
    with Hub() as running:
        running.add("org/tiny", FILES, xet=["*.xet"], card={"license": "mit"})
        yield running


def client(hub: Hub, home: Path, code: str, *, token: str = "") -> str:
    """Run ``code`` with the real client; what it prints, or the name of the exception that it ends with."""
    program = (
        "import json, os, sys\nfrom huggingface_hub import HfApi, hf_hub_download, snapshot_download\n"
        "api = HfApi()\ntry:\n"
        + "".join(f"    {line}\n" for line in code.splitlines())
        + "except Exception as error:\n    print(type(error).__name__)\n"
    )
    kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    settings = {"HF_ENDPOINT": hub.endpoint, "HF_HOME": str(home), "HF_HUB_DISABLE_XET": "1", "HF_TOKEN": token}
    done = subprocess.run(
        [sys.executable, "-c", program], env=kept | settings, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_model_info_and_tree(hub: Hub, tmp_path: Path) -> None:
    commit = hub.repositories["org/tiny"].refs["main"]
    hub.add("org/tiny", {f"many/{at:03}.txt": b"%d" % at for at in range(120)}, ref="v1.0")
    shown = client(
        hub,
        tmp_path,
        "one = api.model_info('org/tiny', revision='main', files_metadata=True)\n"
        "files = {s.rfilename: [s.size, s.blob_id, s.lfs and s.lfs.sha256] for s in one.siblings}\n"
        "tree = {e.path: [e.size, e.blob_id, e.lfs and e.lfs.sha256]\n"
        "        for e in api.list_repo_tree('org/tiny', recursive=True) if hasattr(e, 'size')}\n"
        "tagged = len(list(api.list_repo_tree('org/tiny', 'many', revision='v1.0')))\n"
        "kept = {e.path: e.xet_hash for e in api.list_repo_tree('org/tiny') if hasattr(e, 'xet_hash')}\n"
        "print(json.dumps([one.id, one.sha, one.card_data.license, files, tree, tagged, kept['big.xet']]))",
    )
    name, sha, terms, files, tree, tagged, kept = json.loads(shown)
    stored = hub.repositories["org/tiny"].commits[commit]
    assert (name, sha, terms, tagged) == ("org/tiny", commit, "mit", 120)
    assert files == tree == {path: [one.size, one.oid, one.sha256] for path, one in stored.items()}
    assert kept == stored["big.xet"].xet


def test_git_blob_ids_are_git_s_own(hub: Hub) -> None:
    git = need("git", "git")
    stored = hub.repositories["org/tiny"].commits[hub.repositories["org/tiny"].refs["main"]]
    for path in ("README.md", "config.json"):
        content = FILES[path]
        assert isinstance(content, bytes)
        asked = subprocess.run([git, "hash-object", "--stdin"], input=content, capture_output=True, check=True)
        assert stored[path].oid == asked.stdout.decode().strip()


def test_downloads(hub: Hub, tmp_path: Path) -> None:
    commit = hub.repositories["org/tiny"].refs["main"]
    shown = client(
        hub,
        tmp_path / "home",
        f"print(snapshot_download('org/tiny', local_dir={str(tmp_path / 'all')!r}))\n"
        f"print(hf_hub_download('org/tiny', 'config.json', revision={commit!r}))\n"
        "print(hf_hub_download('org/tiny', 'big.xet', revision='main'))",
    )
    _, config, big = shown.splitlines()
    for path, content in FILES.items():
        assert (tmp_path / "all" / path).read_bytes() == content
    assert Path(config).read_bytes() == FILES["config.json"]
    assert Path(big).read_bytes() == FILES["big.xet"]
    assert not [one for one in hub.requests("storage") if "authorization" in one.headers]


def test_a_file_on_disk_and_a_range(hub: Hub, tmp_path: Path) -> None:
    large = tmp_path / "large.gguf"
    large.write_bytes(os.urandom(1_000_000) * 24)
    hub.add("org/disk", {"large.gguf": large})
    # The client keeps whole pieces of 10 MiB only, and asks for the rest.
    hub.faults.cut_after, hub.faults.cuts = 15_000_000, 1
    shown = client(hub, tmp_path, "print(hf_hub_download('org/disk', 'large.gguf'))")
    assert Path(shown).read_bytes() == large.read_bytes()
    assert hub.requests("storage")[-1].headers["range"] == f"bytes={10 << 20}-"


@pytest.mark.parametrize(
    ("code", "token", "expected"),
    [
        ("api.model_info('org/none')", "", "RepositoryNotFoundError"),
        ("api.model_info('org/none')", "hf_good", "RepositoryNotFoundError"),
        ("api.model_info('org/secret')", "", "RepositoryNotFoundError"),
        ("api.model_info('org/tiny')", "hf_wrong", "HfHubHTTPError"),
        ("api.model_info('org/tiny', revision='no')", "", "RevisionNotFoundError"),
        ("hf_hub_download('org/tiny', 'no.txt')", "", "RemoteEntryNotFoundError"),
        ("hf_hub_download('org/gated', 'config.json')", "", "GatedRepoError"),
        ("hf_hub_download('org/gated', 'config.json')", "hf_other", "GatedRepoError"),
        ("print(api.model_info('org/secret').id)", "hf_good", "org/secret"),
        ("print(open(hf_hub_download('org/gated', 'config.json')).read())", "hf_good", "{}"),
        ("print(api.model_info('org/old').id)", "", "org/tiny"),
        ("print(open(hf_hub_download('org/old', 'README.md')).read())", "", "# Tiny"),
    ],
)
def test_refusals(hub: Hub, tmp_path: Path, code: str, token: str, expected: str) -> None:
    hub.add("org/secret", {"config.json": b"{}"}, private=True)
    hub.add("org/gated", {"config.json": b"{}"}, gated=True)
    hub.allow("hf_good", "org/secret", "org/gated")
    hub.allow("hf_other")
    hub.renamed["org/old"] = "org/tiny"
    assert client(hub, tmp_path, code, token=token) == expected
