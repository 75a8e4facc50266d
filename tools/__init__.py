"""What makes and checks the released weights."""
