"""What stands behind the ports on this machine: its clock, signals, files and programs."""
