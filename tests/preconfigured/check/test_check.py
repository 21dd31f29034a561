"""The check as a function: what it takes, how it is bounded, and that one defect does not hide another."""

from __future__ import annotations

import time
from dataclasses import FrozenInstanceError
from pathlib import Path

import pytest

from preconfigured import StackVersion
from preconfigured.check import RULES, Findings, check
from preconfigured.errors import MachineError
from tests.preconfigured.check.samples import FOLDER, expected, run

STACK = StackVersion(9, 3)
CONNECTOR = """\
xpack.actions.preconfigured:
  vllm:
    name: vLLM
    actionTypeId: .gen-ai
    config: {apiProvider: Other, apiUrl: "https://llm.example.com/v1/chat/completions", defaultModel: m}
    secrets: {apiKey: "${KEY}"}
"""


def rules(text: str) -> list[str]:
    return [finding.rule for finding in check(text, stack=STACK)]


def test_fifteen_defects_are_fifteen_findings() -> None:
    path = FOLDER / "fifteen-defects.yml"
    findings = run(path)
    assert len(findings) == 15
    assert sum(expected(path.read_text(encoding="utf-8")).values()) == 15
    assert len({finding.rule for finding in findings}) == 15


@pytest.mark.parametrize("name", ["package-8.17", "docker-9.1", "commented-9.4"])
def test_a_realistic_file_has_no_findings(name: str) -> None:
    path = FOLDER / f"{name}.yml"
    assert list(run(path)) == []


@pytest.mark.parametrize("text", ["", "#only\n", "\ufeff# a BOM\n", "---\n", "null\n", CONNECTOR])
def test_nothing_is_found_where_nothing_is_wrong(text: str) -> None:
    assert rules(text) == []


def test_line_endings_and_a_bom_move_no_line() -> None:
    text = CONNECTOR.replace("/v1/chat/completions", "/v1")
    places = [[(f.line, f.column, f.rule) for f in check(changed, stack=STACK)] for changed in (
        text, text.replace("\n", "\r\n"), "\ufeff" + text,
    )]  # fmt: skip
    assert places == [[(5, 34, "api-url-path")]] * 3


def test_a_file_is_named_in_its_findings(tmp_path: Path) -> None:
    path = tmp_path / "k.yml"
    path.write_text(CONNECTOR, encoding="utf-8")
    assert check(path, stack=STACK) == Findings(str(path), ())
    assert check(CONNECTOR, stack=STACK).where == "kibana.yml"


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(MachineError, match=r"none\.yml: cannot be read: No such file") as error:
        check(tmp_path / "none.yml", stack=STACK)
    assert error.value.hint
    with pytest.raises(MachineError, match="cannot be read: Is a directory"):
        check(tmp_path, stack=STACK)


def test_bytes_that_are_no_utf8_are_found_with_their_place(tmp_path: Path) -> None:
    path = tmp_path / "k.yml"
    path.write_bytes(b"# K\xc3\xb6ln\nserver.name: K\xf6ln\n")
    (finding,) = check(path, stack=STACK)
    assert (finding.rule, finding.line, finding.column) == ("yaml-character", 2, 15)
    assert "0xF6" in finding.found
    assert "UTF-8" in finding.found


def test_a_file_over_the_limit_is_not_read_on(tmp_path: Path) -> None:
    path = tmp_path / "k.yml"
    with path.open("wb") as file:
        file.truncate(6 << 30)
    (finding,) = check(path, stack=STACK)
    assert (finding.rule, finding.found) == ("yaml-too-large", "more than 4 MiB")
    assert [f.rule for f in check("#" * ((4 << 20) + 1), stack=STACK)] == ["yaml-too-large"]


