"""``connectors render``, ``apply`` and ``remove``: exit codes, what is printed where, and what is written."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from bundler.cli.main import call
from examples.tiny.inputs import make_inputs
from tests.preconfigured.wishes import read

ROOT = Path(__file__).parents[2]
LONG = ROOT / "tests" / "data" / "kibana-yml-merge" / "commented-300-lines.yml"
TOKEN = "hunter2-token"
VARIABLE = "LLM_BUNDLE_VLLM_MISTRAL_API_KEY"
WANTED = """\
stack: 9.2.0
connectors:
  - id: vllm-mistral
    name: vLLM - Mistral
    provider: vllm
    url: https://llm.example.internal/v1/chat/completions
    model: mistralai/Mistral
    context: 65536
    native_function_calling: true
settings: {default_connector: vllm-mistral, private_ca: /etc/kibana/certs/llm-ca.crt}
"""


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a connectors.yml and a kibana.yml, as the current one."""
    (tmp_path / "connectors.yml").write_text(WANTED)
    (tmp_path / "kibana.yml").write_bytes(LONG.read_bytes())
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(VARIABLE, raising=False)
    return tmp_path


def run(capsys: pytest.CaptureFixture[str], *args: str) -> tuple[int, str, str]:
    code = call(["connectors", *args])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_render_prints_the_snippet_alone(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "render")
    assert (code, err) == (0, "")
    assert list(read(out)["xpack.actions.preconfigured"]) == ["vllm-mistral"]
    code, older, err = run(capsys, "render", "connectors.yml", "--stack", "8.16.0")
    assert code == 0
    assert "exposeConfig: true" not in older
    assert "note: xpack.actions.preconfigured.vllm-mistral.exposeConfig: left out" in err
    code, resource, _ = run(capsys, "render", "--form", "eck", "--name", "kb")
    assert (code, read(resource)["metadata"]) == (0, {"name": "kb"})
    code, out, _ = run(capsys, "render", "--json")
    assert json.loads(out)["connectors"] == ["vllm-mistral"]


def test_render_writes_a_folder_once(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "render", "--output", "out/kibana")
    assert code == 0
    assert "wrote out/kibana/kibana.yml" in out.splitlines()
    assert (site / "out/kibana/keystore-deb.sh").stat().st_mode & stat.S_IXUSR
    code, _, err = run(capsys, "render", "--output", "out/kibana")
    assert code == 6
    assert "out/kibana/kibana.yml: is there already" in err
    assert run(capsys, "render", "--output", "out/kibana", "--force")[0] == 0


def test_secrets_go_into_a_file_of_mode_0600_only(
    site: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    code, out, err = run(capsys, "render", "--secrets", "inline")
    assert code == 2
    assert "--output" in err
    code, _, err = run(capsys, "render", "--secrets", "inline", "-o", "out")
    assert code == 2
    assert f"Set {VARIABLE}" in err
    monkeypatch.setenv(VARIABLE, TOKEN)
    code, out, err = run(capsys, "render", "--secrets", "inline", "-o", "out")
    assert code == 0
    assert TOKEN not in out + err
    assert "holds secrets in clear" in err
    assert TOKEN in (site / "out/kibana.yml").read_text()
    assert stat.S_IMODE((site / "out/kibana.yml").stat().st_mode) == 0o600


def test_apply_and_remove(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, before = site / "kibana.yml", LONG.read_bytes()
    code, out, err = run(capsys, "apply", "--kibana-yml", "kibana.yml", "--check")
    assert code == 8
    assert "+    vllm-mistral:\n" in out
    assert "nothing was written" in err
    assert path.read_bytes() == before
    code, out, err = run(capsys, "apply", "--kibana-yml", "kibana.yml")
    assert code == 0
    assert "restart Kibana" in err
    assert "note: xpack.actions.responseTimeout: left as it is in line 203 (90s)" in err
    assert len(list(site.glob("kibana.yml.*.bak"))) == 1
    for check in ([], ["--check"]):
        code, out, err = run(capsys, "apply", "--kibana-yml", "kibana.yml", *check)
        assert (code, out) == (0, "")
        assert "nothing to change" in err
    code, out, _ = run(capsys, "remove", "vllm-mistral", "--kibana-yml", "kibana.yml", "--json")
    assert code == 0
    assert json.loads(out)["written"] is True
    assert path.read_bytes() == before
    code, _, err = run(capsys, "remove", "vllm-mistral", "--kibana-yml", "kibana.yml")
    assert code == 3
    assert "no connector 'vllm-mistral'" in err


def test_what_was_applied_stands_the_check(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (site / "fresh.yml").write_text("server.port: 5601\n")
    (site / "keys").write_text("xpack.actions.preconfigured.vllm-mistral.secrets.apiKey\n")
    assert run(capsys, "apply", "--kibana-yml", "fresh.yml")[0] == 0
    code, out, _ = run(capsys, "check", "fresh.yml", "--stack", "9.2.0", "--keystore-list", "keys", "--json")
    assert (code, json.loads(out)["findings"]) == (0, [])


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ("a: [\n", 3, "odd.yml:2: not YAML"),
        ("a: 1\na: 2\n", 3, "odd.yml:2: the key 'a' stands here and in line 1"),
        ("xpack.actions.preconfigured.vllm-mistral.name: x\n", 3, "odd.yml:1: a connector 'vllm-mistral'"),
    ],
)
def test_an_odd_kibana_yml_is_as_it_was(
    site: Path, capsys: pytest.CaptureFixture[str], text: str, code: int, words: str
) -> None:
    (site / "odd.yml").write_text(text)
    found, out, err = run(capsys, "apply", "--kibana-yml", "odd.yml")
    assert (found, out) == (code, "")
    assert words in err
    assert "hint: " in err
    assert (site / "odd.yml").read_text() == text


def test_sources_that_are_none(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (site / "empty.yml").write_text("connectors: []\nstack: 9.2.0\n")
    (site / "no-stack.yml").write_text(WANTED.replace("stack: 9.2.0\n", ""))
    for name, code, words in [
        ("none.yml", 6, "none.yml: is no file"),
        ("empty.yml", 3, "asks for no connector"),
        ("no-stack.yml", 2, "the stack version is not known"),
        ("kibana.yml", 3, "unknown key 'server.name'"),
    ]:
        found, _, err = run(capsys, "render", name)
        assert (found, words in err) == (code, True), err
    assert run(capsys, "render", "no-stack.yml", "--stack", "9.2.0")[0] == 0
    (site / "connectors.yml").unlink()
    found, _, err = run(capsys, "render")
    assert (found, "no connectors.yml and no bundle.yml" in err) == (2, True)


def test_a_bundle_yml_with_its_lock(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    make_inputs(tmp_path / "inputs")
    (tmp_path / "bundle.yml").write_text((ROOT / "examples" / "tiny" / "bundle.yml").read_text())
    code, _, err = run(capsys, "render")
    assert (code, "there is no lock" in err) == (3, True)
    assert call(["lock", "-q"]) == 0
    assert call(["build", "-q"]) == 0
    capsys.readouterr()
    code, out, err = run(capsys, "render")
    assert (code, err) == (0, ""), "the whole address leaves nothing to be said"
    assert call(["unpack", str(next(tmp_path.glob("*.tar"))), "site", "-q"]) == 0
    packed = next((tmp_path / "site").rglob("kibana/kibana.yml")).read_text()
    assert out == packed
