"""Whether a name or an address is this machine's own."""

from ipaddress import ip_address


def is_loopback(host: str) -> bool:
    """Of a name or an address, without a port."""
    if host.lower().rstrip(".") == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
