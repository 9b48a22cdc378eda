"""What an experiment says after its runs: effects, variance, surfaces, and whether the fit may be believed."""
