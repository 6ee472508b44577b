"""The behaviours of the mod_wsgi contract, section by section, both modes."""
