"""Chapter 18's exercises, one module each; they are found by themselves."""
