"""Adapters: one kind of sender a module. The guard finds them by the entry-point group ``optoutkit.senders``."""
