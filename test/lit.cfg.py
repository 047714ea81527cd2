# Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# lit tests of dialects, passes, and tools. Run from the build tree:
#   /usr/lib/llvm-22/bin/lit build/test
# Beside the suffix .mlir and .test, a test may ask (REQUIRES:) for a tool by
# its name, for `numpy`, for `ptxas`, or for the host's architecture.

import os
import platform
import shutil
import subprocess

import lit.formats

if not hasattr(config, "infini_obj_root"):
    lit_config.fatal("no site configuration: run lit on <build>/test, not on the source folder")

config.name = "infini"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".mlir", ".test"]
# Inputs of tests, and the suites of other runners.
config.excludes = ["Inputs", "docs", "e2e", "fuzz", "oracle", "runtime"]
config.test_source_root = os.path.join(config.infini_src_root, "test")
config.test_exec_root = os.path.join(config.infini_obj_root, "test")

config.environment["PATH"] = os.pathsep.join(
    [config.infini_tools_dir, config.llvm_tools_dir, config.environment.get("PATH", "")])
config.substitutions.append(("%examples", os.path.join(config.infini_src_root, "examples")))
config.substitutions.append(("%python", config.python))

config.available_features.add(platform.machine().lower())
for tool in ("infini-opt", "infini-compile", "infini-run", "infini-inspect", "infini-memory", "infini-decay-opt", "infini-decay-compile"):
    if os.access(os.path.join(config.infini_tools_dir, tool), os.X_OK):
        config.available_features.add(tool)
if subprocess.run([config.python, "-c", "import numpy"], capture_output=True).returncode == 0:
    config.available_features.add("numpy")
# Where infini-compile looks for it; a test gets no other environment than lit's.
ptxas = shutil.which("ptxas") or "/usr/local/cuda/bin/ptxas"
if os.access(ptxas, os.X_OK):
    config.available_features.add("ptxas")
    config.substitutions.append(("%ptxas", ptxas))
