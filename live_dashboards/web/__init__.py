"""The Dash page over the same report as the pictures, and who may see it."""
