# Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Sets infini_version from the C header, where it stands once.

file(STRINGS ${CMAKE_CURRENT_LIST_DIR}/../runtime/infini.h infini_version
     REGEX "^#define INFINI_VERSION ")
string(REGEX MATCH "[0-9]+\\.[0-9]+\\.[0-9]+" infini_version "${infini_version}")
