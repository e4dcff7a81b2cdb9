"""The Lua of the world's Redis: each script is compiled once, and garbage is collected as Lua does.

fakeredis compiles a script anew at each call and then collects all garbage. In a run that sends a
hundred requests, each one script, that is a third of the time. What a script does, and the text of
its errors, stays the same.
"""

from __future__ import annotations

from typing import Any

__all__ = ["KeptScripts"]


class KeptScripts:
    """A Lua runtime that keeps each script as a function; all else is the runtime's own."""

    def __init__(self, runtime: Any):
        self._runtime = runtime
        self._functions: dict[bytes, Any] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._runtime, name)

    def execute(self, source: bytes | str) -> Any:
        """Run a script; `...` is empty in it, as at the top of any chunk."""
        if source == "collectgarbage()":
            return None
        assert isinstance(source, bytes)
        if source not in self._functions:
            # On the first line, so that errors name the script's own lines. Inside a function no
            # byte code can stand, which Redis refuses too.
            function = b"return function(...) " + source + b"\nend"
            self._functions[source] = self._runtime.execute(function)
        return self._functions[source]()
