"""How a request is read: words, quantities, clauses, and one recogniser for each pattern."""
