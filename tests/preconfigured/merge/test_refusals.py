"""What cannot be changed without risk is refused, with the line; nothing is guessed."""

from __future__ import annotations

from pathlib import Path

import pytest

from preconfigured import AirGap, Settings, UsageError
from preconfigured.errors import KibanaYmlError
from preconfigured.merge import apply, remove
from preconfigured.merge.source import decode
from tests.preconfigured.wishes import VLLM, stack

ID = VLLM.id
WISH = Settings(default_connector=ID, air_gap=AirGap())


def refuse(text: str, match: str, *, replace: bool = False) -> KibanaYmlError:
    with pytest.raises(KibanaYmlError, match=match) as error:
        apply(text, [VLLM], WISH, stack(), replace=replace)
    assert error.value.hint
    assert error.value.exit_code == 3
    return error.value


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("a: 1\nb: [1\nc: 2\n", r"kibana.yml:3: not YAML"),
        ("a: 1\n\tb: 2\n", r"kibana.yml:2: not YAML: a tab"),
        ("a: 1\nb:\n\t- c\n", r"kibana.yml:3: not YAML: a tab"),
        ("a: 'x\n", r"kibana.yml:2: not YAML"),
        ("a: b: c\n", r"kibana.yml:1: not YAML"),
        ('a: "\\Uffffffff"\n', r"kibana.yml.*not YAML"),
        ("a: *nowhere\nb: [\n", r"kibana.yml:3: not YAML"),
        ("a: 1\nb: 2\na: 3\n", r"kibana.yml:3: the key 'a' stands here and in line 1 already"),
        ("x:\n  a: 1\n  'a': 3\n", r"kibana.yml:3: the key 'a' stands here and in line 2"),
        ("a: 1\n---\nb: 2\n", r"kibana.yml:2: a second document begins"),
        ("# c\n...\n", r"kibana.yml:2: not YAML"),
        ("- a\n- b\n", r"kibana.yml:1: expected settings \(key: value\), found a sequence"),
        ("just text\n", r"kibana.yml:1: expected settings \(key: value\), found a scalar"),
        ("? [a]\n: 1\n", r"kibana.yml:1: expected a text as key, found a sequence"),
        ("a: \x00\n", r"kibana.yml:1: found the character U\+0000"),
        ("a: 1\nb: \u2028\n", r"kibana.yml:2: found the character U\+2028"),
        ("a: 1\rb: 2\n", r"kibana.yml:1: found a carriage return without a line feed"),
        ("a: " + "[" * 60 + "]" * 60, r"kibana.yml:1: expected at most 40 levels"),
    ],
)
def test_what_is_no_kibana_yml(text: str, match: str) -> None:
    refuse(text, match)


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("xpack: &all\n  a: 1\nb: *all\n", r":1: xpack is shared or typed"),
        ("d: &d\n  a: 1\nxpack:\n  <<: *d\n", r":4: xpack is shared or typed"),
        ("d: &d\n  a: 1\n<<: *d\n", r":1: the whole file is shared or typed"),
        ("d: &d {a: 1}\nxpack.actions: *d\n", r":2: xpack.actions is shared"),
        ("xpack.actions: !!map\n  a: 1\n", r":1: xpack.actions is shared or typed"),
        ("xpack: 5\n", r":1: xpack: expected a mapping, found a scalar"),
        ("xpack: ~\n", r":1: xpack: expected a mapping, found null"),
        ("xpack.actions:\n- a\n", r":2: xpack.actions: expected a mapping, found a sequence"),
        ("xpack.actions.allowedHosts: a\n", r":1: xpack.actions.allowedHosts: expected a sequence, found a scalar"),
        ("xpack.actions.allowedHosts: {a: 1}\n", r":1: xpack.actions.allowedHosts: expected a list"),
        ("xpack.actions:\n  allowedHosts: [a]\nxpack:\n  actions.allowedHosts: [b]\n", r":4: .* in lines 2 and 4"),
        ("? xpack.actions\n: preconfigured:\n", r"does not begin its line|expected a mapping"),
        ("{? xpack.actions}\n", r":1: .*xpack.actions does not begin its line"),
        (f"xpack.actions.preconfigured:\n  {ID}:\n    name: a\n", r":2: a connector '.*' stands here that llm-"),
        (f"xpack.actions.preconfigured.{ID}.name: a\n", r":1: a connector 'vllm-mistral-small' stands here that"),
        (f"xpack: {{actions: {{preconfigured: {{{ID}: }}}}}}\n", r":1: a connector"),
    ],
)  # fmt: skip
def test_what_would_change_more_than_ours(text: str, match: str) -> None:
    refuse(text, match)


