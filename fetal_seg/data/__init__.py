"""Records, where they come from, and how they reach a network. Knows files, no networks."""
