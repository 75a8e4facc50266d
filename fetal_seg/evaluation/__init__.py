"""How good predictions are, and which of many runs is better. Draws nothing, knows no Lightning."""
