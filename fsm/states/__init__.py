"""One module a state; each is an idempotent activity."""
