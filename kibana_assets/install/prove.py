"""An installation proves itself: a sample of every data stream, through its pipeline and into a data stream.

Rules: each sample (samples.json: what an agent would send) is simulated first; then it is stored in a scratch data
stream, whose namespace no agent uses, found again, and the scratch data stream is removed, also when something failed.
What an earlier run left there, which was killed, is removed too. Nothing of anybody's data is touched.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timezone
from importlib import resources
from typing import Any, Final

from kibana_assets.connection.address import segment
from kibana_assets.connection.form import Maybe, Some, check
from kibana_assets.connection.reasons import said
from kibana_assets.elasticsearch.cluster import Cluster
from kibana_assets.errors import PackageError, RefusedError
from kibana_assets.package.streams import Stream

NAMESPACE: Final = "llm_bundle_proof"
_SOURCE: Final = {"event?": dict, "error?": dict}
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Proof:
    """Whether a stream's sample came through; ``found`` says what came out, or what went wrong."""

    stream: str
    ok: bool
    found: str


def samples() -> dict[str, Json]:
    """A sample event of each stream, by the stream's name."""
    read: dict[str, Json] = json.loads(resources.files(__package__).joinpath("samples.json").read_bytes())
    return read


def prove(cluster: Cluster, streams: tuple[Stream, ...]) -> Iterator[Proof]:
    """Try each stream. Raises: UnreachableError; RefusedError where a scratch data stream cannot be removed."""
    known = samples()
    for stream in streams:
        if stream.name not in known:
            raise PackageError(f"{stream.path}: no sample event", hint="Add one to samples.json.")
        yield _proof(cluster, stream, known[stream.name])


def _proof(cluster: Cluster, stream: Stream, sample: Json) -> Proof:
    scratch = stream.data_stream(NAMESPACE)
    event = {**_placed(stream), **sample, "@timestamp": datetime.now(timezone.utc).isoformat(timespec="milliseconds")}
    cluster.delete(f"/_data_stream/{segment(scratch)}")
    try:
        wrong = _simulated(cluster, stream, event, scratch) or _stored(cluster, event, scratch)
    except RefusedError as error:
        return Proof(stream.name, False, error.message)
    finally:
        cluster.delete(f"/_data_stream/{segment(scratch)}")
    return Proof(stream.name, not wrong, wrong or "a sample came through its pipeline and was stored and found")


def _placed(stream: Stream) -> Json:
    """What the agent adds to every event."""
    return {"data_stream": {"type": stream.type, "dataset": stream.dataset, "namespace": NAMESPACE}}


def _simulated(cluster: Cluster, stream: Stream, event: Json, index: str) -> str:
    path = f"/_ingest/pipeline/{segment(stream.pipeline_id())}/_simulate"
    answer = cluster.call("POST", path, {"docs": [{"_index": index, "_source": event}]})
    check(answer, {"docs": Some(Maybe({"doc?": {"_source": _SOURCE}}))}, f"{cluster.place}{path}")
    document = answer["docs"][0]
    if document is None or document.get("doc") is None:
        return f"the pipeline fails: {said(json.dumps((document or {}).get('error', 'the event is dropped')))}"
    return _fault(document["doc"]["_source"])


def _stored(cluster: Cluster, event: Json, scratch: str) -> str:
    params = {"op_type": "create", "refresh": "true"}
    made = cluster.call("POST", f"/{segment(scratch)}/_doc", event, params=params, once=True)
    if made.get("result") != "created":
        return f"not stored: {said(json.dumps(made))}"
    index = str(made.get("_index"))
    if not index.startswith(f".ds-{scratch}-"):
        cluster.delete(f"/{segment(index)}")
        return "stored in an index of its own, not in a data stream: the index template is missing"
    path = f"/{segment(scratch)}/_search"
    answer = cluster.call("POST", path, {"size": 2})
    check(answer, {"hits": {"hits": [{"_source": _SOURCE}]}}, f"{cluster.place}{path}")
    found = answer["hits"]["hits"]
    if len(found) != 1:
        return f"stored, but {len(found)} found"
    return _fault(found[0]["_source"])


def _fault(source: Json) -> str:
    """What the package's own pipelines leave behind when they fail."""
    if (source.get("event") or {}).get("kind") == "pipeline_error":
        return f"the pipeline fails: {said(str((source.get('error') or {}).get('message')))}"
    return ""
