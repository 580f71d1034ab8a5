"""The operations that a client calls, and the wire that they arrive on."""
