"""What can be wrong from outside: each error is one line for the user and exit code 2, never a traceback.

Nothing but the standard library is needed here: scripts/ say with it that a package is missing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

_OUT_OF_MEMORY = ("allocate memory", "out of memory")


class UserError(Exception):
    """Something the user can mend; its text is the whole message."""

    exit_code = 2


class ConfigError(UserError):
    """A configuration value that is not allowed."""

    def __init__(self, key: str, value: object, allowed: str) -> None:
        super().__init__(key, value, allowed)  # all of them, so that the error passes from process to process
        self.key = key

    def __str__(self) -> str:
        """Name key, value and what is allowed."""
        key, value, allowed = self.args
        return f"{shortened(key)}={shortened(value)}: must be {allowed}"


def shortened(value: object, most: int = 200) -> str:
    """Return a value as it fits into a line."""
    text = " ".join(str(value).split())
    return text if len(text) <= most else f"{text[:most]}..."


class DataError(UserError):
    """Data sets that are missing, damaged or not the official ones; each argument tells of one."""

    def __str__(self) -> str:
        """Name each once."""
        return "; ".join(dict.fromkeys(self.args))


def all_of(checks: Iterable[Callable[[], object]]) -> None:
    """Make all the checks; raise one DataError with what every failing one tells."""
    found: list[str] = []
    for check in checks:
        try:
            check()
        except DataError as error:
            found += error.args
    if found:
        raise DataError(*found)


class ResultError(UserError):
    """A saved result that is missing, damaged or locked."""


class UnreadableError(ResultError):
    """A file that the system does not give out now (too many are open, a disk is away); it need not be damaged."""


class Diverged(UserError):
    """No seed of a configuration kept a finite loss."""

    exit_code = 1

    def __init__(self, what: str, lr: float) -> None:
        super().__init__(what, lr)

    def __str__(self) -> str:
        """Say so, with a hint where the step size is known, which is 0 where it is not."""
        what, lr = self.args
        return f"{what}; try a smaller step size (optimizer.lr={lr / 10:g})" if lr else what


class Interrupted(BaseException):
    """The job was asked to stop, and its checkpoint is written; the exit status is the shell's, 128 + signal."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.exit_code = 128 + number


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that there is not enough memory; PyTorch raises a RuntimeError."""
    return isinstance(error, MemoryError) or any(words in str(error) for words in _OUT_OF_MEMORY)


def in_words(error: BaseException) -> str:
    """Return an error as one line."""
    text = shortened(error, 500)
    if isinstance(error, UserError):
        return text
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    if is_out_of_memory(error):
        return f"not enough memory: {text}; train fewer seeds at a time (runtime.seeds_at_once=1 is the least)"
    return f"{type(error).__name__}: {text}"
