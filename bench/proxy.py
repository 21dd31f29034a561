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

from bench.proxy_clients import first_tokens, silences
from bench.proxy_servers import NAME, Server, bare, cores, engine, ours
from bench.table import Row
from bench.wrk import Load, Wrk
from tests.counterparts.certificates import Authority, Certificate
from tests.serving.nginx.running import TOKEN

TURNS = 9
TOKENS = (10, 100, 1000)
# As many as the proxy keeps open to the engine.
_BUSY = 32


def measured(place: Path, silence: int) -> Iterator[Row]:
    """All rows. ``silence`` is in seconds; files of the servers lie below ``place``."""
    place.mkdir(parents=True)
    certificate = Authority(place / "authority").server(NAME)
    with silences(place / "silence", certificate, silence) as silent:
        wrk = Wrk(place, TOKEN, cores()[0])
        with engine(place / "engine") as behind:
            yield from _beside_bare(place, behind, certificate, wrk)
            yield from _many_tokens(place, behind, certificate, wrk)
        yield from _first_token(place, certificate)
        yield silent()


def _beside_bare(place: Path, behind: Server, certificate: Certificate, wrk: Wrk) -> Iterator[Row]:
    with (
        bare(place / "bare", behind, certificate) as plain,
        ours(place / "ours", behind.base.removeprefix("http://"), certificate) as proxy,
    ):
        sides = {"bare": plain, "ours": proxy}
        rates, costs = _loaded(wrk, sides)
        ratios = [one["ours"] / one["bare"] for one in rates]
        per = " and ".join(f"{_middle(costs, name) * 1e6:.0f} µs of processor ({name})" for name in sides)
        yield Row("requests a second, ours / bare proxy_pass", median(ratios), "at least", 0.9, detail=_spread(ratios))
        extra = [one["bare"] / one["ours"] for one in costs]
        yield Row("requests a second of processor time, ours / bare", median(extra), detail=f"{per} for a request")
        everybody = {"direct": behind, **sides}
        calm = [_turn(everybody, lambda one: wrk.run(one.base, connections=1, seconds=1)) for _ in range(TURNS)]
        for name in ("direct", "bare"):
            added = [(one["ours"].median - one[name].median) * 1e3 for one in calm]
            what = "median latency, ours - " + {"direct": "the engine, called directly", "bare": "bare"}[name]
            yield Row(what, median(added), "at most", 0.3, " ms", detail=_spread(added))


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
