"""Live calls: their page, and what one can do to a call."""
