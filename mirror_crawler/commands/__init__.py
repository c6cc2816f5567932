"""The project's commands, one module each; thin: the work is done by the modules they call."""
