"""What a loop looks like as data: the JSON that every verb prints."""

SCHEMA = "wpfsm/1"
"""The `schema` of every document."""
