"""What came before: a stack, so that rolling back twice goes back two releases and never forward to a bad one."""

from collections.abc import Iterable

from p2pd.wire.announce import Goal


def releases_in_force(history: Iterable[Goal]) -> list[str]:
    """The releases that lie below and at the present one, oldest first. `history` is by revision.

    A deploy lays its release on top. A rollback takes away what lies above its release, or lays it on top if it does
    not lie there. Deploying what is on top already changes nothing.
    """
    stack: list[str] = []
    for goal in history:
        if goal.rollback and goal.release in stack:
            while stack[-1] != goal.release:
                stack.pop()
        elif not stack or stack[-1] != goal.release:
            stack.append(goal.release)
    return stack


def previous_release(history: Iterable[Goal]) -> str | None:
    """What a rollback returns to; None when nothing lies below the present release."""
    stack = releases_in_force(history)
    return stack[-2] if len(stack) > 1 else None
