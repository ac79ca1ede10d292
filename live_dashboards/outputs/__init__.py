"""Files: image, summary, sidecars."""
