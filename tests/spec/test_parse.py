"""What bundle.yml becomes, and what of the file system can go wrong on the way."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bundler.digest import Digest
from bundler.errors import SpecError
from bundler.spec.model import (
    Connector,
    ExtraFile,
    FilePatterns,
    FolderModel,
    HubModel,
    LayoutImage,
    Monitoring,
    Platform,
    Proxy,
    RegistryAccess,
    RegistryImage,
    UrlModel,
)
from bundler.spec.parse import parse_spec, read_spec
from tests.spec.texts import FULL, SMALLEST


def test_smallest_spec_gets_the_defaults() -> None:
    spec = parse_spec(SMALLEST)
    assert spec.models == (HubModel("org/model", "main", FilePatterns(), ()),)
    assert (spec.serve.gpus, spec.serve.context, spec.serve.args) == (1, None, ())
    assert (spec.stack, spec.proxy, spec.connectors, spec.files) == (None, None, (), ())
    assert (spec.monitoring, spec.registries, spec.signing_key) == (Monitoring(), {}, None)
    assert [role for role, _ in spec.images] == ["engine"]


def test_every_key_arrives() -> None:
    spec = parse_spec(FULL, base=Path("somewhere"))
    assert (spec.name, spec.version, spec.stack) == ("mistral-small", "2026.11.0", "9.2.0")
    assert spec.platform == Platform("linux", "arm64", "v8")
    patterns = FilePatterns(("consolidated*.safetensors", "params.json"), ("*.md",))
    assert spec.models == (
        HubModel("mistralai/Mistral-Small-3.2-24B-Instruct-2506", "main", patterns, ("adapter.bin",)),
        FolderModel("local/weights", "../weights", FilePatterns((), ("*.txt",))),
        UrlModel("quant", "http://files.example:8080/some%20model.gguf", Digest("a" * 64), "sub/model.gguf"),
        HubModel("plain-name"),
    )
    assert spec.serve.image == LayoutImage("images/vllm", "v0.9.1", "oci:images/vllm:v0.9.1")
    assert (spec.serve.context, spec.serve.gpus) == (65536, 2)
    assert spec.serve.args == ("--seed", "1", "--api-server-count=2", '{"model": "model://local/weights"}')
    assert spec.serve.replicas == 3
    assert spec.serve.upstreams == ("192.0.2.7:8000", "[2001:db8::7]:8000", "gpu-2.example.internal:8000")
    nginx = RegistryImage("docker.io", "library/nginx", "1.29-alpine", None, "nginx:1.29-alpine")
    assert spec.proxy == Proxy("llm.example.internal", "container", nginx)
    assert spec.connectors == (Connector("vllm-mistral-small", "vLLM - Mistral Small 3.2", "vllm"),)
    assert spec.monitoring == Monitoring(package=True, filebeat=False)
    url = "https://example.com/handbook.pdf?download=true"
    assert spec.files == (ExtraFile(url, Digest("b" * 64), "extra/docs/handbook.pdf"),)
    assert spec.signing_key == "COSIGN_KEY"
    assert spec.registries == {
        "files.example:8080": RegistryAccess(plain_http=True),
        "docker.io": RegistryAccess(mirrors=("mirror.example:5000/docker",), ca="certs/ca.pem"),
    }
    assert spec.base == Path("somewhere")


def test_url_model_takes_its_name_from_the_address() -> None:
    entry = f"  - {{id: org/model, url: 'https://example.com/a/my%20model.gguf?x=1', sha256: {'c' * 64}}}\n"
    model = parse_spec(SMALLEST.replace("  - org/model\n", entry)).models[0]
    assert isinstance(model, UrlModel)
    assert model.path == "my model.gguf"


def test_url_name_may_not_climb_out() -> None:
    entry = f"  - {{id: org/model, url: 'https://example.com/a/%2e%2e%2fpasswd', sha256: {'c' * 64}}}\n"
    with pytest.raises(SpecError, match=r"models\[0\]\.url: the address does not end in a file name"):
        parse_spec(SMALLEST.replace("  - org/model\n", entry))


def test_lmstudio_needs_no_image() -> None:
    text = SMALLEST.replace("engine: vllm", "engine: lmstudio").replace("  image: vllm/vllm-openai:v0.9.1\n", "")
    spec = parse_spec(text)
    assert (spec.serve.engine, spec.serve.image, spec.images) == ("lmstudio", None, ())


def test_host_proxy_and_ipv4_address() -> None:
    spec = parse_spec(SMALLEST + "proxy: {server_name: 10.0.0.25, run: host}\n")
    assert spec.proxy == Proxy("10.0.0.25", "host", None)


@pytest.mark.parametrize("name", ["a" * 64 + ".example", "-a.example", "a..b", "a.example:8443", "a b", "a_b", "*.x"])
def test_server_name_must_be_a_host_name(name: str) -> None:
    with pytest.raises(SpecError, match=r"proxy\.server_name: expected a host name"):
        parse_spec(SMALLEST + f"proxy: {{server_name: '{name}', run: host}}\n")


@pytest.mark.parametrize("arg", ["--api-key", "--api_key=x", "--api-k", "--hf-t", "--HF_TOKEN x", "--hf-token=x"])
def test_arguments_that_carry_a_secret(arg: str) -> None:
    with pytest.raises(SpecError, match=r"serve\.args\[0\]: .* carries a secret"):
        parse_spec(SMALLEST + f"  args: ['{arg}']\n")


@pytest.mark.parametrize("identity", ["a--b", "a..b", ".a/b", "a/b-", "a/b.git", "a/b/c", "/a", "a" * 97, "ä/b", ""])
def test_ids_that_the_hub_refuses(identity: str) -> None:
    with pytest.raises(SpecError, match=r"models\[0\]: expected a model id"):
        parse_spec(SMALLEST.replace("  - org/model", f"  - '{identity}'"))


def test_crlf_and_byte_order_mark(tmp_path: Path) -> None:
    file = tmp_path / "bundle.yml"
    file.write_bytes(b"\xef\xbb\xbf" + SMALLEST.replace("\n", "\r\n").encode())
    assert read_spec(file).models == parse_spec(SMALLEST).models
    assert read_spec(file).base == tmp_path


def test_missing_file_hints_at_init(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"bundle\.yml: there is no such file") as caught:
        read_spec(tmp_path / "bundle.yml")
    assert "llm-bundle init" in caught.value.hint


def test_folder_hints_at_the_file_in_it(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="expected a file, found a folder") as caught:
        read_spec(tmp_path)
    assert "bundle.yml" in caught.value.hint


def test_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(SpecError, match="expected a file, found a device or a pipe"):
        read_spec(tmp_path / "pipe")


def test_unreadable_file(tmp_path: Path) -> None:
    file = tmp_path / "bundle.yml"
    file.touch(mode=0)
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)  # root may read every file
    try:
        with pytest.raises(SpecError, match="may not be read"):
            read_spec(file)
    finally:
        os.seteuid(user)


def test_name_with_nul_and_endless_link(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="cannot be read"):
        read_spec(tmp_path / "a\0b")
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(SpecError, match="cannot be read"):
        read_spec(tmp_path / "loop")


def test_size_is_bounded(tmp_path: Path) -> None:
    file = tmp_path / "bundle.yml"
    file.write_text(SMALLEST + "#" * (1 << 20))
    with pytest.raises(SpecError, match="expected at most 1048576 bytes, found more"):
        read_spec(file)


def test_number_of_values_is_bounded() -> None:
    with pytest.raises(SpecError, match="20000 values in the file, found more"):
        parse_spec(SMALLEST + "files: [" + "a," * 30_000 + "]\n")


def test_docker_hub_under_both_its_names() -> None:
    assert list(parse_spec(SMALLEST + "registries: {index.docker.io: {}}\n").registries) == ["docker.io"]
    with pytest.raises(SpecError, match=r"registries\.index\.docker\.io: registry docker\.io stands twice"):
        parse_spec(SMALLEST + "registries: {docker.io: {}, index.docker.io: {}}\n")


def test_plain_http_must_be_said() -> None:
    entry = f"files: [{{url: 'http://files.example/a', sha256: {'c' * 64}, path: extra/a}}]\n"
    with pytest.raises(SpecError, match=r"files\[0\]\.url: expected an https address"):
        parse_spec(SMALLEST + entry + "registries: {files.example: {plain_http: false}}\n")
    assert parse_spec(SMALLEST + entry + "registries: {files.example: {plain_http: true}}\n").files
