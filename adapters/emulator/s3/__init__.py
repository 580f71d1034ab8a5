"""The S3 of the emulator: moto, and what is kept on disk."""
