"""Tools for those who run and build the course: python3 -m tools help."""
