# Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes programs in FOLDER that stand for ptxas: fake_ptxas.py FOLDER"""

import pathlib
import sys

SCRIPTS = {
    "no-interpreter": "#!/none/sh\n",
    "refuses": "#!/bin/sh\necho 'ptxas fatal: unknown directive'\nexit 255\n",
    "crashes": "#!/bin/sh\nkill -SEGV $$\n",
    "silent": "#!/bin/sh\nexit 0\n",
    # -v ARCH -O3 -o OUT IN
    "takes": "#!/bin/sh\n"
    "echo \"ptxas info    : Compiling entry function 'product' for 'sm_80'\"\n"
    "echo 'ptxas info    : Used 42 registers'\n"
    "test -s \"$6\" && printf 'a cubin.' > \"$5\"\n",
}

for name, text in SCRIPTS.items():
    path = pathlib.Path(sys.argv[1]) / name
    path.write_text(text)
    path.chmod(0o755)
