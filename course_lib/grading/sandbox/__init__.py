"""The boundary between a learner's code and everything else: bubblewrap, jails, limits."""
