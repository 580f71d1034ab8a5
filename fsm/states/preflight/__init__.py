"""Preflight: everything that can be checked before a job is paid."""
