"""The command line: ``optoutkit``, or ``python -m optoutkit.cli``. It needs the extra ``cli``."""
