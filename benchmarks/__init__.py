"""What the README says about speed; ``make bench`` prints it."""
