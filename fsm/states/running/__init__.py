"""Running: follows the job to its end."""
