"""JSON whose texts are whole: it can write half a character, which no other text holds and no request can
send on.
"""

from __future__ import annotations

import json
import re
from typing import Any

_HALF_PAIR = re.compile(rb"\\u[dD][89a-fA-F]")  # of a surrogate pair; whole pairs begin alike


def parse_json(body: bytes) -> Any:
    """What a body in UTF-8 holds; ValueError where it is no JSON, too deep, or holds half a character."""
    try:
        found = json.loads(body.decode("utf-8-sig"))  # strictly, as `loads` of bytes lets half a pair in
        if _HALF_PAIR.search(body):
            json.dumps(found, ensure_ascii=False).encode()
    except RecursionError as error:
        raise ValueError("JSON of endless depth") from error
    except UnicodeEncodeError as error:
        raise ValueError("JSON with what is no text") from error
    return found
