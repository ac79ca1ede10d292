"""Report to matplotlib figure, pure, without pyplot."""
