"""The CreateTrainingJob request of a job: composed, locked, checked and compared."""
