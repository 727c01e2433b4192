"""小伴 (Xiaoban): an offline voice companion for an older Mandarin speaker who lives alone."""

__version__ = "0.1.0"
