"""Answers with one thing in them that does not belong there: a sentence, never a traceback, and nothing is written.

Rules: good runs of all commands are lived again, one answer changed. Of each kind of answer (the same places in it)
some places and values are taken, chosen by a digest: the same in each run. ODD_ANSWERS says how many, to search long.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator

import pytest

from kibana_assets.connection.document import DEEPEST, MOST_PARTS, parse
from kibana_assets.connection.form import NAME, Each, Maybe, Some, Text, check, fits
from kibana_assets.connection.reasons import said
from kibana_assets.connection.secrets import without_login
from kibana_assets.errors import UnreachableError
from tests.assets.odd_values import VALUES, Place, changed, places
from tests.assets.recorded_runs import Run, Stand
from tests.assets.tape import Heard, Odd

EACH = int(os.environ.get("ODD_ANSWERS", "1"))
DULL = {"properties", "processors", "requirements"}
"""Below these nothing of a server's is read, and there is much of it."""


def kinds(recorded: tuple[Run, ...]) -> Iterator[tuple[Run, str, Heard, list[Place]]]:
    """An answer of each kind, in the shortest run that has it."""
    known = set()
    for run in sorted(recorded, key=lambda one: len(one.elasticsearch) + 2 * len(one.kibana)):
        for at in ("elasticsearch", "kibana"):
            for heard in getattr(run, at).values():
                if heard.status != 200:
                    continue
                found = [one for one in places(json.loads(heard.body)) if not DULL & set(one[:-1])]
                kind = (at, heard.method, frozenset(map(_shape, found)))
                if kind not in known:
                    known.add(kind)
                    yield run, at, heard, found


def _shape(place: Place) -> tuple[str, ...]:
    return tuple("#" if isinstance(step, int) else step for step in place)


def chosen(heard: Heard, found: list[Place]) -> list[tuple[Place, str]]:
    """Some of all that could be changed in an answer."""
    pairs = [(place, value) for place in found for value in VALUES]
    digest = {pair: hashlib.sha256(repr((heard.method, *pair)).encode()).digest() for pair in pairs}
    return sorted(pairs, key=lambda pair: digest[pair])[:EACH]


def instead(odd: Heard, body: bytes) -> Odd:
    """Another body for one answer."""
    return lambda heard, login: heard.sent(body) if heard == odd else None


@pytest.mark.timeout(3600)
def test_one_odd_value_in_one_answer(again: Stand, recorded: tuple[Run, ...]) -> None:
    wrong, tried, refused = [], 0, 0
    for run, at, heard, found in kinds(recorded):
        for place, value in chosen(heard, found):
            body = changed(json.loads(heard.body), place, value)
            told = again.replay(run, instead(heard, body), at)
            tried, refused = tried + 1, refused + (told.code == 4)
            why = told.wrong(again.key.read_text())
            if run.line[0] in ("plan", "status"):
                why = why or ", ".join(again.elasticsearch.writes() + again.kibana.writes())
            if why:
                wrong.append(f"{run.name}: {heard.method} {heard.target[:80]}: {place} is {value}: {why}")
    assert not wrong, "\n".join(wrong)
    assert refused > tried / 8 > 8, "these do no harm at all"


def test_nothing_is_written_after_a_refusal(again: Stand, recorded: tuple[Run, ...]) -> None:
    """Each question that an installation asks before its first change."""
    for run in (one for one in recorded if one.line[0] == "install" and "--force" not in one.line):
        for at in ("elasticsearch", "kibana"):
            for heard in getattr(run, at).values():
                if heard.method == "PUT" or "_import" in heard.target or heard.target.endswith("epm/packages"):
                    break
                if heard.method != "GET" or heard.status != 200:
                    continue
                told = again.replay(run, instead(heard, b"[[7]]"), at)
                if told.code == 4:
                    assert again.elasticsearch.writes() + again.kibana.writes() == [], heard.target


@pytest.mark.parametrize(
    "text",
    ["", "\ufeff{}", "[" * (DEEPEST + 1) + "]" * (DEEPEST + 1), "[" * 99_999, "9" * 65, "1e999", "NaN", '"\\udfff"'],
)
def test_what_is_no_document(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse(text.encode())


def test_documents() -> None:
    assert parse(b'{"a": [1, 2.5, "\\ud83d\\ude00", null], "a": true}') == {"a": True}
    assert parse(b"[" * DEEPEST + b"]" * DEEPEST)
    for wrong in (b'"\xff"', b"[" + b"7," * MOST_PARTS + b"7]", "{}".encode("utf-16")):
        with pytest.raises(ValueError, match=r"."):
            parse(wrong)


@pytest.mark.parametrize(
    ("value", "form", "found"),
    [
        ([], dict, "the answer: expected an object, found a list"),
        (
            {"a": {"b": [{"c": "x"}, {"c": 7}]}},
            {"a": {"b": [{"c": str}]}},
            "a.b[1].c: expected a text, found an integer",
        ),
        ({}, {"a": int}, "a: is missing"),
        ({"a": None}, {"a": int}, "a: expected an integer, found null"),
        ({"a": True}, {"a": int}, "a: expected an integer, found true or false"),
        ({"a": "x\n"}, {"a": NAME}, "a: expected a short text, found another one"),
        ({"a": "x" * 256}, {"a?": NAME}, "a: expected a short text, found another one"),
        ({"x\u202e": 7}, Each(int), "the answer: a key that is no name"),
        ({"x": {"y": "z"}}, Each(Each(bool)), "x.y: expected true or false, found a text"),
        ([], Some(int), "the answer: expected 1 or more, found 0"),
    ],
)
def test_forms(value: object, form: object, found: str) -> None:
    with pytest.raises(UnreachableError) as refused:
        check(value, form, "GET x")
    assert refused.value.message == f"GET x: an answer of another form: {found}"
    assert not fits(value, form)


def test_what_fits() -> None:
    form = {"a?": [Maybe(str)], "b?": Text(least=0)}
    for value in ({}, {"a": None}, {"a": [], "c": 7}, {"a": ["x", None], "b": ""}):
        assert fits(value, form)


def test_what_is_said_and_what_is_not() -> None:
    assert said("a\r\n\x1b[31m\u202e\u2028b" + "c" * 1000, 20) == "a [31m b" + "c" * 11 + "…"
    for login in ("ApiKey aWQxMjM0NTY6a2V5MTIzNDU2", "Bearer t0ken-t0ken", "Basic ZWxhc3RpYzpjaGFuZ2VtZQ=="):
        told = f"you sent {login}, id123456:key123456, changeme".encode()
        kept = without_login(told, {"authorization": login})
        assert login.split()[1].encode() not in kept
        assert b"you sent" in kept
    assert b"changeme" not in without_login(b"changeme", {"Authorization": "Basic ZWxhc3RpYzpjaGFuZ2VtZQ=="})
    assert without_login(b"x", {}) == without_login(b"x", {"Authorization": "Basic eDp4"}) == b"x"
