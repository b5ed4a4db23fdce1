"""Numbers as rows of bytes: 7 bits each, high ones first, the top bit says that more follow."""

from .errors import MalformedManifestError

_BITS_MAX = 63
_RUN = 32
"""Numbers that are looked at together: where each has one byte, they are those bytes."""


def number(value: int) -> bytes:
    """A number that is not negative."""
    digits = [value & 0x7F]
    while value := value >> 7:
        digits.append(value & 0x7F | 0x80)
    return bytes(reversed(digits))


def signed(value: int) -> bytes:
    """Any number: the lowest bit is the sign."""
    return number(value * 2 if value >= 0 else -value * 2 - 1)


class Row:
    """Reads what was written so, from the start. MalformedManifestError where it ends too early."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    @property
    def ended(self) -> bool:
        """Everything was read."""
        return self.at >= len(self.data)

    def number(self) -> int:
        """The next number."""
        try:
            value = self.data[self.at]
            self.at += 1
            if value < 0x80:
                return value
            value &= 0x7F
            while not value >> (_BITS_MAX - 7):
                byte = self.data[self.at]
                self.at += 1
                value = value << 7 | byte & 0x7F
                if byte < 0x80:
                    return value
        except IndexError:
            pass
        raise MalformedManifestError("a number is damaged")

    def numbers(self, count: int) -> list[int]:
        """The next numbers: nearly all are of one or two bytes, which takes no call."""
        data, found, at = self.data, list[int](), self.at
        try:
            for left in range(count, 0, -_RUN):
                run = data[at : at + min(left, _RUN)]
                if run.isascii() and len(run) == min(left, _RUN):
                    found += run
                    at += len(run)
                    continue
                for _ in range(min(left, _RUN)):
                    if (value := data[at]) < 0x80:
                        at += 1
                    elif (low := data[at + 1]) < 0x80:
                        value, at = (value & 0x7F) << 7 | low, at + 2
                    else:
                        self.at = at
                        value, at = self.number(), self.at
                    found.append(value)
        except IndexError:
            raise MalformedManifestError("a number is damaged") from None
        self.at = at
        return found

    def signed(self) -> int:
        """The next number, with a sign."""
        value = self.number()
        return -(value + 1 >> 1) if value & 1 else value >> 1

    def signed_numbers(self, count: int) -> list[int]:
        """The next numbers, with signs."""
        return [~(value >> 1) if value & 1 else value >> 1 for value in self.numbers(count)]

    def bytes(self, count: int) -> bytes:
        """So many bytes as they are."""
        found = self.data[self.at : self.at + count]
        if len(found) != count:
            raise MalformedManifestError("a row of bytes is too short")
        self.at += count
        return found
