"""The web page: the same report as the pictures, refreshed by itself for everybody who looks."""
