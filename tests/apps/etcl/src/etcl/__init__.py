"""The etcl demo: a notice board, as small as a real Django site can be."""
