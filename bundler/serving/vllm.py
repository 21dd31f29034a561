"""vLLM's command line and environment, from a ServePlan.

Rules: the family's defaults come first, the user's arguments after them and so win; what the proxy, the health check
and the connectors count on (address, port, name) comes last and wins over both. Nothing is fetched and nobody is
told: the environment says so to every library that would.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from bundler.serving.plan import ServePlan
from bundler.spec.families import release

CACHE: Final = "/llm-bundle/cache"
"""Where the container may write, and all caches go. No image has the folder: the rights of one that is there win."""

ENVIRONMENT: Final = {
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "HF_DATASETS_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "VLLM_NO_USAGE_STATS": "1",
    "DO_NOT_TRACK": "1",
    "HOME": CACHE,
    # Without an entry in /etc/passwd Python asks these who it is; PyTorch's compiler cache needs to know.
    "USER": "llm-bundle",
    "LOGNAME": "llm-bundle",
    "HF_HOME": f"{CACHE}/huggingface",
    "VLLM_CACHE_ROOT": f"{CACHE}/vllm",
    "VLLM_CONFIG_ROOT": f"{CACHE}/vllm-config",
    "XDG_CACHE_HOME": f"{CACHE}/xdg",
    "XDG_CONFIG_HOME": f"{CACHE}/xdg-config",
    "TORCHINDUCTOR_CACHE_DIR": f"{CACHE}/inductor",
    "TRITON_CACHE_DIR": f"{CACHE}/triton",
}

_PROMPTS_OPT_IN: Final = (0, 11, 0)
"""From here on prompts are logged only where asked for; before, unless told not to."""

VOCABULARY_FILES: Final = ("o200k_base.tiktoken", "cl100k_base.tiktoken")
"""What openai-harmony looks for in TIKTOKEN_ENCODINGS_BASE, and fetches where it is not set."""


def base_args(tag: str | None, family_args: Iterable[str], user_args: Iterable[str]) -> tuple[str, ...]:
    """The ``args`` of a plan; ``tag`` is that of the image."""
    version = release(tag)
    quiet = ("--disable-log-requests",) if version and version < _PROMPTS_OPT_IN else ()
    return (*quiet, *family_args, *user_args)


def command(plan: ServePlan, model: str, entrypoint: tuple[str, ...]) -> tuple[str, ...]:
    """What follows the image's ``entrypoint``; ``model`` is the model's path inside the container.

    ``vllm serve`` takes the model as its first argument, the older entry point as an option.
    """
    chosen = (model,) if entrypoint[-1:] == ("serve",) else ("--model", model)
    context = ("--max-model-len", str(plan.context)) if plan.context else ()
    parallel = ("--tensor-parallel-size", str(plan.gpus)) if plan.gpus > 1 else ()
    fixed = ("--served-model-name", plan.served_name, "--host", "0.0.0.0", "--port", str(plan.port))
    return (*chosen, *context, *parallel, *plan.args, *fixed)


def health_check(plan: ServePlan) -> tuple[str, ...]:
    """The command that asks the engine how it is, run inside its container: of curl and Python the latter is sure."""
    address = f"http://127.0.0.1:{plan.port}{plan.health}"
    return ("python3", "-c", f"import urllib.request as r; r.urlopen('{address}', timeout=5).read()")


def tool_parser(args: tuple[str, ...]) -> str | None:
    """The tool-call parser that ``args`` name, the last one."""
    found = None
    for at, arg in enumerate(args):
        option, equals, value = arg.partition("=")
        if option.replace("_", "-") == "--tool-call-parser":
            found = value if equals else next(iter(args[at + 1 : at + 2]), None)
    return found
