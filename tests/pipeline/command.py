"""What tests of the command share."""


def at(worlds):
    return ("--at", f"{worlds.end:.0f}")
