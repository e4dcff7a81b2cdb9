"""The textbook: the mechanisms that the chapters teach, fit to paste into a service.

A module here imports the standard library and third-party packages, never the course's
instruments. Time comes from the running loop or from an injected clock.
"""
