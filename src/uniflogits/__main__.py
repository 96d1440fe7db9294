"""`python -m uniflogits`: what is installed, what works, and whether it is right."""

import sys

from ._diagnostics import main

if __name__ == "__main__":
    sys.exit(main())
