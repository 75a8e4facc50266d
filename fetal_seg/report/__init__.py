"""Tables, plots and pictures of what a run left in its folder. Knows no Lightning and no Hydra."""
