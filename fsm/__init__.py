"""The domain: the machine, its activities, and the rules of money and matching."""
