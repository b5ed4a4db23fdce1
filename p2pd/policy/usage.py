"""The bytes used of this day and this month, over restarts. A pure ledger: somebody else keeps it on disk."""

from dataclasses import dataclass, field

from .citizenship import Budget


@dataclass(slots=True)
class Usage:
    """`day` and `month` are local dates (`2026-11-22`, `2026-11`). When the date differs, in whichever direction (the
    clock was wrong then, or is now), that count begins anew."""

    day: str = ""
    month: str = ""
    by_day: Budget = field(default_factory=lambda: Budget(0, 0))
    by_month: Budget = field(default_factory=lambda: Budget(0, 0))

    def add(self, date: str, *, upload: int, download: int) -> None:
        """So many bytes passed, on this date."""
        if date != self.day:
            self.day, self.by_day = date, Budget(0, 0)
        if date[:7] != self.month:
            self.month, self.by_month = date[:7], Budget(0, 0)
        self.by_day = _sum(self.by_day, upload, download)
        self.by_month = _sum(self.by_month, upload, download)

    def to_document(self) -> dict[str, object]:
        """As JSON can hold it."""
        return {
            "day": self.day,
            "month": self.month,
            "by_day": [self.by_day.upload_bytes, self.by_day.download_bytes],
            "by_month": [self.by_month.upload_bytes, self.by_month.download_bytes],
        }

    @classmethod
    def from_document(cls, document: object) -> "Usage":
        """What `to_document` gave; an empty ledger for anything else: a damaged file must not stop a daemon."""
        match document:
            case {
                "day": str(day),
                "month": str(month),
                "by_day": [int(day_up), int(day_down)],
                "by_month": [int(month_up), int(month_down)],
            }:
                return cls(day, month, Budget(day_up, day_down), Budget(month_up, month_down))
            case _:
                return cls()


def _sum(used: Budget, upload: int, download: int) -> Budget:
    return Budget(used.upload_bytes + upload, used.download_bytes + download)
