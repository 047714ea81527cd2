// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The 64 bytes in front of a package's payload, and how the file is written.
// Header only, and free of all but the kernel ABI, because the compiler
// includes it.
//
//   offset  bytes
//        0      8  "INFINI" 0 1
//        8      4  format version
//       12      4  size of this header: 64
//       16      8  size of the payload
//       24      8  zero
//       32     16  XXH3-128 of the payload, canonical byte order
//       48     16  XXH3-128 of bytes 0 to 47 of this header
//
// Numbers are little-endian. The payload follows at once and ends the file, so
// a FlatBuffer in a file that is loaded at an aligned address is aligned too.

#ifndef INFINI_RUNTIME_PACKAGE_FILE_H
#define INFINI_RUNTIME_PACKAGE_FILE_H

#include "infini/runtime/kernel_abi.h"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>

// xxHash warns about its own attributes under some compilers' -Wpedantic.
#ifndef XXH_INLINE_ALL
#define XXH_INLINE_ALL
#endif
#include <xxhash.h>

namespace infini {

/// Counts up whenever an older runtime could misread a newer package or the
/// reverse. Kernels call their imports by place in INFINI_KERNEL_IMPORTS, and
/// lanes the simulator as lane_abi.h has it: each change of those is such a
/// case.
constexpr uint32_t packageFormatVersion = 3;
static_assert(infini_kernel_import_count == 65,
              "INFINI_KERNEL_IMPORTS has changed: count packageFormatVersion "
              "up, and then set the number here");
constexpr size_t packageHeaderBytes = 64;
constexpr char packageMagic[8] = {'I', 'N', 'F', 'I', 'N', 'I', 0, 1};

struct PackageHeader {
  char magic[8];
  uint32_t version;
  uint32_t headerBytes;
  uint64_t payloadBytes;
  uint64_t zero;
  uint8_t payloadChecksum[16];
  uint8_t headerChecksum[16];
};
static_assert(sizeof(PackageHeader) == packageHeaderBytes);
static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
              "the header is written as it lies in memory");

inline void packageChecksum(const void *bytes, size_t size, uint8_t *checksum) {
  XXH128_canonical_t canonical;
  XXH128_canonicalFromHash(&canonical, XXH3_128bits(bytes, size));
  std::memcpy(checksum, canonical.digest, 16);
}

inline PackageHeader makePackageHeader(const void *payload, size_t size) {
  PackageHeader header;
  std::memcpy(header.magic, packageMagic, sizeof packageMagic);
  header.version = packageFormatVersion;
  header.headerBytes = packageHeaderBytes;
  header.payloadBytes = size;
  header.zero = 0;
  packageChecksum(payload, size, header.payloadChecksum);
  packageChecksum(&header, offsetof(PackageHeader, headerChecksum),
                  header.headerChecksum);
  return header;
}

/// The bytes of a package file. A function of the payload alone.
inline std::string makePackageFile(const void *payload, size_t size) {
  PackageHeader header = makePackageHeader(payload, size);
  std::string file(reinterpret_cast<const char *>(&header), sizeof header);
  file.append(static_cast<const char *>(payload), size);
  return file;
}

} // namespace infini

#endif // INFINI_RUNTIME_PACKAGE_FILE_H
