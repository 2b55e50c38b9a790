"""``python -m irsmith`` is ``irsmith``."""

import sys

from irsmith.cli.main import main

sys.exit(main())
