"""``connectors list``, ``try`` and ``prompts`` as people call them: exit codes, what is printed, and no secrets."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bundler.cli.main import call
from tests.counterparts.kibana import KEY, PASSWORD, USER
from tests.counterparts.kibana_connectors import Connector
from tests.counterparts.model_server import Behaviour
from tests.preconfigured.live.stage import TOKEN, YML, Stage, stage

SECRETS = (KEY, PASSWORD, TOKEN)
Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("KIBANA_PASSWORD", "REQUESTS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("KIBANA_API_KEY", KEY)
    monkeypatch.setenv("LLM_BUNDLE_VLLM_API_KEY", TOKEN)


@pytest.fixture
def on(tmp_path: Path) -> Iterator[Stage]:
    with stage(tmp_path, Behaviour(gap=0.005)) as on:
        on.kibana.spaces.update(soc="Security", obs="Observability")
        yield on


def told(capsys: Capture, code: int, *args: str) -> tuple[str, str]:
    """What a command printed; its exit code is the expected one, and nothing secret was said."""
    found = call(["connectors", *args])
    out, err = capsys.readouterr()
    assert found == code, out + err
    assert not any(secret in out + err for secret in SECRETS)
    return out, err


def test_list_over_three_spaces(on: Stage, capsys: Capture) -> None:
    out, _ = told(capsys, 0, "list", "--kibana", on.kibana.url, "--expect", "vllm")
    head, *rows = out.splitlines()
    assert head == "Kibana 9.2.0: 3 spaces, 1 connector"
    assert [row.split() for row in rows[:4]] == [
        ["space", "vllm"],
        *([space, "preconfigured"] for space in ("default", "soc", "obs")),
    ]
    assert rows[4] == "every space has every connector, preconfigured"


def test_list_names_what_is_wrong(on: Stage, capsys: Capture) -> None:
    on.kibana.saved.append(Connector("vllm", "\x1b[31mred", ".gen-ai", space="soc"))
    out, _ = told(capsys, 8, "list", "--kibana", on.kibana.url, "--expect", "vllm", "--expect", "backup")
    assert "SHADOWED vllm in space soc" in out
    assert out.count("MISSING backup in space") == 3
    assert "\x1b" not in out
    assert ["soc", "SHADOWED", "MISSING"] in [line.split() for line in out.splitlines()]


def test_list_as_json(on: Stage, capsys: Capture) -> None:
    out, _ = told(capsys, 8, "list", "--kibana", on.kibana.url, "--expect", "backup", "--json")
    document = json.loads(out)
    assert set(document) == {"ok", "version", "connectors", "spaces", "findings"}
    assert document["connectors"] == ["backup", "vllm"]
    assert document["findings"][0]["rule"] == "missing"
    assert document["spaces"][0]["connectors"][0]["preconfigured"] is True


def test_list_expects_what_a_file_names(on: Stage, capsys: Capture, tmp_path: Path) -> None:
    path = tmp_path / "kibana.yml"
    path.write_text(YML.format(url="https://x.test/v1/chat/completions", model="m", more="").replace("vllm", "new"))
    out, _ = told(capsys, 8, "list", "--kibana", on.kibana.url, "--from", str(path))
    assert "MISSING new in space default" in out
    bundle = tmp_path / "bundle.yml"
    bundle.write_text((Path(__file__).parent.parent / "data" / "valid-full.yml").read_text())
    out, _ = told(capsys, 8, "list", "--kibana", on.kibana.url, "--from", str(bundle))
    assert "MISSING vllm-mistral-small in space default" in out


def test_a_wrong_login(on: Stage, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KIBANA_API_KEY", KEY[::-1].strip("="))
    _, err = told(capsys, 7, "list", "--kibana", on.kibana.url)
    assert "401 Unauthorized" in err
    assert "KIBANA_API_KEY" in err


def test_a_kibana_that_is_not_there(capsys: Capture) -> None:
    _, err = told(capsys, 4, "list", "--kibana", "http://127.0.0.1:9")
    assert "nothing listens there" in err


def test_logging_in_by_name(on: Stage, capsys: Capture, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("KIBANA_API_KEY")
    args = ("list", "--kibana", on.kibana.url, "--user", USER)
    _, err = told(capsys, 2, *args)
    assert "KIBANA_PASSWORD" in err
    monkeypatch.setenv("KIBANA_PASSWORD", PASSWORD)
    told(capsys, 0, *args)
    (tmp_path / "key").write_text(KEY)
    told(capsys, 0, "list", "--kibana", on.kibana.url, "--api-key-file", str(tmp_path / "key"))
    told(capsys, 2, *args, "--api-key-file", str(tmp_path / "key"))


def test_try_both_ways(on: Stage, capsys: Capture) -> None:
    direct = f"{on.proxy.url}/v1"
    out, _ = told(capsys, 0, "try", "vllm", "--kibana", on.kibana.url, "--space", "soc", "--direct", direct)
    through, straight = out.split("straight at the model:\n")
    assert through.startswith("through Kibana:\n  ok     connector: preconfigured, seen in space soc\n")
    assert "ok     tool-call: called get_alert_count" in through
    assert "the server has mistral-small" in straight
    assert "ok     first-token: after 0." in straight


def test_try_names_the_place(tmp_path: Path, capsys: Capture) -> None:
    with stage(tmp_path, Behaviour(tools="text", gap=0.005)) as on:
        direct = f"{on.proxy.url}/v1"
        args = ("try", "vllm", "--kibana", on.kibana.url, "--direct", direct, "--model", "mistral-small")
        out, _ = told(capsys, 8, *args)
        document = json.loads(told(capsys, 8, *args, "--json")[0])
    assert out.count("block  tool-call [tool-parser]: the model wrote its tool call into the answer") == 2
    assert out.count("fix: Start vLLM with --enable-auto-tool-choice") == 2
    assert (document["ok"], document["connector"]) == (False, "vllm")
    for way in ("kibana", "direct"):
        assert [one["place"] for one in document[way]["findings"] if one["state"] == "block"] == ["tool-parser"]
    assert document["direct"]["first_token_seconds"] > 0


def test_try_with_tokens_from_elsewhere(
    on: Stage, capsys: Capture, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("LLM_BUNDLE_VLLM_API_KEY")
    args = ("try", "vllm", "--direct", f"{on.proxy.url}/v1", "--model", "mistral-small")
    _, err = told(capsys, 2, *args)
    assert "LLM_BUNDLE_VLLM_API_KEY" in err
    (tmp_path / "token").write_text(f"{TOKEN}\n")
    told(capsys, 0, *args, "--token-file", str(tmp_path / "token"))


def test_try_needs_a_place(capsys: Capture) -> None:
    _, err = told(capsys, 2, "try", "vllm")
    assert "expected --kibana, --direct or both" in err


def test_prompts(on: Stage, capsys: Capture) -> None:
    args = ("prompts", "--kibana", on.kibana.url)
    out, _ = told(capsys, 8, *args, "--all-spaces", "--check")
    assert out.count("would create 'Tool calls through the API'") == 3
    out, _ = told(capsys, 0, *args, "--space", "soc")
    assert out.startswith("space soc: created 'Tool calls through the API'\n")
    document = json.loads(told(capsys, 0, *args, "--all-spaces", "--json")[0])
    assert [(one["space"], one["action"]) for one in document["changes"]] == [
        ("default", "create"),
        ("soc", "keep"),
        ("obs", "create"),
    ]
    told(capsys, 0, *args, "--all-spaces", "--check")
    told(capsys, 2, *args, "--all-spaces", "--space", "soc")
    told(capsys, 2, *args, "--space", "SOC")


@pytest.mark.parametrize("command", [["list"], ["prompts"], ["try", "vllm"]])
def test_a_kibana_that_takes_the_call_and_never_answers(capsys: Capture, command: list[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        begun = time.monotonic()
        _, err = told(capsys, 4, *command, "--kibana", url, "--timeout", "1")
    assert time.monotonic() - begun < 5
    assert "nothing came within the time allowed" in err
