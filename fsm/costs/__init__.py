"""What a job, a loop and a plan cost: seconds and dollars, and what the limits admit."""
