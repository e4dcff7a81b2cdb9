"""How judge and learner talk: values, lines, sessions, and the handles of a world."""
