"""@custom pipelines for those who ship logs with Elastic's own integrations: of Nginx, and for files of any dataset.

Rules: they are made of the package's own pipelines, read each time, so that nothing is said twice; they need nothing
of the package in the cluster. Elastic's Nginx integration has parsed its line already: what it left is taken as it is,
secrets are taken out of it as out of our own, and what a call or an error means is added. For LM Studio's log the whole
of our pipelines comes along under names of its own, since such an integration parses nothing. Privacy holds as in the
package. A pipeline that fails leaves the document as it was, with event.kind and error.message.
"""

from __future__ import annotations

import re
from typing import Any, Final

from kibana_assets.errors import PackageError, UsageError
from kibana_assets.package.streams import Stream, pipelines, streams
from kibana_assets.package.tree import Tree

Json = dict[str, Any]

ACCESS: Final = "logs-nginx.access@custom"
ERROR: Final = "logs-nginx.error@custom"
# Where a client's words can be in what Elastic's pipelines leave; what makes no field of ours is looked at too.
TEXTS: Final = (
    "event.original",
    "message",
    "url.original",
    "url.path",
    "url.query",
    "url.fragment",
    "url.extension",
    "http.request.referrer",
    "user_agent.original",
    "user.name",
    "error.message",
)
# The redacting pipeline works on event.original: all texts go there, one behind the other, and back again. The quote
# ends what a pattern takes for a secret; a text that holds the separator itself costs all of them.
BETWEEN: Final = '"\x00"'
PACK: Final = """
if (ctx.url?.user_info instanceof String) {
  String known = ctx.url.remove('user_info') + '@';
  if (ctx.url.original instanceof String) { ctx.url.original = ctx.url.original.replace(known, ''); }
  ctx.url.remove('username');
  ctx.url.remove('password');
}
if (ctx.event == null) { ctx.event = new HashMap(); }
List texts = new ArrayList();
for (List path : params.texts) {
  def found = ctx;
  for (String name : path) { found = found instanceof Map ? found.get(name) : null; }
  texts.add((path.contains('query') ? '?' : '') + (found instanceof String ? found : ''));
}
Map tmp = new HashMap();
for (String flag : params.flags) { tmp.put(flag, true); }
tmp.original = ctx.event.original;
tmp.packed = String.join(params.between, texts);
ctx.event.original = tmp.packed;
ctx._tmp = tmp;
""".strip()
RESTORE: Final = """
String redacted = ctx.event.original;
if (ctx._tmp.original == null) { ctx.event.remove('original'); } else { ctx.event.original = ctx._tmp.original; }
""".strip()
UNPACK: Final = """
String packed = ctx._tmp.packed;
ctx.remove('_tmp');
if (redacted == packed) { return; }
String[] parts = redacted.splitOnToken(params.between);
boolean whole = parts.length == params.texts.size();
for (int i = 0; i < params.texts.size(); i++) {
  List path = params.texts.get(i);
  def place = ctx;
  for (int j = 0; j < path.size() - 1; j++) { place = place instanceof Map ? place.get(path.get(j)) : null; }
  String last = path.get(path.size() - 1);
  if (!(place instanceof Map && place.get(last) instanceof String)) { continue; }
  place.put(last, !whole ? '[redacted]' : parts[i].substring(last == 'query' ? 1 : 0));
}
if (ctx.related?.user != null && ctx.user?.name != null) { ctx.related.user = [ctx.user.name]; }
""".strip()
# What follows the message in a line is for fields that Elastic's pipeline does not make. A client can write the same
# words into a path, which stands in quotes. Nginx writes no line of more than 2048 bytes.
HEAD: Final = """
ctx._tmp = ['message': ctx.message];
String text = ctx.message.length() > 4096 ? ctx.message.substring(0, 4096) : ctx.message;
int client = text.indexOf(', client: ');
while (client > 0 && text.substring(0, client).splitOnToken('"').length % 2 == 0) {
  client = text.indexOf(', client: ', client + 1);
}
if (client > 0) { ctx.message = text.substring(0, client); }
""".strip()
WHOLE: Final = "ctx.message = ctx._tmp.message; ctx.remove('_tmp');"
DURATION: Final = "ctx.event.duration = (long) ctx.nginx.access.response_time * 1000000L;"
_DATASET: Final = re.compile(r"[a-z0-9_][a-z0-9_.]{0,99}")
_FLAG: Final = re.compile(r"ctx\._tmp\.(\w+)")


def custom_pipelines(tree: Tree, lmstudio_dataset: str | None = None) -> dict[str, Json]:
    """Ids and bodies for ``PUT _ingest/pipeline/…``, those that others call first.

    With ``lmstudio_dataset``, which the user gave the integration that reads LM Studio's log, also those for it.

    Raises: UsageError for a dataset that cannot be one or has its pipelines already; PackageError.
    """
    known = {stream.name: stream for stream in streams(tree)}
    made = {ACCESS: _access(tree, known), ERROR: _error(tree, known)}
    return made if lmstudio_dataset is None else made | _lmstudio(tree, known, lmstudio_dataset)


