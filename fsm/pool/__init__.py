"""Rules about the warm pool: its owner, its keep-alive, its quota."""
