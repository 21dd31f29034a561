"""What stands in a kibana.yml already is understood in every spelling, and merged where it stands."""

from __future__ import annotations

from dataclasses import replace

import pytest

from preconfigured import AirGap, Connector, Settings
from preconfigured.errors import KibanaYmlError
from preconfigured.merge import Edited, apply, connectors_of_ours, remove
from tests.preconfigured.merge.view import view
from tests.preconfigured.wishes import EVERYTHING, VLLM, stack

ID = VLLM.id
WISH = Settings(private_ca="/etc/kibana/ca.crt", default_connector=ID, air_gap=AirGap())
HOST = "llm.example.internal"
DEFAULT = "uiSettings.overrides.genAiSettings:defaultAIConnector"


def put(text: str, wish: Settings = WISH, *, replaces: bool = False) -> Edited:
    """Apply, with what must always hold."""
    edited = apply(text, [VLLM], wish, stack(), replace=replaces)
    assert not apply(edited.text, [VLLM], wish, stack(), replace=replaces).changed
    if not replaces:
        assert remove(edited.text, ID).text == text
    return edited


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("xpack.actions.preconfigured:\n    a: {name: a}\n", f"    {ID}:"),
        ("xpack:\n actions:\n  preconfigured:\n   a: {name: a}\n", f"   {ID}:"),
        ("xpack.actions:\n  preconfigured:\n", f"    {ID}:"),
        ("xpack.actions:\n  preconfigured:\n  # none yet\n  proxyUrl: http://p\n", f"    {ID}:"),
        ("xpack:\n  fleet: {}\n", f"  actions.preconfigured.{ID}:"),
        ("xpack.actions.preconfigured.a.name: a\n", f"xpack.actions.preconfigured.{ID}:"),
        ("'xpack.actions':\n  'preconfigured': {}\n", f"    {ID}: {{name: "),
        ("xpack.actions.preconfigured: {a: {name: a}}\n", f"  {ID}: {{name: "),
        ("{\"xpack\": {\"actions\": {\"preconfigured\": {}}}}\n", f"  {ID}: {{name: "),
    ],
)  # fmt: skip
def test_a_connector_goes_where_the_others_are(text: str, line: str) -> None:
    edited = put(text)
    assert any(found.startswith(line) for found in edited.text.splitlines())
    assert view(edited.text)[f"xpack.actions.preconfigured.{ID}.name"] == VLLM.name


def test_comments_of_the_last_connector_stay_with_it() -> None:
    text = "xpack.actions.preconfigured:\n  a:\n    name: a\n    # its secret is in the keystore\n\n# about b\nb: 1\n"
    lines = put(text).text.splitlines()
    assert lines[3] == "    # its secret is in the keystore"
    assert lines[4].startswith(f"  # llm-bundle: begin {ID} ")
    assert "# about b" in lines


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("[a]", [HOST, "a"]),
        ("\n  - a", ["a", HOST]),
        ("\n- a  # mail", ["a", HOST]),
        ("[]", [HOST]),
        ('["*"]', ["*"]),
        (f"[a, '{HOST}']", ["a", HOST]),
        ("[a,\n  b,\n  ]", [HOST, "a", "b"]),
    ],
)
def test_allowed_hosts_are_completed(written: str, expected: list[str]) -> None:
    edited = put(f"xpack.actions.allowedHosts: {written}\n", Settings())
    assert view(edited.text)["xpack.actions.allowedHosts"] == expected


def test_connector_types_are_completed_where_they_are_restricted() -> None:
    edited = put("xpack:\n  actions:\n    enabledActionTypes:\n      - .email\n", Settings())
    assert view(edited.text)["xpack.actions.enabledActionTypes"] == [".email", ".gen-ai"]
    assert "allowedHosts" not in edited.text


def test_a_wish_for_hosts_does_not_narrow_a_star() -> None:
    edited = put("xpack.actions.allowedHosts: ['*']\n", Settings(allowed_hosts=("a.example",)))
    assert view(edited.text)["xpack.actions.allowedHosts"] == ["*"]
    assert any("'*' stands there" in note.text for note in edited.notes)


def test_hosts_of_an_earlier_wish_stay_allowed() -> None:
    other = replace(VLLM, id="other", url="https://other.example/v1/chat/completions")
    one = apply("", [VLLM], Settings(allowed_hosts=("a.example",)), stack()).text
    two = apply(one, [other], Settings(), stack()).text
    assert view(two)["xpack.actions.allowedHosts"] == ["a.example", HOST, "other.example"]


def test_a_host_with_its_own_settings_is_left_alone() -> None:
    text = f"xpack.actions.customHostSettings:\n  - url: https://{HOST}\n    ssl: {{verificationMode: none}}\n"
    edited = put(text)
    assert len(view(edited.text)["xpack.actions.customHostSettings"]) == 1
    assert any("stands there with other values" in note.text for note in edited.notes)
    other = put(text.replace(HOST, "smtp.example"))
    assert [host["url"] for host in view(other.text)["xpack.actions.customHostSettings"]] == [
        "https://smtp.example",
        f"https://{HOST}:443",
    ]


def test_values_that_are_there_are_left_alone_with_a_note() -> None:
    text = (
        "xpack.actions.responseTimeout: 60s\nxpack.fleet.isAirGapped: false\n"
        "uiSettings:\n  overrides:\n    genAiSettings:defaultAIConnector: mine\n"
    )
    edited = put(text)
    found = view(edited.text)
    assert (found["xpack.actions.responseTimeout"], found["xpack.fleet.isAirGapped"]) == ("60s", False)
    assert found[DEFAULT] == "mine"
    notes = [str(note) for note in edited.notes]
    assert any("responseTimeout: left as it is in line 1 (60s); 600s was wanted: --replace" in note for note in notes)
    assert len(notes) == 3


