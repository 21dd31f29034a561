"""Real Elasticsearch nodes for tests, of both versions that the package supports.

Where they come from, the first that is there:
- ELASTICSEARCH_URL: one address or several, with spaces between; the node says itself which version it is.
- an image of Elasticsearch that Docker has already (nothing is pulled),
- the scripts in ``../shared/counterparts/elasticsearch`` (or below the folder that LLM_BUNDLE_SHARED names).
Else a loud skip. In CI it is a failure only where the scripts are there and do not get a node up.

ELASTICSEARCH_VERSIONS="943" limits a run to one version. What was started here is stopped at the end.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
import subprocess
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

import pytest
import requests

ROOT: Final = Path(__file__).parent.parent.parent
VERSIONS: Final = ("943", "819")
IMAGE: Final = "docker.elastic.co/elasticsearch/elasticsearch"
_ALWAYS: Final = ("discovery.type=single-node", "ES_JAVA_OPTS=-Xms512m -Xmx512m")
SETTINGS: Final = (*_ALWAYS, "xpack.security.enabled=false")
PASSWORD: Final = "elastic-test"
SECURE: Final = (*_ALWAYS, "xpack.security.http.ssl.enabled=false", f"ELASTIC_PASSWORD={PASSWORD}")


def shared() -> Path:
    """The folder of the counterparts and recordings beside the repository; it need not exist."""
    return Path(os.environ.get("LLM_BUNDLE_SHARED", ROOT.parent / "shared"))


def chosen(version: str) -> str:
    """The version, for tests that take long: the first one alone, unless ELASTICSEARCH_VERSIONS names it too."""
    if "ELASTICSEARCH_VERSIONS" not in os.environ and version != VERSIONS[0]:
        pytest.skip(f'takes long: ELASTICSEARCH_VERSIONS="{" ".join(VERSIONS)}" tries it on {version} too')
    return version


class RefusedError(AssertionError):
    """Elasticsearch answered with an error."""

    def __init__(self, method: str, path: str, status: int, text: str) -> None:
        super().__init__(f"{method} {path}: {status}: {text[:3000]}")
        self.status = status
        self.text = text


@dataclass(frozen=True, slots=True)
class Node:
    """A node that answers; ``version`` is what it says of itself."""

    url: str
    version: str
    session: requests.Session

    def call(self, method: str, path: str, body: object = None) -> Any:
        """The answer's JSON; a list of objects as body is sent as lines. Raises: RefusedError."""
        data, kind = None, "application/json"
        if isinstance(body, list):
            data, kind = "".join(json.dumps(line) + "\n" for line in body), "application/x-ndjson"
        elif body is not None:
            data = json.dumps(body)
        answer = self.session.request(
            method,
            f"{self.url}/{path.lstrip('/')}",
            data=data.encode() if data else None,
            headers={"Content-Type": kind} if data else {},
            timeout=120,
        )
        if answer.status_code >= 400:
            raise RefusedError(method, path, answer.status_code, answer.text)
        return answer.json() if answer.content else None


