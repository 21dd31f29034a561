"""Nginx's own configuration as we read it, beside what Nginx itself makes of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bundler.site.nginx.directives import Directive, default_servers, directives, include_folders, pid_path

MAIN = """\
user  nginx;  # include /etc/nginx/comment.d/*.conf;
pid "/run/with blank.pid";
include /usr/share/nginx/modules/*.conf;
events { worker_connections 1024; }
http {
    log_format main '$remote_addr "{ include quoted.d/*.conf; }" ${http_x} }';
    include mime.types;
    include /etc/nginx/sites-enabled/*;
    include conf.d/*.conf;
    include other.d/mine-*.conf;
    map $a $b { default "}"; include map.d/*.conf; "~^\\}" x; }
    server { include /etc/nginx/default.d/*.conf; location ~ /a}b { return 200 "{"; } }
    include "later.d/*.conf";
}
stream { include stream.d/*.conf; }
"""


def test_only_what_http_itself_includes_is_a_place_for_ours() -> None:
    found = include_folders(MAIN, Path("/etc/nginx"), "llm-bundle.conf")
    assert [str(path) for path in found] == ["/etc/nginx/conf.d", "/etc/nginx/sites-enabled", "/etc/nginx/later.d"]


def test_pid() -> None:
    assert pid_path(MAIN) == "/run/with blank.pid"
    assert pid_path("events {} http { pid x; }") == "x", "Nginx refuses it there, and we do not care"
    assert pid_path("") is None


def test_quotes_escapes_and_comments() -> None:
    text = 'a \'x;{\' "y\\"}" z\\;z; # c d;\nb {\n  c${d}e 1;\n}\nf;'
    assert list(directives(text)) == [
        Directive((), ("a", "x;{", 'y\\"}', "z\\;z")),
        Directive((), ("b",)),
        Directive(("b",), ("c${d}e", "1")),
        Directive((), ("f",)),
    ]


def test_who_is_default_server() -> None:
    dump = f"""\
# configuration file /etc/nginx/nginx.conf:
{MAIN}
# configuration file /etc/nginx/sites-enabled/default:
server {{
    listen 80 default_server;
    listen [::]:80 default_server;
    listen *:8080 default;
    listen 127.0.0.1:81 ssl default_server;
    listen 82;
    listen unix:/run/x.sock default_server;
    # listen 83 default_server;
    listen 99999 default_server;
}}
# configuration file /etc/nginx/conf.d/llm-bundle.conf:
server {{ listen 443 ssl default_server; }}
"""
    found = default_servers(dump, Path("/etc/nginx/conf.d/llm-bundle.conf"))
    assert sorted(found) == [("0.0.0.0", 80), ("0.0.0.0", 8080), ("127.0.0.1", 81), ("::", 80)]
    assert set(found.values()) == {"/etc/nginx/sites-enabled/default"}
    assert default_servers("", Path("/x")) == {}


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="a{};'\"\\# \n$*.", max_size=60))
def test_anything_is_read_to_its_end(text: str) -> None:
    for one in directives(text):
        assert one.words


@pytest.mark.parametrize(
    "text", ["{" * 20_000, "a" * 200_000 + ";", "'" + "\\x" * 50_000, "a\\" * 50_000, "$" * 50_000]
)
def test_hostile_files_cost_no_more_than_their_length(text: str) -> None:
    sum(1 for _ in directives(text))
