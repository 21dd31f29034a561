"""What wrk prints, as it printed it; and that wrong answers are no figures."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.proxy_servers import cores, engine
from bench.wrk import Load, Wrk, parse

PRINTED = """\
Running 1s test @ https://localhost:38405/v1/chat/completions
  1 threads and 32 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     1.53ms  812.00us  12.31ms   88.10%
    Req/Sec    21.40k     2.11k   24.03k    70.00%
  Latency Distribution
     50%    1.37ms
     75%    1.71ms
     90%    2.20ms
     99%    4.80ms
  21301 requests in 1.00s, 17.43MB read
Requests/sec:  21288.07
Transfer/sec:     17.42MB
"""


def test_figures_are_read() -> None:
    assert parse(PRINTED) == Load(21301, 21288.07, 1.37 * 1e-3)
    assert parse(PRINTED.replace("1.37ms", "370.00us")).median == pytest.approx(0.00037)
    assert parse(PRINTED.replace("1.37ms", "1.37s")).median == pytest.approx(1.37)


@pytest.mark.parametrize(
    "words", ["  Non-2xx or 3xx responses: 3", "  Socket errors: connect 0, read 4, write 0, timeout 0"]
)
def test_wrong_answers_are_no_figures(words: str) -> None:
    with pytest.raises(SystemExit, match="wrk was not answered as it should be"):
        parse(PRINTED.replace("Requests/sec", f"{words}\nRequests/sec"))
    with pytest.raises(SystemExit, match="wrk was not answered"):
        parse("unable to connect to localhost:1 Connection refused\n")


def test_wrk_is_understood(tmp_path: Path) -> None:
    with engine(tmp_path / "engine") as server:
        before = server.cpu
        load = Wrk(tmp_path, "token", cores()[0], 2000).run(server.base, connections=2, seconds=1)
        assert server.cpu > before
    assert load.requests > 100
    assert 0 < load.median < 1
