"""Nginx's versions, as far as the configuration depends on them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from bundler.errors import MachineError

_NUMBER = re.compile(r"(?:^|nginx/)(\d{1,4})\.(\d{1,4})(?:\.(\d{1,4}))?")


@dataclass(frozen=True, slots=True, order=True)
class NginxVersion:
    """A version, as in 1.22.1."""

    major: int
    minor: int
    patch: int = 0

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.patch}"

    @classmethod
    def parse(cls, text: str) -> NginxVersion:
        """What ``nginx -v`` prints (``nginx version: nginx/1.22.1``), or a version alone.

        Raises: MachineError when there is none, or when it is older than 1.20.
        """
        found = _NUMBER.search(text)
        if not found:
            raise MachineError(
                f"nginx: expected a version as in nginx/1.22.1, found {text[:80]!r}",
                hint="Is the program that was asked really nginx? nginx -v prints its version.",
            )
        version = cls(int(found[1]), int(found[2]), int(found[3] or 0))
        if version < OLDEST:
            raise MachineError(
                f"nginx {version} is older than {OLDEST}: it cannot refuse a handshake for a name that is not its own",
                hint="Install a newer one, or use the one in the bundle: proxy: {run: container}.",
            )
        return version

    @property
    def http2_directive(self) -> bool:
        """Whether ``http2 on`` is the way; before, ``listen … http2`` is (nginx.org, ngx_http_v2_module)."""
        return self >= NginxVersion(1, 25, 1)


OLDEST = NginxVersion(1, 20, 0)
