"""Releasing: discharges every obligation and writes the receipt."""
