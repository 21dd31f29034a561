"""What happens at the proxies: some 150 requests, so that no panel is empty. Each says who gave its answer."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timezone
from functools import partial
from itertools import cycle, islice
from typing import Any, Final

from tests.dashboards.panels.callers import Callers
from tests.dashboards.panels.diary import Call, Diary, Event
from tests.dashboards.panels.site import EDGE, PanelSite
from tests.package.end_to_end.clients import CHAT
from tests.package.end_to_end.site import MODELS

Answer = Callable[[], Call]
LABELS: Final = ("kibana", "agents", "kibana", "kibana.old")
CITIES: Final = (
    ("81.2.69.142", "United Kingdom", (51.5142, -0.0931)),
    ("81.2.69.144", "United Kingdom", (51.5142, -0.0931)),
    ("89.160.20.112", "Sweden", (58.4167, 15.6167)),
    ("216.160.83.56", "United States", (47.2513, -122.3149)),
)
"""Addresses of MaxMind's public test data, and where it says that they are."""
_LARGE: Final = "Content-Length: 33554433"


def lived(site: PanelSite) -> Diary:
    """The day, without what the engines write into their own logs."""
    diary = Diary()
    with Callers(site) as callers:
        for part in (_calm, _slow, _refused, _left, _broken, _studio):
            diary.calls += part(callers, site)
    studio = f"127.0.0.1:{site.lmstudio.port}"
    diary.addresses = {"vllm": site.engine.address, "lmstudio": studio, EDGE: site.breaking.address}
    _from_outside(diary, site)
    _told(diary, site)
    return diary


def _calm(callers: Callers, site: PanelSite) -> list[Call]:
    site.engine.conduct.stall = 0.05
    calls = [partial(callers.chat, "vllm", label) for label in _labels(30)]
    calls += [partial(callers.stream, "vllm", label) for label in _labels(8)]
    calls += [partial(callers.embed, label) for label in _labels(6)]
    calls += [partial(callers.models, "vllm", label) for label in _labels(6)]
    return _all(calls)


def _slow(callers: Callers, site: PanelSite) -> list[Call]:
    """Answers of a third of a second, and a few of half of one: after a whole one the proxy gives up."""
    done = []
    for count, stall in ((14, 0.3), (6, 0.5)):
        site.engine.conduct.stall = stall
        done += _all([partial(callers.chat, "vllm", label) for label in _labels(count)])
    return done


def _refused(callers: Callers, site: PanelSite) -> list[Call]:
    """By the proxy: no token, a wrong one, what it does not show, too much, too often; and by the engine."""
    site.engine.conduct.stall = 0
    hand = callers.by_hand
    done = _all([partial(callers.chat, "vllm", "") for _ in range(5)])
    done += _all([partial(hand, f"POST {CHAT} HTTP/1.1", "vllm", "", CHAT) for _ in range(3)])
    done += _all([partial(hand, "GET /docs HTTP/1.1", "vllm", label, "/docs") for label in _labels(4)])
    done += _all([partial(hand, f"DELETE {CHAT} HTTP/1.1", "vllm", label, CHAT) for label in _labels(2)])
    done += _all([partial(hand, f"POST {CHAT} HTTP/1.1", "vllm", x, CHAT, None, _LARGE) for x in _labels(3)])
    done += _all([partial(hand, "GET /v1/models HTTP", "vllm", "", "") for _ in range(2)])
    often = [callers.stream(EDGE, "agents", asked=False) for _ in range(8)]
    assert {one.status for one in often} == {429, 502}, "the limit of the third proxy is not met"
    done += [one for one in often if one.status == 429]
    done = [replace(one, ended_by="proxy") for one in done]
    for status in (403, 429):
        site.engine.conduct.refuse = (status, "not now")
        done += _all([partial(callers.chat, "vllm", label) for label in _labels(2)])
    site.engine.conduct.refuse = None
    return done + [replace(one, ended_by="failed") for one in often if one.status == 502]


def _left(callers: Callers, site: PanelSite) -> list[Call]:
    """Clients that leave, before an answer and in it."""
    conduct = site.engine.conduct
    conduct.stall = 0.8
    done = _all([partial(callers.stream, "vllm", label, leave=True, asked=False) for label in _labels(3)])
    conduct.stall, conduct.gap = 0, 0.3
    done += _all([partial(callers.stream, "vllm", label, leave=True) for label in _labels(2)])
    conduct.gap = 0
    return done


