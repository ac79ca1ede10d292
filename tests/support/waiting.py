"""Waiting for what another thread or process does, as long as a busy machine needs."""

import time

LONGEST_SECONDS = 20.0


def wait_until(holds, what="it"):
    """What `holds` gives once it is true; a failure where it never is."""
    give_up = time.monotonic() + LONGEST_SECONDS
    while True:
        found = holds()
        if found:
            return found
        assert time.monotonic() < give_up, f"{what} did not happen"
        time.sleep(0.01)
