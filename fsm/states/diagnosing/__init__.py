"""Diagnosing: reads the outcome, patches a failure or hands it off."""
