"""KQL: what parses, to what, and what is told of queries that mean something else than they look."""

from __future__ import annotations

import pytest

from kibana_assets.check.kql import All, Any, Is, KqlError, Nested, Not, Range, Value, parse
from kibana_assets.check.kql_datasets import datasets
from kibana_assets.check.kql_meaning import faults
from kibana_assets.check.kql_query import query

A, B, ONE = Value("a"), Value("b"), Value("1")
TREES = {
    "a: 1": Is(A, ONE),
    "a:1": Is(A, ONE),
    'a : "x y"': Is(A, Value("x y", quoted=True)),
    'a: "x \\" y"': Is(A, Value('x " y', quoted=True)),
    "a: *": Is(A, Value("*", wild=True)),
    "a: x*": Is(A, Value("x*", wild=True)),
    "a: x\\*": Is(A, Value("x*")),
    "a: x\\u0041": Is(A, Value("xA")),
    "a: \\and": Is(A, Value("and")),
    "a >= 1": Range(A, ">=", ONE),
    "a<1": Range(A, "<", ONE),
    "a: 1 and b: 1": All((Is(A, ONE), Is(B, ONE))),
    "a: 1 OR b: 1 aNd not a: 1": Any((Is(A, ONE), All((Is(B, ONE), Not(Is(A, ONE)))))),
    "(a: 1 or b: 1) and a: 1": All((Any((Is(A, ONE), Is(B, ONE))), Is(A, ONE))),
    "a: (1 or x and not y)": Any((Is(A, ONE), All((Is(A, Value("x")), Not(Is(A, Value("y"))))))),
    "not (a: 1)": Not(Is(A, ONE)),
    "a: { b: 1 }": Nested(A, Is(B, ONE)),
    "a = 1": Is(None, Value("a = 1")),
    "a:[1 TO 5]": Is(A, Value("[1 TO 5]")),
    "_exists_:a": Is(Value("_exists_"), A),
    "anderson: orson": Is(Value("anderson"), Value("orson")),
}
BROKEN = {
    "status:>500": "character 8",
    "a: http://x": "character 8",
    "a: (1 or 2": "expected ')'",
    'a: "x': "a closing quote",
    "a: 1 and ": "a field or a value",
    "a:": "found the end, expected a field or a value",
    "a: 1) ": "expected the end",
    "a: \\x": "something to escape",
    "a: cannot do": "character 7: found 'not do', expected the end",
    "a: not b": "expected a field or a value",
    "()": "found",
    "(" * 100 + "a": "fewer brackets",
    "a" * 20_000: "10000 characters at most",
}
TYPES = {"n": "long", "k": "keyword", "d": "date", "t": "boolean", "i": "ip", "m": "match_only_text"}
MEANT = {
    "n = 1": "without a field",
    "n:[1 TO 5]": "Lucene",
    "_exists_:k": "the field _exists_, which no data stream",
    "k: /x.*/": "Lucene",
    "k: a || b": "Lucene",
    "k: x~2": "Lucene",
    "k: two words": "several words without quotes",
    'k: "x*"': "a star in quotes",
    "n: 4*": "a wildcard for a long",
    "n: many": "where the field is a long",
    "t: yes": "where the field is a boolean",
    "i: gpu1": "where the field is a ip",
    "d: yesterday": "where the field is a date",
    "k > 5": "where the field is a keyword",
    "n > x": "where the field is a long",
    "gone: 1": "the field gone",
    "gone > 1": "the field gone",
    "not (k: a and gone: b)": "the field gone",
    "n:>1": "does not parse",
    "and n: 1": "the field and n",
    "n: 1 and or k: a": "the field or k",
    "k: a and": "several words without quotes",
}
GOOD = ["", "n: 1", "n >= 1.5", "k: x*", 'k: "a b" or k: c', "i: 10.0.0.0/8", "d >= now-1d/d", "t: true", "not n: *"]


@pytest.mark.parametrize("text", TREES)
def test_it_parses(text: str) -> None:
    assert parse(text) == TREES[text]


@pytest.mark.parametrize("text", BROKEN, ids=range(len(BROKEN)))
def test_it_does_not_parse(text: str) -> None:
    with pytest.raises(KqlError) as raised:
        parse(text)
    assert BROKEN[text] in str(raised.value)


@pytest.mark.parametrize("text", MEANT)
def test_it_means_something_else(text: str) -> None:
    found = list(faults(text, TYPES))
    assert len(found) == 1
    assert MEANT[text] in found[0][0]


@pytest.mark.parametrize("text", GOOD)
def test_it_means_what_it_looks(text: str) -> None:
    assert list(faults(text, TYPES)) == []


def test_the_query_that_kibana_would_send() -> None:
    sent = query('a: 1 and not (b: "x y" or n >= 5) and c: * and d: x y*')
    one = {"bool": {"should": [{"match": {"a": "1"}}], "minimum_should_match": 1}}
    phrase = {"bool": {"should": [{"match_phrase": {"b": "x y"}}], "minimum_should_match": 1}}
    more = {"bool": {"should": [{"range": {"n": {"gte": "5"}}}], "minimum_should_match": 1}}
    either = {"bool": {"should": [phrase, more], "minimum_should_match": 1}}
    there = {"bool": {"should": [{"exists": {"field": "c"}}], "minimum_should_match": 1}}
    wild = {"query_string": {"fields": ["d"], "query": "x\\ y*"}}
    last = {"bool": {"should": [wild], "minimum_should_match": 1}}
    assert sent == {"bool": {"filter": [one, {"bool": {"must_not": either}}, there, last]}}
    assert query(" ") == {"match_all": {}}


@pytest.mark.parametrize(
    ("text", "limited"),
    [
        ('data_stream.dataset: "a.b"', ("a.b",)),
        ("data_stream.dataset: a.b and (x: 1 or y: 2)", ("a.b",)),
        ('x: 1 and data_stream.dataset: ("a.b" or "a.c")', ("a.b", "a.c")),
        ("data_stream.dataset: a.b or x: 1", ()),
        ("not data_stream.dataset: a.b", ()),
        ("data_stream.dataset: a.*", ()),
        ("x: 1", ()),
        ("", ()),
        ("a: http://x", ()),
    ],
)
def test_to_which_datasets_a_query_limits(text: str, limited: tuple[str, ...]) -> None:
    assert datasets(text) == limited
