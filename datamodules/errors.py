"""The error of this package: a data file is missing or is not what it should be."""

__all__ = ["DataError"]


class DataError(ValueError):
    """A data file is missing, unreadable, of the wrong shape, or holds values that are no numbers.

    The message is one sentence that names the file, says what it should hold, and where to get it.

    Examples:
        >>> from datamodules import Physics
        >>> Physics("nowhere")
        Traceback (most recent call last):
        ...
        datamodules.errors.DataError: Physics data nowhere/physics/ppzee-split=test.npy does not exist; ...
    """
