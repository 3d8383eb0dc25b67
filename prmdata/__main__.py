"""`python -m prmdata`."""

from prmdata.cli import main

main()
