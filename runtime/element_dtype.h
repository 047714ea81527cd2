// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Element types of packages and of safetensors files.

#ifndef INFINI_RUNTIME_ELEMENT_DTYPE_H
#define INFINI_RUNTIME_ELEMENT_DTYPE_H

#include "infini/runtime/element_type.h"
#include "infini/runtime/safetensors.h"

namespace infini {

/// All that packages have are there.
inline safetensors::Dtype toDtype(ElementType type) {
  using safetensors::Dtype;
  constexpr Dtype table[] = {Dtype::F32,  Dtype::F64,  Dtype::F16,
                             Dtype::BF16, Dtype::BOOL, Dtype::I8,
                             Dtype::I16,  Dtype::I32,  Dtype::I64};
  static_assert(sizeof table / sizeof *table == elementTypeCount);
  return table[static_cast<unsigned>(type)];
}

/// False for those that packages lack.
inline bool toElementType(safetensors::Dtype dtype, ElementType &type) {
  for (unsigned i = 0; i < elementTypeCount; ++i) {
    type = static_cast<ElementType>(i);
    if (toDtype(type) == dtype)
      return true;
  }
  return false;
}

} // namespace infini

#endif // INFINI_RUNTIME_ELEMENT_DTYPE_H
