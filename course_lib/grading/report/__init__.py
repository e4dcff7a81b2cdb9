"""What comes out: gradebook, feedback, triage, notebooks; pure functions of the results."""
