"""The page's interactive charts: each panel is one module with `figure(report)`, a plain dict for the
browser, listed in `charts.all`.
"""
