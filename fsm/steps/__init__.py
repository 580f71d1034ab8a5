"""What several states do: each makes a call, writes a row or waits."""
