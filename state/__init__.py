"""Persistence: one SQLite file, its schema, its owner, its history."""
