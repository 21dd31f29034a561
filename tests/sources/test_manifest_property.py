"""Whatever stands in a manifest or an index, the answer is a value or an error of ours."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from bundler.errors import BundleError
from bundler.sources.image import Index, Manifest
from bundler.sources.manifest import parse_manifest
from bundler.sources.platforms import choose
from bundler.spec.model import Platform
from tests.counterparts.images import Pushable, make_image, make_index

_IMAGE = make_image([{"a": b"1"}, {"b": b"2"}])
_DOCUMENTS: tuple[Pushable, ...] = (
    _IMAGE,
    make_index(_IMAGE, attestation=True),
    make_image([{"a": b"1"}], docker=True),
)
_LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20)
_JSON = st.recursive(
    _LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3)
)


def places(document: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The paths of all values within ``document``."""
    keys = document if isinstance(document, dict) else range(len(document)) if isinstance(document, list) else ()
    return [(*path, key) for key in keys] + [one for key in keys for one in places(document[key], (*path, key))]


@settings(deadline=None, max_examples=300)
@given(data=st.data())
def test_any_value_in_any_place_is_read_or_refused(data: st.DataObject) -> None:
    document = json.loads(data.draw(st.sampled_from(_DOCUMENTS)).manifest)
    *above, last = data.draw(st.sampled_from(places(document)))
    target = document
    for key in above:
        target = target[key]
    target[last] = data.draw(_JSON)
    try:
        parsed = parse_manifest(json.dumps(document).encode())
        if isinstance(parsed, Index):
            choose(parsed, Platform("linux", "amd64"))
    except BundleError as error:
        assert error.message
    else:
        assert isinstance(parsed, Index | Manifest)
