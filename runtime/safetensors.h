// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reader of safetensors files and of model folders, and what writes a file's
// header. It stands alone (no status type, no package), because the compiler's
// frontend reads names, dtypes and shapes with it too.
//
// Files are mapped and must not be changed while a Model lives: the operating
// system ends a process that reads a mapped file's lost part.

#ifndef INFINI_RUNTIME_SAFETENSORS_H
#define INFINI_RUNTIME_SAFETENSORS_H

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace infini::safetensors {

/// X(name in the file, bytes of an element).
#define INFINI_SAFETENSORS_DTYPES(X)                                           \
  X(F64, 8)                                                                    \
  X(F32, 4)                                                                    \
  X(F16, 2)                                                                    \
  X(BF16, 2)                                                                   \
  X(I64, 8)                                                                    \
  X(I32, 4) X(I16, 2) X(I8, 1) X(U64, 8) X(U32, 4) X(U16, 2) X(U8, 1)          \
      X(BOOL, 1) X(F8_E4M3, 1) X(F8_E5M2, 1)

enum class Dtype : uint8_t {
#define INFINI_DECLARE(name, bytes) name,
  INFINI_SAFETENSORS_DTYPES(INFINI_DECLARE)
#undef INFINI_DECLARE
};
const char *nameOf(Dtype dtype);
size_t bytesOf(Dtype dtype);

struct Tensor {
  std::string name;
  Dtype dtype;
  std::vector<int64_t> shape;
  /// In the mapped file; no particular alignment.
  const uint8_t *data;
  size_t bytes;
};

/// True when something failed.
struct Error {
  enum Kind : uint8_t {
    none,
    /// The caller named what is not there or cannot be read.
    user,
    /// A file is damaged, or contradicts itself or another.
    data
  };
  Kind kind = none;
  std::string message;
  explicit operator bool() const { return kind != none; }
};

/// The tensors of a model, whatever number of files they lie in.
class Model {
public:
  /// `path`: a folder with `model.safetensors`, or with
  /// `model.safetensors.index.json` and the shards that it names; or a file.
  static Error open(const std::string &path,
                    std::unique_ptr<const Model> &model);
  ~Model();
  Model(const Model &) = delete;
  Model &operator=(const Model &) = delete;

  /// Sorted by name.
  const std::vector<Tensor> &tensors() const { return list; }
  /// Null when there is none of this name.
  const Tensor *find(std::string_view name) const;

  const std::string &path() const { return place; }

private:
  Model() = default;
  struct Mapping {
    void *data;
    size_t bytes;
  };
  Error addFile(const std::string &path, std::vector<Tensor> &tensors);
  Error addShards(const std::string &folder, const std::string &index);

  std::string place;
  std::vector<Mapping> mappings;
  std::vector<Tensor> list;
};

//===----------------------------------------------------------------------===//
// One file
//===----------------------------------------------------------------------===//

/// A tensor as a header describes it.
struct HeaderEntry {
  std::string name;
  Dtype dtype;
  std::vector<int64_t> shape;
  /// Behind the header.
  uint64_t begin;
  size_t bytes;
};

/// What stands in `__metadata__`, in the order of the file; names may repeat.
using Metadata = std::vector<std::pair<std::string, std::string>>;

/// The length of the header, from the first 8 bytes of a file of `size` bytes;
/// it fits the file. Errors do not name the file, here and below.
Error readHeaderLength(const uint8_t *file, uint64_t size,
                       uint64_t &headerBytes);

/// Reads a header that is followed by `dataBytes` bytes: each belongs to one
/// tensor. Entries are sorted by name. `metadata` may be null.
Error readHeader(std::string_view header, uint64_t dataBytes,
                 std::vector<HeaderEntry> &entries,
                 Metadata *metadata = nullptr);

/// The header of a file with these tensors and this metadata, in this order,
/// with its length in front, and padded so that the data begins at a multiple
/// of 8. `begin` and `bytes` of the entries must be right. False if a name or
/// text is not UTF-8, or a name stands there twice.
bool makeHeader(const std::vector<HeaderEntry> &entries,
                const Metadata &metadata, std::string &header);

/// Reads the table of contents that starts a file of `size` bytes; the tensors
/// point into it. Errors do not name the file.
Error readContents(const uint8_t *file, size_t size,
                   std::vector<Tensor> &tensors);

/// Reads an index's map from tensor names to file names, as pairs.
Error readIndex(std::string_view json,
                std::vector<std::pair<std::string, std::string>> &weightMap);

} // namespace infini::safetensors

#endif // INFINI_RUNTIME_SAFETENSORS_H
