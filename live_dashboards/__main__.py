"""`python -m live_dashboards`."""

import sys

from live_dashboards.cli import main

sys.exit(main())
