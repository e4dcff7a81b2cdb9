"""The exercises of chapter 21, one a module."""
