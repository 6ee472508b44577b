"""An import script that fails."""

raise RuntimeError("this import fails")
