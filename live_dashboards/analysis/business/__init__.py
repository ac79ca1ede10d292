"""What the challenger is worth: inputs, terms, uncertainty, and what is recommended."""