class Nodes:
    """Starts a node of a version when it is first asked for, and stops all of them at the end.

    With ``security`` it has users, roles and API keys; the session of a node is then its superuser's.
    """

    def __init__(self, *, security: bool = False) -> None:
        self._security = security
        self._running: dict[str, Node] = {}
        self._ends: list[Callable[[], object]] = []

    def get(self, version: str) -> Node:
        """The node of ``version`` (``943`` or ``819``), or a skip."""
        if version not in os.environ.get("ELASTICSEARCH_VERSIONS", " ".join(VERSIONS)).split():
            pytest.skip(f"ELASTICSEARCH_VERSIONS leaves {version} out")
        if version not in self._running:
            self._running[version] = self._start(version)
        return self._running[version]

    def stop(self) -> None:
        """Stop what was started here; nodes of others go on."""
        while self._ends:
            self._ends.pop()()
        self._running.clear()

    def _start(self, version: str) -> Node:
        if "ELASTICSEARCH_URL" in os.environ:
            return _given(version, os.environ["ELASTICSEARCH_URL"].split(), security=self._security)
        image = _image(version)
        if image:
            return self._contained(image)
        scripts = shared() / "counterparts" / "elasticsearch"
        if (scripts / "start.sh").is_file():
            return self._scripted(scripts, version)
        pytest.skip(
            f"Elasticsearch {version[0]} is missing: set ELASTICSEARCH_URL to a node for tests, or pull an image: "
            f"docker pull {IMAGE}:{version[0]}.x"
        )

    def _scripted(self, scripts: Path, version: str) -> Node:
        _output(["bash", str(scripts / "setup.sh"), version])
        start = ["bash", str(scripts / "start.sh"), version, "--port", "0", *(["--security"] if self._security else [])]
        said = _output([*_with_open_tmp(), *start])
        words = dict(word.split("=", 1) for word in said.split() if "=" in word)
        self._ends.append(lambda: _output(["bash", str(scripts / "stop.sh"), words["pid"]]))
        return connect(_as(words["url"], words["user"], words["password"]) if self._security else words["url"])

    def _contained(self, image: str) -> Node:
        wanted = SECURE if self._security else SETTINGS
        settings = [word for setting in wanted for word in ("--env", setting)]
        name = _output(["docker", "run", "--detach", "--rm", "--publish", "127.0.0.1::9200", *settings, image]).strip()
        self._ends.append(lambda: _output(["docker", "stop", name]))
        url = "http://" + _output(["docker", "port", name, "9200/tcp"]).split()[0]
        return connect(_as(url, "elastic", PASSWORD) if self._security else url, patience=60)


def connect(url: str, *, patience: int = 1) -> Node:
    """The node at ``url`` (user and password may stand in it), asked up to ``patience`` times, a second apart."""
    parts = urlsplit(url)
    session = requests.Session()
    session.trust_env = False
    session.mount("http://", requests.adapters.HTTPAdapter(max_retries=_retries(patience)))
    if parts.username:
        session.auth = (parts.username, parts.password or "")
    bare = urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path.rstrip("/"), "", ""))
    node = Node(bare, "", session)
    return Node(bare, node.call("GET", "/")["version"]["number"], session)


def _as(url: str, user: str, password: str) -> str:
    return url.replace("://", f"://{user}:{password}@", 1)


def _retries(patience: int) -> requests.adapters.Retry:
    # backoff_max needs urllib3 2: without it the waits would double up to two minutes
    return requests.adapters.Retry(
        total=patience, backoff_factor=1, backoff_max=1, status_forcelist=(503,), allowed_methods=("GET",)
    )


def _given(version: str, urls: Iterable[str], *, security: bool) -> Node:
    nodes = [connect(url) for url in urls]
    for node in nodes:
        if node.version.startswith(version[0] + ".") and (node.session.auth or not security):
            return node
    pytest.skip(f"ELASTICSEARCH_URL names no {version[0]}.x: {', '.join(node.version for node in nodes)}")


def _image(version: str) -> str:
    """The newest image of that major version that Docker has, or nothing."""
    if not shutil.which("docker"):
        return ""
    asked = ["docker", "images", "--format", "{{.Repository}}:{{.Tag}}", IMAGE]
    listed = subprocess.run(asked, capture_output=True, text=True, timeout=20, check=False)
    found = re.findall(rf"^{re.escape(IMAGE)}:({version[0]}(?:\.\d+)+)$", listed.stdout, re.MULTILINE)
    newest = max(found, key=lambda tag: [int(part) for part in tag.split(".")], default="")
    return f"{IMAGE}:{newest}" if newest else ""


def _with_open_tmp() -> list[str]:
    """As root the node runs as another user, whose launcher writes to /tmp: where that is closed, give it its own."""
    if os.geteuid() or Path("/tmp").stat().st_mode & stat.S_IWOTH:
        return []
    return ["unshare", "--mount", "sh", "-c", 'mount -t tmpfs -o mode=1777 tmpfs /tmp && exec "$@"', "sh"]


def _output(command: list[str]) -> str:
    # The scripts keep what they set up in the user's own cache, not in the one of these tests.
    env = {name: value for name, value in os.environ.items() if name != "XDG_CACHE_HOME"}
    done = subprocess.run(command, capture_output=True, text=True, timeout=900, check=False, env=env)
    if done.returncode:
        text = f"{' '.join(command)}: {(done.stderr or done.stdout).strip()[-3000:]}"
        if os.environ.get("CI") == "true":
            pytest.fail(text)
        pytest.skip(text)
    return done.stdout
