"""A host's end of a connection as a daemon has it: a key each way over TLS, then sealed frames (`p2pd.world.sealed`).

Written out here for a socket that never waits, with its own few lines: ten thousand of them share one process with the
clock of the measurement.
"""

import os
import socket
import ssl
import struct
from typing import Final

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from p2pd.world.sealed import KEY_BYTES, NONCE_BYTES, PROTOCOL, TAG_BYTES

_LENGTH: Final = struct.Struct(">I")


class SealedLine:
    """Of a socket that has shaken hands. Verbs as of a socket that never waits."""

    def __init__(self, line: ssl.SSLSocket) -> None:
        if line.selected_alpn_protocol() != PROTOCOL:
            raise ConnectionError(f"the tracker does not speak {PROTOCOL}")
        key = os.urandom(KEY_BYTES)
        self._line, self._theirs, self._waiting = line, bytearray(), bytearray()
        self._sealer, self._sealed = AESGCM(key), 0
        self._opener, self._opened = self._sealer, 0
        line.send(key)

    def send(self, words: bytes) -> None:
        """As one frame, which the kernel takes as a whole."""
        head = _LENGTH.pack(len(words) + TAG_BYTES)
        frame = head + self._sealer.encrypt(self._sealed.to_bytes(NONCE_BYTES, "big"), words, head)
        self._sealed += 1
        socket.socket.send(self._line, frame)

    def recv(self, bytes_max: int) -> bytes:
        """What is in the frames that are whole; empty at their end; BlockingIOError or SSLWantReadError if none is."""
        if len(self._theirs) < KEY_BYTES:
            self._theirs += self._line.recv(KEY_BYTES - len(self._theirs))
            if len(self._theirs) < KEY_BYTES:
                raise BlockingIOError
            self._opener = AESGCM(bytes(self._theirs))
        if not (arrived := socket.socket.recv(self._line, bytes_max)):
            return b""
        self._waiting += arrived
        if not (words := b"".join(iter(self._next_frame, b""))):
            raise BlockingIOError
        return words

    def _next_frame(self) -> bytes:
        if len(self._waiting) < _LENGTH.size:
            return b""
        head = bytes(self._waiting[: _LENGTH.size])
        end = _LENGTH.size + _LENGTH.unpack(head)[0]
        if len(self._waiting) < end:
            return b""
        words = self._opener.decrypt(
            self._opened.to_bytes(NONCE_BYTES, "big"), bytes(self._waiting[_LENGTH.size : end]), head
        )
        self._opened += 1
        del self._waiting[:end]
        return words
