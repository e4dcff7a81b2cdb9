"""Answers That Run: 36 backend interview questions, each answered by a running system."""
