r"""The proxy's logs: combined, as Elastic's own Nginx integration reads it, and one JSON object a line.

Rules: no token, no prompt, no value of a query in either. A path or a user agent with a run of 40 characters that a
token could be made of is masked; what is not plain ASCII is not shown, for JSON must be UTF-8. The user of the
combined form is the label of the token. ``token`` of a token that was replaced is ``<label>.old``.

JSON fields: time, epoch, request_id, remote_addr, token, method, path, protocol, status, request_bytes, bytes,
duration, complete (false: the client hung up), upstream, upstream_status, upstream_connect_time,
upstream_header_time (about the time of the first byte), upstream_response_time, tls_version, tls_cipher, user_agent,
connection. Times in seconds; those of the upstream are texts, since each upstream that was tried adds one ("0.1, 2.5").
"""

from __future__ import annotations

from typing import Final

from bundler.serving.nginx.config import ProxyConfig

# One write for many lines when there are many. Who kills Nginx loses the lines of a tenth of a second.
_BUFFER: Final = "buffer=64k flush=100ms"
ACCESS, JSON, ERROR = "access.log", "access.json.log", "error.log"

# {40}: our tokens have 43 characters.
# Regular expressions are most of what a request costs here, so a good request meets as few of them as can be: its path
# is that of the list, and what cannot be masked is tried first.
MAPS = r"""
map $llm_path $llm_logged_path {
    default $llm_path;
    "" $llm_other_path;
}
map $request_uri $llm_other_path {
    default "[not-shown]";
    "" "-";
    "~^[^?]*[A-Za-z0-9_-]{40}" "[masked]";
    "~^(?<llm_plain_path>[!->@-~]{1,256})(?:\?|\z)" $llm_plain_path;
}
map $http_user_agent $llm_logged_agent {
    default "[not-shown]";
    "" "-";
    "~^(?![^\x00]*[A-Za-z0-9_-]{40})(?<llm_plain_agent>[ -~]{1,256})\z" $llm_plain_agent;
    "~[A-Za-z0-9_-]{40}" "[masked]";
}
# $request_method is GET once Nginx has gone to the page of an error.
map $request $llm_method {
    default "";
    "~^(?<llm_plain_method>[A-Z_-]{1,24}) " $llm_plain_method;
}
map $llm_method $llm_line {
    default "$llm_method $llm_logged_path $server_protocol";
    "" "-";
}
# Nginx knows no protocol of a request line that it cannot read.
map $server_protocol $llm_request {
    default $llm_line;
    "" "-";
}
map $llm_token $llm_logged_token {
    default $llm_token;
    "" "-";
}
map $request_completion $llm_complete {
    default false;
    OK true;
}
map $status $llm_status {
    default $status;
    000 0;
    009 0;
}
# Refused before the error log could name the address; asked anew after an internal redirect.
map "$uri?$args" $llm_shows_token {
    volatile;
    default "";
    "~[A-Za-z0-9_-]{40}" 1;
}
log_format llm_combined '$remote_addr - $llm_logged_token [$time_local] '
    '"$llm_request" $status $body_bytes_sent "-" "$llm_logged_agent"';
log_format llm_json escape=json '{"time":"$time_iso8601","epoch":$msec,"request_id":"$request_id",'
    '"remote_addr":"$remote_addr","token":"$llm_token","method":"$llm_method","path":"$llm_logged_path",'
    '"protocol":"$server_protocol","status":$llm_status,"request_bytes":$request_length,"bytes":$body_bytes_sent,'
    '"duration":$request_time,"complete":$llm_complete,"upstream":"$upstream_addr",'
    '"upstream_status":"$upstream_status","upstream_connect_time":"$upstream_connect_time",'
    '"upstream_header_time":"$upstream_header_time","upstream_response_time":"$upstream_response_time",'
    '"tls_version":"$ssl_protocol","tls_cipher":"$ssl_cipher","user_agent":"$llm_logged_agent",'
    '"connection":$connection}';
"""


def log_lines(config: ProxyConfig) -> list[str]:
    """Lines for a server: where it logs."""
    return [
        f'access_log "{config.log_folder}/{ACCESS}" llm_combined {_BUFFER};',
        f'access_log "{config.log_folder}/{JSON}" llm_json {_BUFFER};',
        error_line(config),
    ]


def error_line(config: ProxyConfig) -> str:
    """Where a server's errors go."""
    return f'error_log "{config.log_folder}/{ERROR}" warn;'


def logrotate(config: ProxyConfig) -> str:
    """The file for /etc/logrotate.d. Without a command that opens the logs anew they are copied and cut."""
    after = ["    copytruncate"]
    if config.reopen:
        after = ["    create", "    sharedscripts", "    postrotate", f"        {config.reopen}", "    endscript"]
    settings = ["daily", "rotate 14", "maxsize 100M", "compress", "delaycompress", "missingok", "notifempty"]
    folder = config.host_logs or config.log_folder
    lines = [f'"{folder}"/*.log {{', *(f"    {line}" for line in settings), *after, "}"]
    return "\n".join(lines) + "\n"
