"""Networks, and the checkpoints they are kept in. Knows neither images nor Lightning."""
