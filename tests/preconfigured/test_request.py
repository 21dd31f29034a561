"""connectors.yml: read strictly, refused with the line and the nearest right key."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from preconfigured import AirGap, ConnectorError, Pki, StackVersion
from preconfigured.errors import KibanaYmlError, MachineError
from preconfigured.request import parse_request, read_request

FULL = b"""\
# What the site wants.
stack: 9.2.0
connectors:
  - id: vllm
    name: "vLLM: Mistral"
    provider: vllm
    url: https://llm.example.internal/v1/chat/completions
    model: mistralai/Mistral
    context: 65536
    native_function_calling: true
    temperature: 0.2
    headers: {X-Team: search}
    pki: {certificate: /c.crt, key: /c.key, ca: /ca.crt, token: true}
    verification_mode: certificate
    expose_config: false
  - {id: bedrock, name: Bedrock, provider: bedrock, region: eu-central-1, model: claude}
settings:
  private_ca: /etc/kibana/ca.crt
  allowed_hosts: [a.example]
  response_timeout: 300s
  default_connector: vllm
  default_only: true
  inference_chat_model_disabled: false
  air_gap: {registry_url: "https://epr.example.internal"}
"""


def test_everything() -> None:
    request = parse_request(FULL)
    vllm, bedrock = request.connectors
    assert request.stack == StackVersion(9, 2, 0)
    assert (vllm.name, vllm.context, vllm.temperature) == ("vLLM: Mistral", 65536, 0.2)
    assert vllm.pki == Pki("/c.crt", "/c.key", "/ca.crt", token=True)
    assert (vllm.native_function_calling, vllm.expose_config, vllm.verification_mode) == (True, False, "certificate")
    assert vllm.headers == {"X-Team": "search"}
    assert bedrock.region == "eu-central-1"
    settings = request.settings
    assert settings.allowed_hosts == ("a.example",)
    assert (settings.response_timeout, settings.default_only) == ("300s", True)
    assert settings.inference_chat_model_disabled is False
    assert settings.air_gap == AirGap("https://epr.example.internal")


@pytest.mark.parametrize(
    ("old", "new", "match", "hint"),
    [
        ("    model:", "    modle:", r":8: connectors\[0\]: unknown key 'modle'", "Did you mean 'model'"),
        ("settings:", "setings:", r":17: unknown key 'setings'", "Did you mean 'settings'"),
        ("  default_only", "  default_onyl", r":22: settings: unknown key 'default_onyl'", "default_only"),
        ("    context: 65536", "    context: '65536'", r":9: connectors\[0\]\.context: expected a whole", "quotes"),
        ("    context: 65536", "    context: 64k", r":9: .*expected a whole number", "65536"),
        ("temperature: 0.2", "temperature: warm", r":11: .*expected a number", "0.2"),
        ("calling: true", "calling: yes", r":10: .*expected true or false", "quotes"),
        ("    name: \"vLLM: Mistral\"", "    name: 5", r":5: .*name: expected a text", "quotes"),
        ("provider: vllm", "provider: vlm", r":6: .*expected one of vllm, .*found 'vlm'", "Did you mean 'vllm'"),
        ("    temperature: 0.2", "    api_key: hunter2", r":11: .*unknown key 'api_key'", "keystore"),
        ("stack: 9.2.0", "stack: 9.2", r":2: stack: expected a text", "quotes"),
        ("allowed_hosts: [a.example]", "allowed_hosts: a", r":19: settings\.allowed_hosts: expected a list", "- "),
        ("  - id: vllm\n", "  - model: x\n", r":8: the key 'model' stands here and in line 4", "one"),
        ("    pki: {certificate: /c.crt, ", "    pki: {", r":13: .*the key 'certificate' is missing", "certificate"),
        ("mode: certificate", "mode: strict", r":14: .*expected one of full, certificate, none", "full"),
        ("{id: bedrock, ", "{", r":16: connectors\[1\]: the key 'id' is missing", "id"),
        ("model: claude", "model: &a claude", r":16: .*found an anchor or a tag", "value itself"),
        ("headers: {X-Team: search}", "headers: [a]", r":12: .*headers: expected a mapping", "key: value"),
        ("connectors:\n", "connectors: 1\nother:\n", r":4: unknown key 'other'", "Known here"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_with_its_line(old: str, new: str, match: str, hint: str) -> None:
    text = FULL.decode()
    assert old in text
    with pytest.raises(KibanaYmlError, match=match) as error:
        parse_request(text.replace(old, new, 1).encode())
    assert hint in error.value.hint
    assert "hunter2" not in error.value.message + error.value.hint
    assert error.value.message.startswith("connectors.yml:")


@pytest.mark.parametrize(
    ("data", "match"),
    [
        (b"", "the file is empty"),
        (b"# nothing\n", "the file is empty"),
        (b"stack: 9.2.0\n", "the key 'connectors' is missing"),
        (b"- a\n", "found a sequence"),
        (b"connectors:\n  - a\n", "expected a mapping"),
        (b"a: [\n", "not YAML"),
        (b"\xff\xfea", "UTF-16"),
        (b"a: \xe9\n", "0xE9, which is not UTF-8"),
        (b"#" * (2 << 20), "expected at most"),
    ],
)
def test_what_is_none(data: bytes, match: str) -> None:
    with pytest.raises(KibanaYmlError, match=match):
        parse_request(data)


def test_a_version_that_is_none() -> None:
    with pytest.raises(ConnectorError, match="stack: expected a version"):
        parse_request(FULL.replace(b"9.2.0", b"'new'"))


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(MachineError, match="cannot read it: No such file"):
        read_request(tmp_path / "none.yml")
    with pytest.raises(MachineError, match="cannot read it: Is a directory"):
        read_request(tmp_path)
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(MachineError, match="is no plain file"):
        read_request(tmp_path / "fifo")
    (tmp_path / "c.yml").write_bytes(FULL)
    assert len(read_request(tmp_path / "c.yml").connectors) == 2
