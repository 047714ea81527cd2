// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// NumPy's .npy files: reads versions 1 to 3, writes version 1. Little-endian,
// row-major.

#ifndef INFINI_RUNTIME_NPY_H
#define INFINI_RUNTIME_NPY_H

#include "infini/runtime/output_file.h"
#include "infini/runtime/status.h"

#include <cstdint>
#include <string>
#include <vector>

namespace infini {

/// X(name, NumPy's code, bytes).
#define INFINI_NPY_TYPES(X)                                                    \
  X(f16, "f2", 2)                                                              \
  X(f32, "f4", 4)                                                              \
  X(f64, "f8", 8)                                                              \
  X(b1, "b1", 1)                                                               \
  X(i8, "i1", 1) X(i16, "i2", 2) X(i32, "i4", 4) X(i64, "i8", 8)               \
      X(u8, "u1", 1) X(u16, "u2", 2) X(u32, "u4", 4) X(u64, "u8", 8)

enum class NpyType : uint8_t {
#define INFINI_DECLARE(name, code, bytes) name,
  INFINI_NPY_TYPES(INFINI_DECLARE)
#undef INFINI_DECLARE
};
size_t bytesOf(NpyType type);
/// "<f4", "|b1".
std::string descriptionOf(NpyType type);

struct NpyHeader {
  NpyType type = NpyType::f32;
  std::vector<int64_t> shape;
  /// Number of elements; its product with the type's bytes fits.
  int64_t elements = 0;
};

/// Reads an array piece by piece.
class NpyReader {
public:
  NpyReader() = default;
  ~NpyReader();
  NpyReader(const NpyReader &) = delete;
  NpyReader &operator=(const NpyReader &) = delete;

  /// Reads the header, and checks a regular file's size against it.
  Status open(const std::string &path);
  const NpyHeader &header() const { return contents; }
  /// Reads the next `count` elements; there must be as many.
  Status read(void *to, int64_t count);

private:
  Status readBytes(void *to, size_t size, const char *what);
  Status readHeader();

  int fd = -1;
  std::string path;
  NpyHeader contents;
};

struct NpyArray {
  NpyHeader header;
  std::vector<uint8_t> data;
};
Status loadNpy(const std::string &path, NpyArray &array);

/// Reads the dictionary of a header ("{'descr': '<f4', ...}").
Status parseNpyHeader(std::string_view dictionary, NpyHeader &header);

/// Writes an array row by row, a row being what one index of the first
/// dimension selects; how many there are need not be known before.
class NpyWriter {
public:
  /// `rowShape`: the other dimensions.
  Status open(const std::string &path, NpyType type,
              std::vector<int64_t> rowShape);
  Status append(const void *rows, int64_t count);
  /// Puts the file in its place. Without it nothing is left.
  Status finish();

private:
  std::string makeHeader() const;

  OutputFile file;
  NpyType type = NpyType::f32;
  std::vector<int64_t> rowShape;
  size_t rowBytes = 0;
  int64_t rows = 0;
};

Status saveNpy(const std::string &path, NpyType type,
               const std::vector<int64_t> &shape, const void *data,
               size_t bytes);

} // namespace infini

#endif // INFINI_RUNTIME_NPY_H
