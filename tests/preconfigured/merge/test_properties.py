"""For any kibana.yml: what is put in is there, nothing else changes, a second time changes nothing, it comes out."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from preconfigured import AirGap, Connector, Settings
from preconfigured.errors import KibanaYmlError
from preconfigured.merge import apply, remove
from tests.preconfigured.merge.files import files
from tests.preconfigured.merge.view import view
from tests.preconfigured.wishes import EVERYTHING, VLLM, stack

LISTS = ("xpack.actions.allowedHosts", "xpack.actions.enabledActionTypes", "xpack.actions.customHostSettings")
OURS = "xpack.actions.preconfigured."
wanted = st.builds(
    Settings,
    private_ca=st.sampled_from([None, "/etc/kibana/ca.crt"]),
    allowed_hosts=st.sampled_from([(), ("mail.example",)]),
    default_connector=st.sampled_from([None, VLLM.id]),
    air_gap=st.sampled_from([None, AirGap("https://epr.example.internal")]),
)
connectors = st.sampled_from(
    [(VLLM,), (VLLM, EVERYTHING[0]), (VLLM, EVERYTHING[5], EVERYTHING[4]), (*EVERYTHING, VLLM)]
)
relaxed = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@relaxed
@given(text=files(), connectors=connectors, wish=wanted)
def test_in_and_out_again(text: str, connectors: tuple[Connector, ...], wish: Settings) -> None:
    edited = apply(text, connectors, wish, stack())
    note(edited.text)
    assert edited.changed
    assert not apply(edited.text, connectors, wish, stack()).changed
    before, after = view(text), view(edited.text)
    same_elsewhere(before, after, {connector.id for connector in connectors})
    for connector in connectors:
        assert after[f"{OURS}{connector.id}.name"] == connector.name
        assert after[f"{OURS}{connector.id}.actionTypeId"].startswith(".")
    out = edited.text
    for connector in connectors:
        out = remove(out, connector.id).text
    assert out == text


def same_elsewhere(before: dict[str, object], after: dict[str, object], ids: set[str]) -> None:
    """Nothing is lost and nothing is altered; what is new is ours."""
    for name, value in before.items():
        now = after.get(name)
        if name in LISTS and value != now:
            assert isinstance(now, list)
            assert [item for item in now if item in (value or [])] == (value or [])  # type: ignore[operator]
        elif value in (None, {}) and name not in after:
            assert any(other.startswith(f"{name}.") for other in after), name
        else:
            assert now == value, name
    new = set(after) - set(before)
    allowed = ("xpack.actions.", "uiSettings.overrides.", "feature_flags.overrides.", "xpack.fleet.")
    assert all(name.startswith(allowed) for name in new)
    assert {name.removeprefix(OURS).split(".")[0] for name in new if name.startswith(OURS)} == ids


@relaxed
@given(text=files(), wish=wanted, first=st.booleans())
def test_one_after_the_other_in_any_order(text: str, wish: Settings, first: bool) -> None:
    other = EVERYTHING[5]
    both = apply(apply(text, [VLLM], wish, stack()).text, [other], replace(wish, default_connector=None), stack()).text
    assert not apply(both, [VLLM], wish, stack()).changed
    assert not apply(both, [other], replace(wish, default_connector=None), stack()).changed
    ids = [VLLM.id, other.id] if first else [other.id, VLLM.id]
    one = remove(both, ids[0]).text
    assert f"{OURS}{ids[0]}.name" not in view(one)
    assert f"{OURS}{ids[1]}.name" in view(one)
    assert remove(one, ids[1]).text == text


@relaxed
@given(text=files(), wish=wanted)
def test_a_change_of_the_wish_arrives_and_the_rest_stays(text: str, wish: Settings) -> None:
    put = apply(text, [VLLM, EVERYTHING[5]], wish, stack()).text
    renamed = apply(put, [replace(VLLM, name="Another: name")], wish, stack())
    assert view(renamed.text)[f"{OURS}{VLLM.id}.name"] == "Another: name"
    old = [line for line in put.splitlines() if "name: vLLM" not in line and "begin vllm" not in line]
    new = [line for line in renamed.text.splitlines() if "Another: name" not in line and "begin vllm" not in line]
    if "{" not in text:
        assert new == old
    assert remove(remove(renamed.text, VLLM.id).text, EVERYTHING[5].id).text == text


@relaxed
@given(text=files(), line_break=st.sampled_from(["\n", "\r\n"]), where=st.integers(0, 100))
def test_lines_added_around_our_blocks_stay(text: str, line_break: str, where: int) -> None:
    # A file without an end whose last lines end in two ways gets one of them again.
    text = text if text.endswith("\n") else f"{text}\n"
    put = apply(text, [VLLM], Settings(), stack()).text
    ends = [match.end() for match in re.finditer(r"^# llm-bundle: end .*\n", put, re.MULTILINE)]
    if not ends:
        return
    at = ends[where % len(ends)]
    added = f"# by hand{line_break}my.setting: 1{line_break}"
    changed = put[:at] + added + put[at:]
    assert not apply(changed, [VLLM], Settings(), stack()).changed
    out = remove(changed, VLLM.id).text
    assert view(out) == {**view(text), "my.setting": 1}
    assert added in out


@relaxed
@given(text=files(), junk=st.text("abc:{}[]#&*!|>'\"-? \t\n,", max_size=12), where=st.integers(0, 400))
def test_any_text_is_changed_rightly_or_refused(text: str, junk: str, where: int) -> None:
    broken = text[:where] + junk + text[where:]
    try:
        edited = apply(broken, [VLLM], Settings(default_connector=VLLM.id), stack())
    except KibanaYmlError as error:
        assert error.message.startswith("kibana.yml")
        return
    assert remove(edited.text, VLLM.id).text == broken
    assert not apply(edited.text, [VLLM], Settings(default_connector=VLLM.id), stack()).changed


@pytest.mark.parametrize(
    "text", ["", "\n", "# only comments", "a: 1", "---", "--- # c", "--- {}", "{}", "a: 1\r\n", "---\n...\n"]
)
def test_hardly_anything(text: str) -> None:
    edited = apply(text, [VLLM], Settings(), stack())
    assert view(edited.text)[f"{OURS}{VLLM.id}.name"] == VLLM.name
    assert remove(edited.text, VLLM.id).text == text
