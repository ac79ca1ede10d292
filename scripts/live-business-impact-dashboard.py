#!/usr/bin/env python3
"""The business impact dashboard with all its options: `live-dashboards business` under any python3."""

import runpy
from pathlib import Path

runpy.run_path(str(Path(__file__).resolve().with_name("_venv.py")))["run"](["business"])
