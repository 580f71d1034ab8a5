"""How a job really runs: a subprocess or a container, its channels and artifacts."""
