"""Chapter 28's exercises, one module each; they are found by themselves."""
