// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Whether this processor has what an image needs.

#ifndef INFINI_RUNTIME_DEVICES_CPU_CPU_FEATURES_H
#define INFINI_RUNTIME_DEVICES_CPU_CPU_FEATURES_H

#include <string>

namespace infini {

enum class FeatureSupport { present, absent, unknown };

/// `name` as LLVM calls it ("avx512vl", with or without a plus in front). What
/// the operating system does not save across threads counts as absent.
FeatureSupport cpuFeatureSupport(const std::string &name);

} // namespace infini

#endif // INFINI_RUNTIME_DEVICES_CPU_CPU_FEATURES_H
