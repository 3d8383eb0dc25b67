"""`python -m prmdata`."""

from prmdata.cli import main

if __name__ == "__main__":  # an engine that starts processes imports this file again
    main()
