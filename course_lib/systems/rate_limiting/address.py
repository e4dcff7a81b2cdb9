"""Whose request is it, behind proxies: count from the right.

Each proxy appends the address that it saw to X-Forwarded-For. With `trusted_proxies` of your own in
front, the entry that the outermost of them wrote is that many from the right; everything further
left was written by the client and can say anything.
Leaves out: the Forwarded field (RFC 7239), and proxies that one can walk around: if the service can
be reached directly, no header can be trusted.
Source: RFC 7239, section 8.1; https://adam-p.ca/blog/2022/03/x-forwarded-for/
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

__all__ = ["client_address"]


def client_address(forwarded: Sequence[str], peer: str, trusted_proxies: int = 0) -> str:
    """The client's address from all X-Forwarded-For fields, in order, and the connection's `peer`.

    IPv6 clients own a whole /64, so that is what is given back. A chain that is too short, or an
    entry that is no address, falls back to `peer`: one shared limit rather than none.

    >>> client_address(["1.2.3.4, 203.0.113.7"], peer="10.0.0.1", trusted_proxies=1)
    '203.0.113.7'
    >>> client_address(["1.2.3.4"], peer="2001:db8::7", trusted_proxies=0)
    '2001:db8::/64'
    """
    chain = [entry.strip() for field in forwarded for entry in field.split(",")] + [peer]
    if trusted_proxies >= len(chain):
        return _network(peer) or peer
    return _network(chain[-1 - trusted_proxies]) or _network(peer) or peer


def _network(text: str) -> str | None:
    """An IPv4 address, or an IPv6 one's /64; None if it is neither. A port is left away."""
    host = text.partition("]")[0].lstrip("[") if text.startswith("[") else text
    if host.count(":") == 1:
        host = host.partition(":")[0]
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)
