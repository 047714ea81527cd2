// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A hash, XXH3-128, of a sequence of things, each with its length, so that two
// sequences do not run into one another. The same on every machine.

#ifndef INFINI_RUNTIME_FINGERPRINT_H
#define INFINI_RUNTIME_FINGERPRINT_H

#include <cstddef>
#include <cstdint>
#include <string>

// xxHash warns about its own attributes under some compilers' -Wpedantic.
#ifndef XXH_INLINE_ALL
#define XXH_INLINE_ALL
#endif
#include <xxhash.h>

namespace infini {

class Fingerprint {
public:
  Fingerprint() { XXH3_128bits_reset(&state); }

  void add(const void *bytes, size_t size) {
    addLength(size);
    addPart(bytes, size);
  }
  void add(const std::string &text) { add(text.data(), text.size()); }
  void add(uint64_t number) { add(&number, sizeof number); }

  // A thing that comes in pieces: its parts and its length.
  void addPart(const void *bytes, size_t size) {
    XXH3_128bits_update(&state, bytes, size);
  }
  void addLength(uint64_t size) { addPart(&size, sizeof size); }

  /// 32 hexadecimal digits.
  std::string text() const {
    XXH128_canonical_t canonical;
    XXH128_canonicalFromHash(&canonical, XXH3_128bits_digest(&state));
    std::string result;
    for (unsigned char byte : canonical.digest) {
      static const char digits[] = "0123456789abcdef";
      result += digits[byte >> 4];
      result += digits[byte & 15];
    }
    return result;
  }

private:
  XXH3_state_t state;
};

} // namespace infini

#endif // INFINI_RUNTIME_FINGERPRINT_H
