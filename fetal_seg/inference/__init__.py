"""From grey images to masks and ellipses, whatever runs the network. Knows no Lightning."""
