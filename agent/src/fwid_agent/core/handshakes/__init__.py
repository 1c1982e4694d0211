"""What a device says of itself when it begins to speak: TLS, DNS, DHCP, mDNS and SSDP.

Read only where `handshakes` is switched on, of what the device itself sends, and kept on the agent.
"""
