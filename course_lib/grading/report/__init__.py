"""What comes out: gradebook, feedback, triage, executed notebooks; pure functions of the results."""
