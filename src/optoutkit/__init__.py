"""optoutkit."""
