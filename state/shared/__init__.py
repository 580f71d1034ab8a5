"""Persistence for a team: the rows of every loop in one DynamoDB table, what is large in S3."""
