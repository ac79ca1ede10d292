"""An account without rights of its own, as root's tests need it to meet what everybody else meets."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

NOBODY = 65534


@contextmanager
def as_somebody_else() -> Iterator[None]:
    """This process without root's rights on files, for a moment."""
    own = os.geteuid()
    os.seteuid(NOBODY if own == 0 else own)
    try:
        yield
    finally:
        os.seteuid(own)
