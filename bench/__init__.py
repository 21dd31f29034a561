"""``make bench``: speed and memory of a build, beside curl, OpenSSL, dd and the way by hand; and what the proxy costs,
beside a bare ``proxy_pass``. ``python -m bench --only proxy`` makes the latter alone.

Every figure is a ratio within one run on one machine. All servers are on the loopback and share the cores with whoever
fetches from them, with curl as with us. Files that are read lie in the page cache for all sides alike.
"""
