"""A SageMaker endpoint on loopback that runs the jobs and keeps the pools."""
