"""The proxy's figures: requests a second and latency beside a bare ``proxy_pass``, the cost of many tokens, the first
token of a stream, and a silence as long as engines keep it.

All sides take turns and every figure is the median of ratios (or of differences) within one turn, for the machine may
be doing something else at any time; the detail says how far apart the turns were.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import Literal

from bench.proxy_clients import first_tokens, silences
from bench.proxy_servers import NAME, Server, bare, cores, engine, ours
from bench.table import Row
from bench.wrk import Load, Wrk
from tests.counterparts.certificates import Authority, Certificate
from tests.serving.nginx.running import TOKEN

TURNS = 9
# The question of an agent, its instructions, tools and some alerts, some 8,000 tokens; and a short question.
PROMPTS = {"32 KB": 32_000, "2 KB": 2_000}
TOKENS = (10, 100, 1000)
# As many as the proxy keeps open to the engine.
_BUSY = 32


def measured(place: Path, silence: int) -> Iterator[Row]:
    """All rows. ``silence`` is in seconds; files of the servers lie below ``place``."""
    place.mkdir(parents=True)
    certificate = Authority(place / "authority").server(NAME)
    with silences(place / "silence", certificate, silence) as silent:
        loads = {what: Wrk(place, TOKEN, cores()[0], prompt) for what, prompt in PROMPTS.items()}
        with engine(place / "engine") as behind:
            yield from _beside_bare(place, behind, certificate, loads)
            yield from _many_tokens(place, behind, certificate, loads["32 KB"])
        yield from _first_token(place, certificate)
        yield silent()


def _beside_bare(place: Path, behind: Server, certificate: Certificate, loads: Mapping[str, Wrk]) -> Iterator[Row]:
    with (
        bare(place / "bare", behind, certificate) as as_ours,
        bare(place / "plain", behind, certificate, plain=True) as plain,
        ours(place / "ours", behind.base.removeprefix("http://"), certificate) as proxy,
    ):
        sides = {"bare": as_ours, "plain": plain, "ours": proxy}
        for what, wrk in loads.items():
            yield from _rates(what, *_loaded(wrk, sides))
        yield from _latencies(loads["32 KB"], {"direct": behind, **sides})


def _rates(what: str, rates: list[dict[str, float]], costs: list[dict[str, float]]) -> Iterator[Row]:
    ratios = [one["ours"] / one["bare"] for one in rates]
    target: tuple[Literal["at least", ""], float] = ("at least", 0.9) if what == "32 KB" else ("", 0)
    cost = ", ".join(f"{name} {_middle(costs, name) * 1e6:.0f} µs" for name in costs[0])
    extra = median(one["bare"] / one["ours"] for one in costs)
    detail = f"{_spread(ratios)}; processor time for a request: {cost}, bare / ours {extra:.3f}"
    yield Row(f"requests a second, prompt of {what}: ours / bare proxy_pass", median(ratios), *target, detail=detail)
    plain = [one["ours"] / one["plain"] for one in rates]
    yield Row("the same: ours / proxy_pass as Nginx is", median(plain), detail=_spread(plain))


def _latencies(wrk: Wrk, sides: Mapping[str, Server]) -> Iterator[Row]:
    calm = [_turn(sides, lambda one: wrk.run(one.base, connections=1, seconds=1)) for _ in range(TURNS)]
    for name, what in {"bare": "a bare proxy_pass", "direct": "the engine, called directly without TLS"}.items():
        added = [(one["ours"].median - one[name].median) * 1e3 for one in calm]
        sense: Literal["at most", ""] = "at most" if name == "bare" else ""
        yield Row(f"median latency, ours - {what}", median(added), sense, 0.3, " ms", detail=_spread(added))


def _many_tokens(place: Path, behind: Server, certificate: Certificate, wrk: Wrk) -> Iterator[Row]:
    with ExitStack() as stack:
        address = behind.base.removeprefix("http://")
        sides = {
            str(count): stack.enter_context(ours(place / f"tokens-{count}", address, certificate, count))
            for count in (0, *TOKENS)
        }
        rates, costs = _loaded(wrk, sides)
        for count in TOKENS:
            ratios = [one[str(count)] / one["0"] for one in rates]
            cost = median(one[str(count)] / one["0"] for one in costs)
            detail = f"{_spread(ratios)}; {cost:.3f} of the processor time"
            yield Row(f"requests a second, {count} tokens / 2 tokens", median(ratios), "at least", 0.95, detail=detail)


def _first_token(place: Path, certificate: Certificate) -> Iterator[Row]:
    for what, added in first_tokens(place / "streams", certificate, TURNS).items():
        yield Row(f"first token, {what}, ours - direct", median(added), "at most", 20, " ms", detail=_spread(added))


def _loaded(wrk: Wrk, sides: Mapping[str, Server]) -> tuple[list[dict[str, float]], list[dict[str, float]]]:
    """Requests a second, and seconds of processor time for a request, of every turn."""
    rates, costs = [], []
    _turn(sides, lambda one: wrk.run(one.base, connections=_BUSY, seconds=1))
    for _ in range(TURNS):
        before = {name: one.cpu for name, one in sides.items()}
        turn = _turn(sides, lambda one: wrk.run(one.base, connections=_BUSY, seconds=1))
        rates.append({name: load.rate for name, load in turn.items()})
        costs.append({name: (one.cpu - before[name]) / turn[name].requests for name, one in sides.items()})
    return rates, costs


def _turn(sides: Mapping[str, Server], side: Callable[[Server], Load]) -> dict[str, Load]:
    return {name: side(server) for name, server in sides.items()}


def _middle(turns: list[dict[str, float]], name: str) -> float:
    return median(one[name] for one in turns)


def _spread(values: list[float]) -> str:
    return f"{len(values)} turns, from {min(values):.3g} to {max(values):.3g}"
