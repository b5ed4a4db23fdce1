"""What wakes a task that looks around, does what there is to do, and waits for more."""

import trio


class Bell:
    """Rung by anybody, heard by one task: `hush`, look around, and `wait` if there was nothing. (An Event costs twice
    as much, needs a new one each time, and one more turn of the task where it rang meanwhile.)"""

    __slots__ = ("_rung", "_task")

    def __init__(self) -> None:
        self._rung = False
        self._task: trio.lowlevel.Task | None = None

    def __repr__(self) -> str:
        return f"<Bell {'rung' if self._rung else 'still'}{', heard' if self._task else ''}>"

    def ring(self) -> None:
        """There may be something to do."""
        self._rung = True
        task = self._task
        if task is not None:
            self._task = None
            trio.lowlevel.reschedule(task)

    def hush(self) -> None:
        """What rang until now is seen to."""
        self._rung = False

    async def wait(self) -> None:
        """Until it rings; at once, and without another's turn, if it rang since `hush`."""
        if not self._rung:
            self._task = trio.lowlevel.current_task()
            await trio.lowlevel.wait_task_rescheduled(self._abort)

    def _abort(self, _: object) -> trio.lowlevel.Abort:
        self._task = None
        return trio.lowlevel.Abort.SUCCEEDED
