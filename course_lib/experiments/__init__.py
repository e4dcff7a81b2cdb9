"""The experiments behind the sliders: one module a chapter, each function from settings to a Trace.

They join a chapter's system, the lab and the pictures; the notebook shows them from here.
"""
