"""A loop in the user's own account: AWS Lambda durable functions take its turns, one table has its rows."""
