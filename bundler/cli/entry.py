"""Where the program begins. Nothing has been done while its modules are loaded: Ctrl-C then simply ends it.

Rules: nothing of ours and no library is imported at the top, so that there is no moment for a traceback.
"""

from __future__ import annotations

import signal


def run() -> None:
    """Load the command line, and hand over to it."""
    before = signal.getsignal(signal.SIGINT)
    if before != signal.SIG_IGN:  # as for what a script starts in the background
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from bundler.cli import main

    signal.signal(signal.SIGINT, before)
    main.run()


if __name__ == "__main__":
    run()
