"""README.md of a bundle: how to check it and use it by hand, with its own names, for a reader who has nothing else."""

from __future__ import annotations

from bundler.disk import size_text
from bundler.lock.model import Lock, LockedFile, LockedImage, LockedModel
from bundler.spec.families import fetched_by


def readme(lock: Lock, others: tuple[str, ...]) -> str:
    """The text. ``others`` are the paths of the other files that llm-bundle wrote into the bundle."""
    top = f"{lock.request['name']}-{lock.request['version']}"
    parts = [
        _head(top, lock),
        _check(top),
        _tool(top, lock.request["serve"]["engine"]),
        _contents(lock, others),
        _images(top, lock.images),
    ]
    return "\n".join(parts)


def _head(top: str, lock: Lock) -> str:
    stack = lock.request.get("stack")
    target = f"{lock.request['platform']} and Elastic Stack {stack}" if stack else lock.request["platform"]
    return f"""# {top}

A self-hosted language model for the Elastic AI Assistants, packed by llm-bundle {lock.tool} for {target}.
Everything here was fetched by digest; nothing in it needs the internet.
"""


def _check(top: str) -> str:
    return f"""## Check it

No tool of ours is needed. If the bundle came in volumes, join them first (the shell puts them in order):

    sha256sum -c {top}.tar.*.sha256
    cat {top}.tar.[0-9][0-9][0-9] > {top}.tar

Unpack it and compare every file with its SHA-256:

    tar -xf {top}.tar
    cd {top}
    sha256sum -c --strict --quiet SHA256SUMS && echo good

This shows that nothing changed since SHA256SUMS was written. Who wrote it is shown by a signature. Where there is a
file SHA256SUMS.sig, and you have the sender's public key as ../KEY.pub, which did not come with the bundle:

    openssl dgst -sha256 -verify ../KEY.pub -signature SHA256SUMS.sig SHA256SUMS

It must say "Verified OK". The key's id is the first 16 digits of this number; compare them with the sender's:

    openssl pkey -pubin -in ../KEY.pub -outform DER | sha256sum

Without a signature, compare this number with the one that the sender gives you on another way (`llm-bundle build`
prints it as the manifest's digest):

    sha256sum manifest.json
"""


def _tool(top: str, engine: str) -> str:
    """It comes with what it is to check, so it is checked by hand before it runs."""
    ours = f"python3 {top}/llm-bundle.pex"
    install = f"{ours} install {top}.tar" + (" --tls-cert CERT.pem --tls-key KEY.pem" if engine == "vllm" else "")
    return f"""## Use the tool

`llm-bundle.pex` is llm-bundle itself: one file that Python 3.10 or newer runs as it is, without pip, without the
network and without writing anything anywhere. It stands near the beginning of the bundle and can be taken out alone:

    tar --occurrence=1 -xf {top}.tar {top}/llm-bundle.pex

of volumes from the first one (`{top}.tar.001`), or, where the volumes are small, from all of them:

    cat {top}.tar.[0-9][0-9][0-9] | tar --occurrence=1 -xf - {top}/llm-bundle.pex

It comes with what it is to check. So take out SHA256SUMS too (and SHA256SUMS.sig where there is one) in the same way,
check their signature by the command above, and then the tool by itself, in `{top}/`:

    sha256sum -c --ignore-missing SHA256SUMS

From the folder where the bundle lies, it then checks all the rest in one read, without unpacking, also volumes as they
are (name the first one), and finds what `tar` would not see: changed headers, missing and additional files, trailing
data:

    {ours} verify --key KEY.pub {top}.tar

It says whether this machine is fit to serve the bundle, and takes it into service:

    {ours} doctor {top}.tar
    {install}

`{ours} --help` names the other commands. Where `python3` is older than 3.10, the tool looks for a newer one itself.
"""


