"""A summary that was written before, read again and checked at the door."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from live_dashboards.errors import UsageError
from live_dashboards.outputs.summary_parts import SCHEMA_VERSION


def read_summary(path: Path, fix: str) -> dict[str, Any]:
    """The document; UsageError, with the fix, where it cannot be read or is no summary of this version."""
    try:
        document = json.loads(path.read_bytes())
    except OSError as error:
        raise UsageError(f"the summary {path} cannot be read: {error.strerror}; {fix}") from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"the summary {path} is not JSON; {fix}") from error
    if (
        not isinstance(document, dict)
        or "measurements" not in document
        or document.get("schema_version") != SCHEMA_VERSION
    ):
        raise UsageError(f"{path} is not a summary of this version; {fix}")
    return document
