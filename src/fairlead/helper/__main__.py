"""Started as ``python3 -I FILE``, with nothing of ours on the path."""

from __future__ import annotations

import os
import sys

# Last: what else lies there must not stand before the standard library.
sys.path.append(os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__)))))

from fairlead.helper.main import main

sys.exit(main(sys.argv[1:]))
