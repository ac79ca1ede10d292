"""What follows from the facts: differences, guardrails, the split, and what is concluded."""
