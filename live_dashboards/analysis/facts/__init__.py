"""What the answers say: of each model, of its traffic, since when, and how old it is."""
