"""Ways out of the house: one file a channel, each under a total deadline."""

from assistant.notify.notifier import Notifier

__all__ = ["Notifier"]
