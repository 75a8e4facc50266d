"""How a network is trained: Lightning."""
