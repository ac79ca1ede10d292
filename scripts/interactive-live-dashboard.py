#!/usr/bin/env python3
"""The interactive web page on http://localhost:8050: `live-dashboards web` under any python3."""

import runpy
from pathlib import Path

runpy.run_path(str(Path(__file__).resolve().with_name("_venv.py")))["run"](["web"])
