"""Verifying: reads the pool until its fate is decided."""
