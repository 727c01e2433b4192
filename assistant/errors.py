"""What can go wrong and what to tell whom: each exception's docstring is its meaning."""


class XiaobanError(Exception):
    """Something a person can mend. The message says, in their language, what, where and what to do."""

    code = 1
    """Exit code of the command that meets it."""


class HouseholdError(XiaobanError):
    """The family's file has mistakes; the message lists all of them with line and hint."""

    code = 3


class ModelMissing(XiaobanError):
    """A model or voice is not on this machine, or is not the file it should be."""

    code = 4


class NoMicrophone(XiaobanError):
    """No input device can be opened."""

    code = 5


class EarFailed(XiaobanError):
    """What listens broke off by a fault of its own; a new start listens again."""


class BadAudio(XiaobanError):
    """A clip cannot be read as sound, or is longer than we accept."""

    code = 6


class StoreError(XiaobanError):
    """The ledger cannot be read or written."""

    code = 7


class DiskRefuses(StoreError):
    """A full or broken disk keeps the ledger from being written; what it holds may still be read."""


class FetchError(XiaobanError):
    """No source gave the file whole."""

    code = 8


class VoiceError(XiaobanError):
    """A voice engine could not speak this text; another engine says it instead."""

    code = 9


class NoLoudspeaker(XiaobanError):
    """No output device can be opened."""

    code = 10


class PlayDiffers(XiaobanError):
    """A play said or sent something else than written."""

    code = 1
