#!/usr/bin/env python3
"""Tests the connections: every check one line, with the fix: `live-dashboards check` under any python3."""

import runpy
from pathlib import Path

runpy.run_path(str(Path(__file__).resolve().with_name("_venv.py")))["run"](["check"])
