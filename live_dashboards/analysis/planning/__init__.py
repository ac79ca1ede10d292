"""A test before it starts: what is known of the baseline, and how long each gate takes."""
