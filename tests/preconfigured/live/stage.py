"""What the tests of a live Kibana stand on: a model, nginx before it, and a Kibana that calls both."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from preconfigured.live.finding import Finding, Trial
from preconfigured.live.kibana import Kibana
from preconfigured.live.login import Login, api_key
from tests.counterparts.certificates import Certificate
from tests.counterparts.kibana import KEY, KibanaServer
from tests.counterparts.model_server import Behaviour, ModelServer
from tests.counterparts.nginx import Nginx, Proxy

TOKEN = "model-token-3f9c"
CHAT = "/v1/chat/completions"
KEYSTORE = {"xpack.actions.preconfigured.vllm.secrets.apiKey": f'"{TOKEN}"'}

YML = """\
xpack.actions.preconfigured:
  vllm:
    name: vLLM
    actionTypeId: .gen-ai
    exposeConfig: true
    config:
      apiProvider: Other
      apiUrl: {url}
      defaultModel: {model}
      enableNativeFunctionCalling: true
      contextWindowLength: 65536
{more}"""


@dataclass(frozen=True, slots=True)
class Stage:
    """``kibana`` calls ``proxy``, which calls ``model``."""

    kibana: KibanaServer
    proxy: Nginx
    model: ModelServer


@contextmanager
def stage(
    folder: Path,
    behaviour: Behaviour | None = None,
    proxy: Proxy | None = None,
    *,
    path: str = CHAT,
    name: str = "mistral-small",
    more: str = "",
    keystore: dict[str, str] | None = None,
    tls: Certificate | None = None,
) -> Iterator[Stage]:
    """All three, running; ``path`` and ``name`` are what the connector has for the model's address and name."""
    with ModelServer(behaviour) as model, Nginx(folder / "nginx", model.host, proxy or Proxy(tls=tls)) as nginx:
        text = YML.format(url=nginx.url + path, model=name, more=more)
        with KibanaServer(text, keystore=KEYSTORE if keystore is None else keystore) as kibana:
            yield Stage(kibana, nginx, model)


def client(kibana: KibanaServer, login: Login | None = None, *, ca: Path | None = None, timeout: float = 10) -> Kibana:
    """A client with the right key."""
    return Kibana(kibana.url, api_key(KEY, "test") if login is None else login, ca=ca, timeout=timeout)


def wrong(trial: Trial) -> list[tuple[str, str, str]]:
    """Check, state and place of everything that is to be mended."""
    return [(one.check, one.state, one.place) for one in trial.findings if one.state != "ok"]


def finding(trial: Trial, check: str) -> Finding:
    """The one finding of a check that is not ok, else the first."""
    found = [one for one in trial.findings if one.check == check]
    assert found, f"no finding of {check}: {trial.findings}"
    return next((one for one in found if one.state != "ok"), found[0])
