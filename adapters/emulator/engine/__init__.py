"""What the emulated service holds: jobs, pools, quotas, time, faults."""