def _broken(callers: Callers, site: PanelSite) -> list[Call]:
    """The engine is too late, falls silent in its answer, breaks off in it."""
    conduct = site.engine.conduct
    conduct.stall = 1.5
    done = _all([partial(callers.chat, "vllm", label) for label in _labels(3)])
    conduct.stall, conduct.gap = 0, 1.5
    done += _all([partial(callers.stream, "vllm", label) for label in _labels(2)])
    conduct.gap = 0
    done += [callers.stream(EDGE, "kibana") for _ in range(2)]
    return [replace(one, ended_by="failed") for one in done]


def _studio(callers: Callers, site: PanelSite) -> list[Call]:
    """LM Studio, which is down for a while."""
    first, second = MODELS
    calls = [partial(callers.chat, "lmstudio", label, first) for label in _labels(9)]
    calls += [partial(callers.chat, "lmstudio", label, second) for label in _labels(5)]
    calls += [partial(callers.stream, "lmstudio", label, second) for label in _labels(4)]
    calls += [partial(callers.chat, "lmstudio", label, "nobody/none") for label in _labels(2)]
    calls += [partial(callers.models, "lmstudio", label) for label in _labels(2)]
    done = _all(calls)
    site.lmstudio.stop()
    down = _all([partial(callers.chat, "lmstudio", label, first) for label in _labels(4)])
    return done + [replace(one, ended_by="failed") for one in down]


def _from_outside(diary: Diary, site: PanelSite) -> None:
    """Lines of callers with public addresses, for no address of a test is one: as Nginx writes them, by hand."""
    time.sleep(0.3)  # Nginx keeps its lines for a tenth of a second
    path = site.logs("vllm") / "access.json.log"
    good: dict[str, Any] = json.loads(path.read_text(encoding="utf-8").splitlines()[0])
    with path.open("a", encoding="utf-8") as log:
        for number, (address, country, place) in enumerate(islice(cycle(CITIES), 9)):
            name, now, ok = secrets.token_hex(16), time.time(), number % 3 != 2
            line = good | {"epoch": round(now, 3), "request_id": name, "remote_addr": address, "path": CHAT}
            line |= {"method": "POST", "bytes": 100, "tls_version": "TLSv1.2", "user_agent": "kibana/9.4"}
            line |= {"time": datetime.fromtimestamp(now, timezone.utc).isoformat(timespec="seconds"), "duration": 0.05}
            if not ok:
                line |= {"status": 401, "token": "", "upstream": "", "upstream_status": ""}
                line |= {f"upstream_{what}_time": "" for what in ("connect", "header", "response")}
            log.write(json.dumps(line, separators=(",", ":")) + "\n")
            made = Call("vllm", 200 if ok else 401, CHAT, line["token"], now, now, "engine" if ok else "proxy", name)
            told = replace(made, bytes=100, agent="kibana/9.4", source=address, tls="1.2", country=country)
            diary.calls.append(replace(told, place=place))


def _told(diary: Diary, site: PanelSite) -> None:
    """What the error log says of the calls, and two clients that hung up, which Nginx tells at level info alone."""
    met = {413: "body_too_large", 504: "upstream_timeout", 429: "limit_requests"}
    for one in diary.calls:
        code, reading = met.get(one.status, "") if one.ended_by != "engine" else "", False
        if one.status == 502:
            code = "upstream_reset" if one.proxy == EDGE else "upstream_refused"
        if one.cut:
            code, reading = "upstream_reset" if one.proxy == EDGE else "upstream_timeout", True
        if code:
            diary.errors.append(Event(one.ended, code, one.path, True, code, {"reading": reading, "id": one.id}))
    path = site.logs("vllm") / "error.log"
    with path.open("a", encoding="utf-8") as log:
        for number in range(2):
            now = datetime.now().strftime("%Y/%m/%d %H:%M:%S")
            said = "client prematurely closed connection (104: Connection reset by peer) while reading upstream"
            log.write(
                f'{now} [info] 7#7: *9000{number} {said}, client: 127.0.0.1, server: x, request: "GET / HTTP/1.1"\n'
            )
            facts = {"reading": True, "id": "", "connection": f"9000{number}"}
            diary.errors.append(Event(time.time(), "client_abort", "/", True, "client_abort", facts))


def _labels(count: int) -> Iterator[str]:
    return islice(cycle(LABELS), count)


def _all(calls: Sequence[Answer]) -> list[Call]:
    """Do these, some at a time."""
    with ThreadPoolExecutor(4) as pool:
        return list(pool.map(lambda call: call(), calls))
