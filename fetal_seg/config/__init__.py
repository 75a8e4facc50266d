"""What every key is: its type, its range, its default. At the bottom: everything may import it."""
