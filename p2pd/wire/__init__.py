"""The bytes between two nodes: frames, messages and the legal order of them. Pure: no socket, no clock."""