def test_replace_takes_their_place() -> None:
    text = (
        "# top\nxpack.actions.responseTimeout: 60s  # short\nuiSettings.overrides:\n  'a:b': 1\n"
        f"  genAiSettings:defaultAIConnector: mine\nxpack.actions.preconfigured:\n  {ID}:\n    name: old\n"
        f"    actionTypeId: .email\n  # keep\n  other: {{name: o, actionTypeId: .email}}\n"
    )
    found = view((edited := put(text, replaces=True)).text)
    assert found["xpack.actions.responseTimeout"] == "600s"
    assert found[DEFAULT] == ID
    assert found[f"xpack.actions.preconfigured.{ID}.actionTypeId"] == ".gen-ai"
    assert found["xpack.actions.preconfigured.other.name"] == "o"
    assert found["uiSettings.overrides.a:b"] == 1
    assert "# top" in edited.text and "# keep" in edited.text
    flat = put(f"xpack.actions.preconfigured.{ID}.name: a\nxpack.actions.preconfigured.{ID}.x: b\n", replaces=True)
    assert f"xpack.actions.preconfigured.{ID}.x" not in view(flat.text)


def test_replace_refuses_what_shares_a_line() -> None:
    with pytest.raises(KibanaYmlError, match=r":1: .* does not stand in lines of its own"):
        apply(f"xpack.actions.preconfigured: {{{ID}: {{name: a}}}}\n", [VLLM], WISH, stack(), replace=True)


@pytest.mark.parametrize("written", ["600s", "'600s'", '"600s"  # long'])
def test_a_value_that_is_right_already_is_not_written_again(written: str) -> None:
    edited = put(f"xpack:\n  actions.responseTimeout: {written}\n")
    assert edited.text.count("600s") == 1
    assert edited.notes == ()


def test_text_that_only_looks_like_a_marker_is_text() -> None:
    text = "server.banner: |\n  # llm-bundle: begin x\n  # llm-bundle: end\nb: 1\n"
    assert connectors_of_ours(put(text).text) == (ID,)


def test_the_default_goes_with_its_connector() -> None:
    other = EVERYTHING[5]
    text = apply("", [VLLM, other], WISH, stack()).text
    one = remove(text, ID)
    assert DEFAULT not in view(one.text)
    assert "xpack.actions.responseTimeout" in view(one.text)
    assert DEFAULT in view(remove(text, other.id).text)
    assert "out of every keystore" in one.notes[0].text
    assert remove(one.text, other.id).text == ""


def test_a_setting_that_is_wished_for_no_more_goes_with_the_next_one() -> None:
    only = replace(WISH, default_only=True)
    text = apply("", [VLLM], only, stack()).text
    assert "uiSettings.overrides.genAiSettings:defaultAIConnectorOnly" in view(text)
    again = apply(text, [VLLM], WISH, stack()).text
    assert "uiSettings.overrides.genAiSettings:defaultAIConnectorOnly" not in view(again)


def test_ten_thousand_lines() -> None:
    text = "".join(f"# comment {n}\nsetting.number{n}: 'value {n}'\n" for n in range(5000))
    edited = apply(text, [VLLM], WISH, stack())
    assert edited.text.startswith(text)
    assert remove(edited.text, ID).text == text


@pytest.mark.parametrize("connector", EVERYTHING, ids=lambda one: one.id)
def test_every_type_in_a_block_and_on_one_line(connector: Connector) -> None:
    for text in ("a: 1\n", "xpack.actions.preconfigured: {}\n"):
        edited = apply(text, [connector], Settings(), stack())
        assert view(edited.text)[f"xpack.actions.preconfigured.{connector.id}.name"] == connector.name
        assert remove(edited.text, connector.id).text == text


def test_a_text_is_not_the_boolean_that_looks_like_it() -> None:
    odd = replace(VLLM, id="true")
    text = "uiSettings.overrides:\n  genAiSettings:defaultAIConnector: true\n"
    edited = apply(text, [odd], Settings(default_connector="true"), stack())
    assert any('"true" was wanted' in note.text for note in edited.notes)
    quoted = apply(text.replace(" true", " 'true'"), [odd], Settings(default_connector="true"), stack())
    assert quoted.notes == ()


def test_an_address_without_quotes_is_a_text() -> None:
    local = replace(VLLM, url="https://10.0.0.1/v1/chat/completions")
    edited = apply("xpack.actions.allowedHosts: [10.0.0.1]\n", [local], Settings(), stack())
    assert edited.text.count("10.0.0.1") == 2, "once in the list, once in the address"


@pytest.mark.parametrize(
    "text",
    [
        "a: 1\n# about it\nserver.s2: |\n  line",
        "xpack.actions:\n  preconfigured:  # c\n\nb:\n  c:\n    - x\n    - >\n      line\n      more",
        "xpack:\n  actions:\n    email: |\n      line",
        "a: |\r\n  line",
    ],
)
def test_a_text_block_without_a_last_line_break_stays_as_it_is(text: str) -> None:
    edited = apply(text, [VLLM, EVERYTHING[5]], Settings(), stack())
    assert edited.text.endswith("line\n      more" if "more" in text else "line")
    again = apply(edited.text, [replace(VLLM, name="Another")], Settings(), stack())
    assert not apply(again.text, [replace(VLLM, name="Another")], Settings(), stack()).changed
    assert remove(remove(again.text, VLLM.id).text, EVERYTHING[5].id).text == text
