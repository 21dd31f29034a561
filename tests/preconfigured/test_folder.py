"""What is written for a site: the files, the Kubernetes resource, and secrets only where they were asked for."""

from __future__ import annotations

import base64
import re
from dataclasses import replace
from pathlib import Path

import pytest

from preconfigured import Connector, Pki, Settings, UsageError, render_all
from preconfigured.eck import eck
from preconfigured.errors import MachineError
from preconfigured.folder import folder
from preconfigured.keystore import keystore_script
from preconfigured.secret_values import secret_values
from tests.preconfigured.wishes import EVERYTHING, VLLM, read, stack

NAME = "LLM_BUNDLE_VLLM_MISTRAL_SMALL_API_KEY"


def test_the_files_of_a_site() -> None:
    made = folder([VLLM], Settings(), stack=stack())
    names = [file.name for file in made.files]
    assert names == [
        "kibana.yml", "keystore-archive.sh", "keystore-deb.sh", "keystore-rpm.sh", "keystore-docker.sh",
        "NEXT-STEPS.md", "inference-endpoints.console",
    ]  # fmt: skip
    assert {file.name: file.mode for file in made.files}["keystore-deb.sh"] == 0o755
    assert "PUT _inference/chat_completion/vllm-mistral-small\n{" in made.files[-1].text
    assert not made.holds_secrets
    assert [f.name for f in folder([VLLM], Settings(), stack=stack("8.17.0")).files][-1] == "NEXT-STEPS.md"


def test_inline_secrets_have_mode_0600_and_no_scripts() -> None:
    made = folder([VLLM], Settings(), stack=stack(), secrets="inline", values={VLLM.id: {"apiKey": "12345678"}})
    assert made.holds_secrets
    assert made.files[0].mode == 0o600
    assert 'apiKey: "12345678"' in made.files[0].text
    assert "12345678" not in "".join(file.text for file in made.files[1:]) + repr(made)
    assert not [file for file in made.files if file.name.endswith(".sh")]


def test_the_kubernetes_resource() -> None:
    """The fields of kibana.k8s.elastic.co/v1 as ECK's reference names them; config is what kibana.yml would hold."""
    made = eck(EVERYTHING, Settings(default_connector="vllm"), stack=stack(), name="kb")
    resource = read(made.text)
    assert (resource["apiVersion"], resource["kind"]) == ("kibana.k8s.elastic.co/v1", "Kibana")
    assert resource["metadata"] == {"name": "kb"}
    spec = resource["spec"]
    assert set(spec) == {"version", "count", "elasticsearchRef", "config", "secureSettings"}
    assert (spec["version"], spec["count"], spec["elasticsearchRef"]) == ("9.3.0", 1, {"name": "kb"})
    assert list(spec["config"]["xpack.actions.preconfigured"]) == [wish.id for wish in EVERYTHING]
    assert spec["config"]["uiSettings.overrides"] == {"genAiSettings:defaultAIConnector": "vllm"}
    names = [entry["secretName"] for entry in spec["secureSettings"]]
    script = keystore_script(render_all(EVERYTHING, stack()), "eck")
    assert names == re.findall(r"put \S+ (llm-connector-[a-z-]+)", script), "each Secret that the script makes"
    assert all(set(entry) == {"secretName"} for entry in spec["secureSettings"])


def test_the_resource_without_secrets_and_with_bad_names() -> None:
    endpoint = EVERYTHING[-1]
    assert "secureSettings" not in read(eck([endpoint], Settings(), stack=stack()).text)["spec"]
    assert "podTemplate" in eck([VLLM], Settings(private_ca="/ca.crt"), stack=stack()).text
    for name in ("", "A", "a.b", "-a", "a" * 64, "a\nb"):
        with pytest.raises(UsageError, match="expected a Kubernetes name"):
            eck([VLLM], Settings(), stack=stack(), name=name)
    with pytest.raises(UsageError, match="expected keystore with the form eck, found env"):
        folder([VLLM], Settings(), stack=stack(), form="eck", secrets="env")


def test_values_come_from_the_environment_a_file_or_whoever_is_asked(tmp_path: Path) -> None:
    rendered = render_all([VLLM], stack())
    (tmp_path / "token").write_text("from-file\n")
    assert secret_values(rendered, {NAME: "from-env"}) == {VLLM.id: {"apiKey": "from-env"}}
    assert secret_values(rendered, {f"{NAME}_FILE": str(tmp_path / "token")}) == {VLLM.id: {"apiKey": "from-file"}}
    assert secret_values(rendered, {}, lambda question: f"<{question}>") == {
        VLLM.id: {"apiKey": f"<apiKey of {VLLM.id}>"}
    }
    for ask in (None, lambda _: ""):
        with pytest.raises(UsageError, match="expected a value for apiKey of vllm-mistral-small, found none") as error:
            secret_values(rendered, {}, ask)
        assert f"{NAME}_FILE" in error.value.hint


def test_certificates_are_read_from_their_files(tmp_path: Path) -> None:
    (tmp_path / "c").write_bytes(b"CERT\n")
    (tmp_path / "k").write_bytes(b"KEY\n")
    wish = replace(VLLM, pki=Pki(str(tmp_path / "c"), str(tmp_path / "k")))
    found = secret_values(render_all([wish], stack()), {})[VLLM.id]
    assert {name: base64.b64decode(value) for name, value in found.items()} == {
        "certificateData": b"CERT\n",
        "privateKeyData": b"KEY\n",
    }
    gone = Connector("g", "G", "gemini", region="europe-west3", project="p", credentials=str(tmp_path / "none.json"))
    with pytest.raises(MachineError, match=r"none\.json: cannot read it: No such file"):
        secret_values(render_all([gone], stack()), {})
    (tmp_path / "none.json").write_bytes(b"\xff" * 9)
    with pytest.raises(UsageError, match="expected text in UTF-8"):
        secret_values(render_all([gone], stack()), {})
    (tmp_path / "none.json").write_bytes(b" " * (1 << 17))
    with pytest.raises(MachineError, match="expected at most 65,536 bytes"):
        secret_values(render_all([gone], stack()), {})
