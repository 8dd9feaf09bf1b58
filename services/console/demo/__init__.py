"""`sluice demo`: the whole of Sluice on one machine, from nothing, told as a short story."""
