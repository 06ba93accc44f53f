"""The Pulumi program's entry; everything is in components.program."""

from components.program import main

main()
