"""`python -m live_dashboards`."""

import sys

from live_dashboards.app.cli import main

sys.exit(main())
