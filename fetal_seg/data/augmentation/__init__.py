"""What is done to training images."""
