"""Plain frozen values that travel between the stages; standard library only."""
