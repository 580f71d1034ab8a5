"""AWS behind the ports: boto3, and the SageMaker SDK in a process of its own."""
