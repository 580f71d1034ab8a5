"""The loop file: its model, how it is read, and what is wrong with it, with the line."""