BOMBS = {
    "many keys": "a: b\n" * 200_000,
    "deep flow": "[" * 500_000,
    "deep blocks": "- " * 200_000,
    "deep keys": "? " * 200_000,
    "many dots": "a" + ".a" * 400 + ": 1\n",
    "wide alias": "a: &a {x: 1}\n" + "".join(f"b{i}: *a\n" for i in range(15_000)),
    "list bomb": "a: &a [x]\n" + "".join(f"a{i}: &a{i} [{', '.join(['*a' + str(i - 1) if i else '*a'] * 9)}]\n"
                                         for i in range(40)),
    "map bomb": "a: &a {x: 1}\n" + "".join(
        f"a{i}: &a{i} {{{', '.join(f'k{j}: *a{i - 1}' if i else f'k{j}: *a' for j in range(9))}}}\n" for i in range(40)
    ),
    "merge bomb": "a0: &a0 {x: 1}\n" + "".join(
        f"a{i}: &a{i}\n  <<: [*a{i - 1}, *a{i - 1}]\n  k{i}: 1\n" for i in range(1, 300)
    ),
    "alias chain": "a0: &a0 {x: 1}\n" + "".join(f"a{i}: &a{i} {{y: *a{i - 1}}}\n" for i in range(1, 3_000)),
    "alias chain in a list": "x:\n- &a0 {x: 1}\n"
    + "".join(f"- &a{i} {{y: *a{i - 1}}}\n" for i in range(1, 3_000))
    + "z: *a2999\n",
    "many connectors": "xpack.actions.preconfigured:\n" + "".join(
        f"  c{i}: {{name: n, actionTypeId: .gen-ia, config: {{}}}}\n" for i in range(1_500)
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_bounded(name: str) -> None:
    start = time.monotonic()
    findings = check(BOMBS[name], stack=STACK)
    assert time.monotonic() - start < 15
    if name not in {"wide alias", "list bomb"}:
        assert len(findings) > 0


def test_what_was_not_looked_at_is_said() -> None:
    assert "too-many-settings" in rules(BOMBS["map bomb"])
    assert "too-many-settings" in rules(BOMBS["many dots"])
    assert "yaml-too-large" in rules(BOMBS["many keys"])


def test_findings_are_frozen_and_sorted() -> None:
    findings = run(FOLDER / "fifteen-defects.yml")
    assert list(findings) == sorted(findings)
    with pytest.raises(FrozenInstanceError):
        findings.items[0].line = 1  # type: ignore[misc]
    assert {finding.level for finding in findings.errors} == {"error"}


def test_a_misspelt_key_is_one_finding_and_not_two() -> None:
    assert rules(CONNECTOR.replace("defaultModel", "defaultModell")) == ["unknown-key"]


@pytest.mark.parametrize(
    ("wrong", "fix"),
    [
        ("defaultModel", "Write defaultModel."),
        ("modelName", "Write defaultModel."),
        ("default_model", "Write defaultModel."),
        ("apiKey", "Move it below secrets."),
        ("exposeConfig", "Move it one level up, beside name."),
    ],
)
def test_the_right_key_is_named(wrong: str, fix: str) -> None:
    text = CONNECTOR.replace("defaultModel: m", f"{wrong}: m" if wrong != "defaultModel" else "defaultModl: m")
    (first, *_) = [finding for finding in check(text, stack=STACK) if finding.rule == "unknown-key"]
    assert first.fix == fix


@pytest.mark.parametrize(
    ("written", "fix"),
    [
        ("https://llm.example.com", "https://llm.example.com/v1/chat/completions"),
        ("https://llm.example.com/", "https://llm.example.com/v1/chat/completions"),
        ("https://llm.example.com:8443/v1", "https://llm.example.com:8443/v1/chat/completions"),
        ("https://llm.example.com/a/v1/chat/completions/", "https://llm.example.com/a/v1/chat/completions"),
        ("https://llm.example.com/v1/models", "https://llm.example.com/v1/chat/completions"),
    ],
)
def test_the_whole_address_is_offered(written: str, fix: str) -> None:
    text = CONNECTOR.replace("https://llm.example.com/v1/chat/completions", written)
    (finding,) = check(text, stack=STACK)
    assert (finding.rule, finding.fix) == ("api-url-path", f"Write {fix}.")


def test_certificate_files_are_looked_at_on_the_host(tmp_path: Path) -> None:
    good, empty = tmp_path / "ca.crt", tmp_path / "empty.crt"
    good.write_text("-----BEGIN CERTIFICATE-----\n", encoding="utf-8")
    empty.write_text("nothing\n", encoding="utf-8")
    settings = "xpack.actions.customHostSettings: [{url: 'https://a.b', ssl: {certificateAuthoritiesFiles: %s}}]\n"
    for path, word in ((empty, "no certificate in PEM"), (tmp_path, "no file"), (tmp_path / "x", "No such file")):
        (finding,) = check(settings % f"['{good}', '{path}']", stack=STACK, on_host=True)
        assert finding.rule == "ca-file"
        assert word in finding.message
    assert len(check(settings % f"'{good}'", stack=STACK, on_host=True)) == 0
    assert len(check(settings % "'/nonexistent'", stack=STACK)) == 0


def test_every_rule_says_what_it_is_about() -> None:
    assert len(RULES) > 40
    for name, rule in RULES.items():
        assert name == rule.id
        assert rule.about.endswith(".")
        assert rule.level in {"error", "warning", "note"}
