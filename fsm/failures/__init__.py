"""Reads why a job failed: tracebacks, evidence, the taxonomy, the fingerprint."""
