"""How data looks as text on a terminal."""
