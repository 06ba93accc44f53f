"""The command line: one file a command, no business logic here."""
