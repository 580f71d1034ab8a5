"""Submitting: takes the next trial and creates its job, or adopts it."""
