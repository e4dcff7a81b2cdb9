"""The judge's side: it owns the world and every observation, in a box of its own."""
