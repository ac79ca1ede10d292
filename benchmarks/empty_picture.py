"""What the A/B command cannot do without: imports the same packages and saves an empty picture of the same size."""

from __future__ import annotations

import sys

import dotenv  # noqa: F401 # imported for what it costs, like the others
import numpy as np  # noqa: F401
import pandas as pd  # noqa: F401
import psycopg2  # noqa: F401
import requests  # noqa: F401
import seaborn as sns  # noqa: F401
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

figure = Figure(figsize=(16, 10), dpi=300)
FigureCanvasAgg(figure)
figure.savefig(sys.argv[1], format="png", dpi=300)
