"""What train, evaluate, predict and report do with a checked configuration. Knows no Hydra."""
