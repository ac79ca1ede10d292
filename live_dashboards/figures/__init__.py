"""Report to matplotlib figure, pure, without pyplot."""

VERSION = "0.1.0"