def test_an_empty_value_that_wipes_what_stands_above_it() -> None:
    """Kibana takes the last: null below would remove our connectors, whichever spelling it has."""
    text = "xpack.actions:\n  preconfigured:\n    a: {name: a}\nxpack:\n  actions.preconfigured: {}\n"
    edited = apply(text, [VLLM], Settings(), stack()).text
    assert edited.index("begin vllm") > edited.index("preconfigured: {")


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("# llm-bundle: end vllm-mistral-small\n", ""),
        lambda text: text.replace("# llm-bundle: begin vllm", "# llm-bundle: begin xllm"),
        lambda text: text.replace("(written by", "(wrote"),
        lambda text: text + "# llm-bundle: end other\n",
        lambda text: f"{text}{text.splitlines()[1]}\nz: 1\n# llm-bundle: end {ID}\n",
    ],
)
def test_markers_that_were_damaged(change: object) -> None:
    assert callable(change)
    text = change(apply("a: 1\n", [VLLM], WISH, stack()).text)
    refuse(text, r"kibana.yml:[0-9]+: a marker of llm-bundle without its partner")
    with pytest.raises(KibanaYmlError, match="a marker of llm-bundle"):
        remove(text, ID)


def test_what_was_changed_by_hand_is_not_overwritten() -> None:
    text = apply("a: 1\n", [VLLM], WISH, stack()).text
    edited = text.replace("name: vLLM - Mistral Small 3.2", "name: Ours")
    refuse(edited, r"kibana.yml:2: what llm-bundle wrote here for vllm-mistral-small was changed by hand")
    with pytest.raises(KibanaYmlError, match="was changed by hand"):
        remove(edited, ID)
    assert apply(edited, [VLLM], WISH, stack(), force=True).text == text
    assert remove(edited, ID, force=True).text == "a: 1\n"
    settings_edited = text.replace("600s", "700s")
    with pytest.raises(KibanaYmlError, match=r"for xpack\.actions\.responseTimeout was changed by hand"):
        remove(settings_edited, ID)


def test_a_list_of_ours_that_goes_on_below_it() -> None:
    """Without our lines the item would belong to nothing."""
    text = apply("", [VLLM], Settings(allowed_hosts=("a.example",)), stack()).text
    mark = "# llm-bundle: end xpack.actions.allowedHosts\n"
    with pytest.raises(KibanaYmlError, match="not changed: it would not be YAML any more"):
        remove(text.replace(mark, f"{mark}  - b.example\n"), ID)


def test_a_connector_that_is_not_ours_is_not_removed() -> None:
    text = "xpack.actions.preconfigured:\n  mail: {name: a, actionTypeId: .email}\n"
    with pytest.raises(KibanaYmlError, match=r":2: the connector 'mail' was not written by llm-bundle"):
        remove(text, "mail")
    with pytest.raises(KibanaYmlError, match="no connector 'x'") as error:
        remove(apply(text, [VLLM], Settings(), stack()).text, "x")
    assert ID in error.value.hint


def test_secrets_never_go_into_it() -> None:
    with pytest.raises(UsageError, match="expected keystore or env"):
        apply("", [VLLM], WISH, stack(), secrets="inline")
    assert "${LLM_BUNDLE_VLLM_MISTRAL_SMALL_API_KEY}" in apply("", [VLLM], WISH, stack(), secrets="env").text


@pytest.mark.parametrize(
    ("data", "match"),
    [
        (b"a: 1\nb: caf\xe9\n", r"kibana.yml:2: byte 12 of the file is 0xE9, which is not UTF-8"),
        ("a: 1\n".encode("utf-16"), r"kibana.yml: byte 1: expected UTF-8, found UTF-16"),
        (b"a" * (3 << 20), r"expected at most 2,097,152 bytes"),
    ],
)
def test_bytes(data: bytes, match: str) -> None:
    with pytest.raises(KibanaYmlError, match=match) as error:
        decode(data, "kibana.yml")
    assert error.value.hint


def test_a_byte_order_mark_comes_back() -> None:
    source = decode(b"\xef\xbb\xbfa: 1\r\n", "k")
    assert source.text == "a: 1\r\n"
    assert source.encode(source.text) == b"\xef\xbb\xbfa: 1\r\n"


@pytest.mark.parametrize("name", ["compose", "eck", "helm"])
def test_files_that_only_hold_a_kibana_yml(name: str) -> None:
    text = (Path(__file__).parents[2] / "data" / "kibana-yml" / f"not-a-kibana-yml-bad-{name}.yml").read_text()
    with pytest.raises(KibanaYmlError, match=r"^kibana.yml:[23]: expected a kibana.yml, found (a|the) ") as error:
        apply(text, [VLLM], Settings(), stack())
    assert error.value.hint
