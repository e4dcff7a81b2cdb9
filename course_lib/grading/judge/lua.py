"""Redis scripts come from learners, and fakeredis runs them inside the judge: close what they open.

A plain lupa runtime hands Python itself to Lua (`python.eval`), with files, processes and byte code
that nobody checks. Real Redis has none of that. Left out: time; the judge's own alarm ends a script
that does not.
Source: lupa's README, "Restricting access"; redis.io, "Lua API reference".
"""

from typing import Any

import lupa.lua51  # type: ignore[import-untyped]

__all__ = ["close"]

MEMORY = 64 << 20  # bytes for all scripts of one Redis
CLOSE = """
for _, name in ipairs({'python', 'os', 'io', 'package', 'require', 'module', 'debug', 'dofile',
                       'loadfile', 'load', 'loadstring', 'newproxy', 'print', 'getfenv', 'setfenv',
                       'jit', 'ffi'}) do
  _G[name] = nil
end
string.dump = nil
local metatable = getmetatable
getmetatable = function(value) return type(value) ~= 'userdata' and metatable(value) or nil end
"""


def _refuse(target: object, name: object, setting: bool) -> object:
    raise AttributeError("Lua sees no attributes of Python objects here")


_Open: Any = lupa.lua51.LuaRuntime


class _Closed(_Open):  # type: ignore[misc]
    """A Lua runtime as Redis has it: strings, tables and mathematics."""

    def __new__(cls, **options: Any) -> Any:
        options |= {"register_eval": False, "register_builtins": False, "max_memory": MEMORY}
        runtime = super().__new__(cls, attribute_filter=_refuse, **options)
        _Open.execute(runtime, CLOSE)
        return runtime

    def __init__(self, **options: Any) -> None:
        """Everything was said when it was made."""

    def execute(self, code: Any, *arguments: Any) -> Any:
        """Run source text; byte code is refused."""
        head = code[:1]
        if head in (b"\x1b", "\x1b"):
            raise lupa.lua51.LuaError("byte code is not accepted")
        return super().execute(code, *arguments)


def close() -> None:
    """Let every Redis of this process run its scripts in a closed runtime."""
    lupa.lua51.LuaRuntime = _Closed
