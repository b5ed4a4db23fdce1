"""What follows a handshake between two of us: frames sealed with AES-256-GCM, under keys that were sent over TLS.

    TLS record   32 bytes: the sender's key for all that it sends from here on; just before its first frame
    frame        u32 length (big endian, of what follows) | sealed bytes | 16-byte tag
                 nonce: 12 bytes, the frame's number from 0 on; authenticated beside it: the length
                 a frame of the tag alone says that nothing more comes

Both ends agree on it in the handshake (ALPN); who does not offer it is spoken to in TLS as before. TLS does what it is
trusted for: who is there, and fresh secrets. What it costs is in its records of 16 KiB: each is a call into the library
for which the interpreter's lock is given up and taken again, and Python's OpenSSL has not the fastest code. A block is
one call here. And an idle connection keeps two keys, where a TLS one keeps 30 KB.
"""

import os
import struct
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from .network import Buffer
from .tls_pump import TlsError, TlsPump

PROTOCOL: Final = "p2pd-sealed/1"
"""Its name in the handshake."""
KEY_BYTES: Final = 32
TAG_BYTES: Final = 16
NONCE_BYTES: Final = 12
PLAIN_BYTES_MAX: Final = 256 * 1024
"""In one frame: a block, and what a peer may make us hold of a frame that is not whole."""
_LENGTH: Final = struct.Struct(">I")
NO_BYTES: Final = memoryview(b"")


class SealedFrames:
    """Takes the place of the pump that shook hands, with the same verbs."""

    leaves_rest = True

    def __init__(self, tls: TlsPump) -> None:
        key = os.urandom(KEY_BYTES)
        self._tls: TlsPump | None = tls
        """Until their key has come."""
        self._greeting = tls.seal(memoryview(key))
        self.resumed = tls.resumed
        self.ended = False
        self.sealed_bytes = 0
        self._sealer, self._sealed = AESGCM(key), 0
        self._opener, self._opened = self._sealer, 0
        self._their_key = bytearray()
        self.rest = NO_BYTES
        """Of what arrived: frames that are not whole, or were not asked for. A part of what `open` was given last."""
        self.more = False
        """A whole frame is among it, for which there was no room."""
        self._plain = NO_BYTES
        """Of an opened frame: what the reader had no room for."""

    def __repr__(self) -> str:
        return f"<SealedFrames {self._sealed} out, {self._opened} in{', ended' if self.ended else ''}>"

    def outgoing(self) -> bytes:
        """Nothing goes out by itself, unless TLS still has something to say."""
        return self._tls.outgoing() if self._tls else b""

    def end_of_stream(self) -> None:
        """The transport ended. TlsError unless they said goodbye before."""
        if not self.ended:
            raise TlsError("the connection ended in the middle, without a goodbye")

    # -- sending ------------------------------------------------------------------------------------------------

    def seal(self, part: memoryview) -> list[bytes]:
        """Plain bytes as frames, to be sent one after the other."""
        sealed, self._greeting = self._greeting, []
        for start in range(0, len(part), PLAIN_BYTES_MAX):
            sealed += self._seal(part[start : start + PLAIN_BYTES_MAX])
        return sealed

    def _seal(self, plain: Buffer) -> tuple[bytes, bytes]:
        head = _LENGTH.pack(len(plain) + TAG_BYTES)
        nonce = self._sealed.to_bytes(NONCE_BYTES, "big")
        self._sealed += 1
        self.sealed_bytes += len(plain)
        return head, self._sealer.encrypt(nonce, plain, head)

    def close(self) -> bytes:
        """Our goodbye, to be sent if that is possible at once."""
        greeting, self._greeting = self._greeting, []
        return b"".join((*greeting, *self._seal(b"")))

    # -- receiving ----------------------------------------------------------------------------------------------

    def lacking(self, least: int) -> int:
        """So many bytes must arrive before any, of `least` that are wanted, can be opened; at least 1."""
        if self._tls or len(self.rest) < _LENGTH.size:
            return 1
        return max(1, _LENGTH.size + self._length(self.rest, 0) - len(self.rest))

    def keep_rest(self) -> None:
        """Where it lies something else is about to be put."""
        self.rest = memoryview(bytes(self.rest))

    def open(self, arrived: memoryview, buffer: bytearray | memoryview) -> int:
        """Put the plain bytes that are there into the buffer: how many. `arrived`: the `rest`, and what came behind it;
        empty when nothing did. TlsError for what they did not seal."""
        if self._tls:
            arrived = self._open_key(self._tls, arrived)
        room = memoryview(buffer)
        got = self._hand_out(room) if self._plain else 0
        waiting = arrived or self.rest
        got, used = self._open_frames(waiting, room, got)
        self.rest = waiting[used:] if used < len(waiting) else NO_BYTES
        return got

    def _open_key(self, tls: TlsPump, arrived: memoryview) -> memoryview:
        """Take their key out of TLS; what came behind it."""
        space = bytearray(KEY_BYTES - len(self._their_key))
        self._their_key += space[: tls.open(arrived, space)]
        self.ended = tls.ended
        if len(self._their_key) < KEY_BYTES:
            return NO_BYTES
        self._opener = AESGCM(bytes(self._their_key))
        self._tls = None
        return memoryview(tls.unread())

    def _open_frames(self, waiting: memoryview, room: memoryview, got: int) -> tuple[int, int]:
        """Open what is whole, as long as there is room: bytes in the room, and bytes of frames that were used. What
        does not fit behind others waits: the reader learns from those what it is, and has a place where it belongs."""
        at, self.more = 0, False
        while got < len(room) and not self.ended and len(waiting) - at >= _LENGTH.size:
            start = at + _LENGTH.size
            end = start + self._length(waiting, at)
            if len(waiting) < end:
                break
            if got and end - start - TAG_BYTES > len(room) - got:
                self.more = True
                break
            got += self._open_frame(waiting[at:start], waiting[start:end], room[got:] if got else room)
            at = end
        return got, at

    def _length(self, waiting: Buffer, at: int) -> int:
        length: int = _LENGTH.unpack_from(waiting, at)[0]
        if not TAG_BYTES <= length <= PLAIN_BYTES_MAX + TAG_BYTES:
            raise TlsError(f"a sealed frame of {length} bytes")
        return length

    def _open_frame(self, head: memoryview, sealed: memoryview, room: memoryview) -> int:
        nonce, length = self._opened.to_bytes(NONCE_BYTES, "big"), len(sealed) - TAG_BYTES
        self._opened += 1
        try:
            if length <= len(room):
                self._opener.decrypt_into(nonce, sealed, head, room[:length])
                self.ended = not length
                return length
            self._plain = memoryview(self._opener.decrypt(nonce, sealed, head))
        except InvalidTag:
            raise TlsError("a frame that they did not seal, or not as the next one") from None
        return self._hand_out(room)

    def _hand_out(self, room: memoryview) -> int:
        count = min(len(room), len(self._plain))
        room[:count], self._plain = self._plain[:count], self._plain[count:]
        return count