def _access(tree: Tree, known: dict[str, Stream]) -> Json:
    stream = _stream(known, "proxy_access")
    answered = "ctx.http?.response?.status_code instanceof Number"
    timed = "ctx.event.duration == null && ctx.nginx?.access?.response_time instanceof Number"
    return _pipeline(
        "What a call to an LLM server came to, for Elastic's Nginx integration; secrets are taken out.",
        [
            *_redacting(tree, stream),
            _script("script_duration", DURATION, {"if": timed}),
            _with(_tagged(tree, stream, "script_llm_request"), {"if": answered}),
        ],
    )


def _error(tree: Tree, known: dict[str, Stream]) -> Json:
    stream = _stream(known, "proxy_error")
    line = "ctx.message instanceof String && ctx.log?.level instanceof String"
    return _pipeline(
        "What an error means for an LLM server, for Elastic's Nginx integration; secrets are taken out.",
        [
            *_redacting(tree, stream),
            _script("script_head", HEAD, {"if": line}),
            _with(_tagged(tree, stream, "script_llm_error"), {"if": "ctx._tmp?.message != null"}),
            _script("script_whole", WHOLE, {"if": "ctx._tmp?.message != null"}),
        ],
    )


def _lmstudio(tree: Tree, known: dict[str, Stream], dataset: str) -> dict[str, Json]:
    if not _DATASET.fullmatch(dataset) or f"logs-{dataset}@custom" in (ACCESS, ERROR):
        raise UsageError(
            f"{dataset[:120]!r} cannot be the dataset of LM Studio's log",
            hint="Give the dataset of the integration that reads it: small letters, digits, _ and ., such as lmstudio.",
        )
    stream = _stream(known, "lmstudio")
    if dataset.startswith(f"{stream.package}."):
        raise UsageError(f"{dataset}: has its pipelines already", hint=f"They come with the package {stream.package}.")
    main, custom = stream.pipeline_id(), f"logs-{dataset}@custom"
    found = pipelines(tree, stream)
    names = {name: custom + name.removeprefix(main) for name in found}
    return {names[name]: _renamed(body, names) for name, body in found.items()}


def _redacting(tree: Tree, stream: Stream) -> list[Json]:
    """The processors of the stream's pipeline ``redact``, over all texts at once."""
    found = pipelines(tree, stream).get(stream.pipeline_id("redact"))
    if found is None:
        raise PackageError(f"{stream.path}: no pipeline 'redact'", hint="Name the one that takes secrets out so.")
    flags = sorted(set(_FLAG.findall(str(found["processors"]))))
    params = {"texts": [text.split(".") for text in TEXTS], "between": BETWEEN}
    return [
        _script("script_pack", PACK, {"params": {**params, "flags": flags}}),
        *found["processors"],
        _script("script_unpack", f"{RESTORE}\n{UNPACK}", {"params": params}),
    ]


def _tagged(tree: Tree, stream: Stream, tag: str) -> Json:
    for pipeline in pipelines(tree, stream).values():
        for processor in pipeline["processors"]:
            if any(body.get("tag") == tag for body in processor.values()):
                return dict(processor)
    raise PackageError(f"{stream.path}: no processor has the tag {tag!r}", hint="custom.py needs it under this tag.")


def _with(processor: Json, more: Json) -> Json:
    return {name: {**body, **more} for name, body in processor.items()}


def _script(tag: str, source: str, more: Json) -> Json:
    return {"script": {"tag": tag, "lang": "painless", "source": source, **more}}


def _pipeline(description: str, processors: list[Json]) -> Json:
    said = "{{{_ingest.on_failure_processor_tag}}}: {{{_ingest.on_failure_message}}}"
    on_failure = [
        _script("script_restore", RESTORE, {"if": "ctx._tmp?.packed != null"}),
        {"set": {"tag": "set_pipeline_error", "field": "event.kind", "value": "pipeline_error"} | _LENIENT},
        {
            "append": {"tag": "append_error", "field": "error.message", "value": said, "allow_duplicates": False}
            | _LENIENT
        },
        {"remove": {"tag": "remove_tmp", "field": "_tmp", "ignore_missing": True}},
    ]
    return {"description": description, "processors": processors, "on_failure": on_failure, "_meta": _META}


_LENIENT: Final = {"ignore_failure": True}
_META: Final = {"managed_by": "llm-bundle", "managed": False}


def _renamed(body: Json, names: dict[str, str]) -> Json:
    renamed: Json = _walk(body, names)
    return {**renamed, "_meta": _META}


def _walk(value: Any, names: dict[str, str]) -> Any:
    if isinstance(value, list):
        return [_walk(item, names) for item in value]
    if not isinstance(value, dict):
        return value
    made = {key: _walk(item, names) for key, item in value.items()}
    return {**made, "pipeline": {**made["pipeline"], "name": names[made["pipeline"]["name"]]}} if _calls(made) else made


def _calls(value: Json) -> bool:
    return isinstance(value.get("pipeline"), dict) and "name" in value["pipeline"]


def _stream(known: dict[str, Stream], name: str) -> Stream:
    if name not in known:
        raise PackageError(f"data_stream/{name}: missing", hint="The @custom pipelines are made of its pipelines.")
    return known[name]
