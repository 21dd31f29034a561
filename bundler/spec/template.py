"""The bundle.yml that ``llm-bundle init`` writes: commented for someone who sees one for the first time."""

from __future__ import annotations

import json
import re

from bundler.errors import UsageError
from bundler.spec.families import Example, Family, families
from bundler.spec.model import Engine
from bundler.spec.wording import nearest, quoted

# Enough for Elastic's Observability assistant (64,000), and no more memory than that takes.
_CONTEXT = 65536
_ENOUGH = 64_000
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


def init_text(family: str, *, engine: Engine = "vllm", name: str | None = None) -> str:
    """A bundle.yml for a family (``families()`` lists them) that ``parse_spec`` reads.

    Raises: UsageError for an unknown family, or a name that bundle.yml does not permit.
    """
    known = {one.name: one for one in families()}
    if family not in known:
        hint = nearest(family, known)
        raise UsageError(f"expected one of {', '.join(known)}, found {quoted(family)}", hint=hint)
    chosen = known[family]
    title = chosen.example.name if name is None else name
    if not _NAME.fullmatch(title):
        message = f"expected a name of a-z, 0-9, . _ and -, at most 64, found {quoted(title)}"
        raise UsageError(message, hint="begin it with a letter or a digit")
    parts = (_head(chosen, title), _models(chosen, engine), _serve(chosen, engine), _PROXY)
    return "\n".join((*parts, _connectors(chosen, engine), _REST))


def _head(family: Family, name: str) -> str:
    return f"""\
# A bundle with {family.title}.
# Next: llm-bundle lock (looks everything up and pins it), then llm-bundle build (downloads it into one file).
# No password or token belongs in here. For a gated model set HF_TOKEN; registries use your docker login.
apiVersion: llm-bundle/v1
name: "{name}"
version: 1.0.0                # yours to count; goes into the file's name. Quote it when it looks like a number.
platform: linux/amd64         # of the GPU host, not of this machine
stack: 9.2.0                  # the Elastic Stack that will use the model
"""


def _models(family: Family, engine: Engine) -> str:
    example = family.example
    if engine == "lmstudio":
        include = ["*Q4_K_M*.gguf"] if family.name != "gpt-oss" else ["*.gguf"]
        what = "# LM Studio runs GGUF files. A repository offers several sizes of one model: take one."
    else:
        include = list(example.include)
        what = "# By its id on the Hugging Face hub; or {id: …, folder: …}, or {id: …, url: …, sha256: …}."
    files = (
        f"    files:                    # which of its files; without this, one complete set is chosen\n"
        f"      include: {json.dumps(include)}\n"
        if include
        else ""
    )
    return f"""\
models:
  {what}
  - id: {_model_id(example, engine)}
    revision: main            # branch, tag or commit; the lock pins the commit
{files}"""


def _model_id(example: Example, engine: Engine) -> str:
    return example.gguf if engine == "lmstudio" else example.id


def _serve(family: Family, engine: Engine) -> str:
    example = family.example
    context = min(family.context, _CONTEXT)
    about = "more takes more GPU memory" if context >= _ENOUGH else "Elastic's Observability assistant needs 64000"
    image = ""
    if engine == "vllm":
        image = f"  image: {example.image:<19}  # name:tag, name@sha256:…, oci:PATH or docker-archive:PATH\n"
    return f"""\
serve:
  engine: {engine:<20}# vllm, or lmstudio, which the site installs itself
{image}  model: {_model_id(example, engine)}
  context: {context:<19}# tokens of one conversation; {about}
  gpus: {example.gpus:<22}# GPUs that the model is spread over; llm-bundle plan says what it needs
  args: []                    # further arguments, after those that the model's family needs anyway
"""


_PROXY = """\
proxy:                        # the Nginx in front: TLS, tokens, and only the paths that are meant to be open
  server_name: llm.example.internal
  run: container              # Nginx from the bundle; host uses the one of the machine, and takes no image
  image: nginx:1.29-alpine
"""


def _connectors(family: Family, engine: Engine) -> str:
    product = "vLLM" if engine == "vllm" else "LM Studio"
    identity = re.sub("[^a-z0-9-]", "-", f"{engine}-{family.example.name}")
    return f"""\
connectors:                   # what Kibana offers in its AI assistants, by way of kibana.yml
  - id: {identity}
    name: {product} - {family.example.title}
    provider: {engine:<16}# vllm, lmstudio or openai-compatible
"""


_REST = """\
monitoring:                   # what watches the server and the proxy in the Elastic Stack
  package: true               # dashboards and pipelines, for Kibana or llm-bundle assets install
  filebeat: true              # files for Filebeat, Metricbeat or Elastic Agent on the GPU host, in config/agents/

# elastic:                    # Elastic's own, for a stack without the internet
#   agent: true               # the Elastic Agent for the GPU host, of the stack's version
#   packages: [nginx]         # from Elastic's package registry
#   product_docs: true        # what the AI Assistants know of Elastic's products
#   elser: linux-x86_64       # the model that searches it

# files:                      # anything else that must come along
#   - url: https://example.com/handbook.pdf
#     sha256: "64 hexadecimal digits, as sha256sum prints them"
#     path: extra/handbook.pdf

# signing:
#   key: cosign.key           # a file, or the name of an environment variable that holds the key

# registries:                 # how this machine reaches a registry; not part of the bundle
#   docker.io: {mirrors: ["mirror.example/docker"]}
#   registry.example:5000: {plain_http: true}
"""
