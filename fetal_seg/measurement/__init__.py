"""What one image gives: biometry, and whether it can be trusted. Knows neither torch nor files."""