def _contents(lock: Lock, others: tuple[str, ...]) -> str:
    rows = [
        ("`SHA256SUMS`", "a line for every other file"),
        ("`manifest.json`", "every file, image and model with sizes and digests"),
        ("`llm-bundle.pex`", f"llm-bundle {lock.tool} for the site: {size_text(lock.site_tool.size)}"),
    ]
    rows += [(f"`{path}`", _meaning(path)) for path in others]
    rows += [("`images/`", "an OCI image layout with the images below")] if lock.images else []
    rows += [(f"`models/{model.id}/`", _model(model)) for model in lock.models]
    rows += [(f"`{extra.path}`", _extra(extra)) for extra in lock.extras]
    rows += [(f"`{file.path}`", f"{size_text(file.size)}, from Elastic") for file in lock.elastic]
    table = "\n".join(f"| {left} | {right} |" for left, right in rows)
    return f"## What is in it\n\n| path | what |\n| --- | --- |\n{table}\n"


_MEANINGS = {
    "config/agents/elastic-agent.yml": "for Elastic Agent without Fleet on the GPU host: all of it, without the Beats",
    "config/agents/filebeat.yml": "for Filebeat on the GPU host: the logs; its first lines say what to add",
    "config/agents/metricbeat.yml": "for Metricbeat on the GPU host: vLLM's metrics; its first lines say what to add",
    "config/nginx/nginx.conf": "the proxy's main configuration, for its container",
    "config/nginx/llm-bundle.conf": "what the proxy lets through, to whom, and what it logs",
    "config/lmstudio.json": "how the model is served: files, identifier, context",
    "config/lmstudio.service": "an example of the systemd unit that starts LM Studio with the model",
    "config/proxy.json": "the proxy's name, and where it runs",
    "config/serve.json": "how the model is served: image, arguments, environment",
    "elastic/README.md": "Elastic's artefacts: where they go, and what to set",
    "elastic/elasticsearch-offline.yml": "where Elasticsearch finds ELSER: a setting for elasticsearch.yml",
    "elastic/nginx.conf": "how a web server of the site serves the folder: a piece of an Nginx server block",
    "elastic/product-docs/index.xml": "the list of the documentation, which Kibana asks for",
    "kibana/elastic-offline.yml": "settings without the internet: paste into kibana.yml of every Kibana node",
    "kibana/kibana.yml": "the connectors: paste into kibana.yml of every Kibana node",
    "kibana/NEXT-STEPS.md": "what to set in the AI Assistants afterwards",
    **{
        f"kibana/keystore-{install}.sh": f"puts the token into Kibana's keystore, where Kibana was installed by {how}"
        for install, how in (
            ("archive", "tar.gz"),
            ("deb", "a Debian package"),
            ("rpm", "an RPM package"),
            ("docker", "Docker"),
            ("eck", "Elastic's operator for Kubernetes"),
        )
    },
}


def _meaning(path: str) -> str:
    if path.startswith("elastic/local_llm-"):
        return "the integration package: upload it in Kibana, Integrations, Upload integration"
    return _MEANINGS.get(path, "written by llm-bundle")


def _extra(extra: LockedFile) -> str:
    reader = fetched_by(extra.path)
    return size_text(extra.size) + (f", which {reader} in the engine would fetch when it starts" if reader else "")


def _model(model: LockedModel) -> str:
    size = size_text(sum(file.size for file in model.files))
    commit = f", commit {model.commit}" if model.commit else ""
    licence = f", licence {model.license}" if model.license else ""
    return f"{size} in {len(model.files)} files{commit}{licence}"


def _images(top: str, images: tuple[LockedImage, ...]) -> str:
    if not images:
        return "## Images\n\nNone: the engine is supplied at the site.\n"
    rows = "\n".join(f"| {image.role} | `{image.name}` | {image.platform} | `{image.digest}` |" for image in images)
    podman = "\n".join(f"    podman pull oci:images:{image.name}" for image in images)
    skopeo = "\n".join(
        f"    skopeo copy oci:images:{image.name} docker-daemon:{_docker_name(image)}" for image in images
    )
    return f"""## Images

| role | name | platform | digest |
| --- | --- | --- | --- |
{rows}

Inside `{top}/`, Podman reads the layout as it stands:

{podman}

Skopeo takes the images to Docker, to a registry of the site, or to any other place that it knows:

{skopeo}
"""


def _docker_name(image: LockedImage) -> str:
    """A name with a tag: Docker takes none with a digest."""
    name, _, digest = image.name.partition("@")
    tagged = ":" in name.rpartition("/")[2]
    return name if tagged else f"{name}:{digest[7:19] or 'latest'}"
