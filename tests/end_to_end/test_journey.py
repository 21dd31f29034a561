"""From bundle.yml to an unpacked bundle with real servers, by the commands that a user types."""

from __future__ import annotations

import hashlib
import json
import tarfile
from pathlib import Path

from tests.end_to_end.conftest import Journey, World
from tests.end_to_end.stage import BASE, ENGINE, ENGINE_AMD64, HANDBOOK, MODEL, PROXY, TOP


def test_lock_pins_digests_and_commit(journey: Journey, world: World) -> None:
    said = journey.runs["lock"].json
    assert said.keys() == {"lock", "changed", "images", "models", "gpu"}
    assert [model["commit"] for model in said["models"]] == [world.commit]
    lock = json.loads((journey.desk.folder / "bundle.lock").read_bytes())
    sources = {image["role"]: image["source_digest"] for image in lock["images"]}
    assert sources == {"engine": ENGINE_AMD64.digest, "proxy": PROXY.digest}
    assert ENGINE.digest not in sources.values()


def test_lock_says_which_of_two_sets_of_weights_it_takes(journey: Journey) -> None:
    assert f"{MODEL}: " in journey.runs["lock"].err
    assert "the same weights as in consolidated*.safetensors" in journey.runs["lock"].err
    lock = json.loads((journey.desk.folder / "bundle.lock").read_bytes())
    weights = [file["path"] for file in lock["models"][0]["files"] if file["path"].endswith(".safetensors")]
    assert weights == ["consolidated.safetensors"]


def test_plan_has_the_keys_of_the_design(journey: Journey) -> None:
    said = journey.runs["plan"].json
    assert said.keys() >= {"images", "models", "fetch_bytes", "bundle_bytes", "site_bytes", "gpu"}
    assert len(said["images"]) == 2
    (model,) = said["models"]
    assert model.keys() >= {"id", "bytes", "context", "weights_bytes", "kv_bytes_per_token"}
    assert (model["id"], model["context"]) == (MODEL, 131_072)
    assert said["gpu"]["context"] == 65_536
    assert said["gpu"]["fits"]


def test_plan_knows_what_build_does(journey: Journey) -> None:
    planned, built = journey.runs["plan"].json, journey.runs["build"].json
    assert built.keys() == {
        "bundle", "volumes", "bytes", "manifest_sha256", "bytes_fetched", "bytes_written", "seconds", "signed_by"
    }  # fmt: skip
    assert planned["bundle_bytes"] == built["bytes"] == journey.bundle.stat().st_size
    assert planned["fetch_bytes"] == built["bytes_fetched"]
    assert built["bytes_written"] <= built["bytes"]
    assert built["volumes"] == []
    assert Path(built["bundle"]).name == f"{TOP}.tar"
    assert built["manifest_sha256"] == hashlib.sha256((journey.root / "manifest.json").read_bytes()).hexdigest()


def test_each_blob_is_in_the_bundle_once(journey: Journey) -> None:
    blobs = [path.name for path in (journey.root / "images" / "blobs" / "sha256").iterdir()]
    wanted = {*ENGINE_AMD64.blobs, *PROXY.blobs, ENGINE_AMD64.digest}
    assert wanted < {f"sha256:{name}" for name in blobs}
    assert len(blobs) == len(wanted) + 1  # the proxy's manifest, rewritten from Docker's
    assert len(set(ENGINE_AMD64.blobs) & set(PROXY.blobs)) == 1
    planned = journey.runs["plan"].json
    of_images = planned["fetch_bytes"] - planned["models"][0]["bytes"] - len(HANDBOOK)
    assert sum(image["bytes"] for image in planned["images"]) == of_images + len(BASE.data)


def test_verify_has_the_keys_of_the_design(journey: Journey) -> None:
    said = journey.runs["verify"].json
    assert said.keys() == {
        "ok", "bundle", "manifest_sha256", "members", "bytes", "signature", "signed_by", "damaged"
    }  # fmt: skip
    assert (said["ok"], said["signature"], said["damaged"]) == (True, "absent", [])
    assert said["manifest_sha256"] == journey.runs["build"].json["manifest_sha256"]
    assert said["members"] == len(journey.runs["inspect"].json["members"]) + 2


def test_a_damaged_member_is_named(journey: Journey, tmp_path: Path) -> None:
    damaged = tmp_path / journey.bundle.name
    data = bytearray(journey.bundle.read_bytes())
    data[data.index(HANDBOOK) + 100] ^= 4
    damaged.write_bytes(data)
    done = journey.desk.run("verify", "--json", str(damaged), code=5)
    assert done.json["ok"] is False
    (row,) = done.json["damaged"]
    assert row.keys() == {"path", "volume", "reason"}
    assert row["path"] == "extra/handbook.txt"
    assert journey.desk.run("unpack", "--json", str(damaged), "broken", code=5).json["path"] is None
    assert list((journey.desk.folder / "broken").iterdir()) == []


def test_inspect_and_diff(journey: Journey, world: World) -> None:
    said = journey.runs["inspect"].json
    assert said["manifest_sha256"] == journey.runs["build"].json["manifest_sha256"]
    assert said["bytes"] == journey.bundle.stat().st_size
    assert said["models"][0]["commit"] == world.commit
    assert journey.runs["diff"].json == {"same": True, "fields": {}, "changes": [], "new_bytes": 0}


def test_the_unpacked_bundle_is_good_and_complete(journey: Journey) -> None:
    assert journey.runs["unpack"].json["path"] == f"site/{TOP}"
    assert journey.desk.run("verify", "--json", f"site/{TOP}").json["ok"] is True
    assert (journey.root / "extra" / "handbook.txt").read_bytes() == HANDBOOK
    assert "xpack.actions.preconfigured" in (journey.root / "kibana" / "kibana.yml").read_text()
    assert [path.name for path in journey.root.parent.iterdir()] == [TOP]


def test_volumes_are_the_same_bytes_and_a_missing_one_is_named(journey: Journey) -> None:
    done = journey.desk.run("build", "--json", "--volume-size", "7MiB", "--output", "volumes")
    volumes = [journey.desk.folder / path for path in done.json["volumes"]]
    assert len(volumes) == 3
    assert b"".join(path.read_bytes() for path in volumes) == journey.bundle.read_bytes()
    names = [str(path) for path in volumes]
    assert journey.desk.run("verify", "--json", names[1]).json["ok"] is True
    assert journey.desk.run("verify", "--json", names[2], names[0], names[1]).json["ok"] is True
    volumes[1].unlink()
    lost = journey.desk.run("verify", "--json", names[0], code=5).json["damaged"]
    assert {row["volume"] for row in lost} == {f"{TOP}.tar.002"}
    assert "the volume is missing" in {row["reason"] for row in lost}


def test_the_tar_is_laid_out_as_designed(journey: Journey) -> None:
    """As Python's own tarfile sees it: one top folder, the order of the design, data on 4,096-byte borders."""
    with tarfile.open(journey.bundle) as archive:
        members = archive.getmembers()
    assert all(member.isreg() and member.name.startswith(f"{TOP}/") for member in members)
    assert [member.name for member in members if member.size and member.offset_data % 4096] == []
    tops = list(dict.fromkeys(member.name.split("/")[1] for member in members))
    written = ["SHA256SUMS", "manifest.json", "README.md", "llm-bundle.pex", "config", "kibana"]
    assert tops == [*written, "images", "models", "extra"]
    assert {(member.uid, member.gid, member.uname, member.gname) for member in members} == {(0, 0, "", "")}
