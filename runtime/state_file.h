// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The file that a session's state is saved in; docs/state-format.md has the
// format and its promises. This knows the file, and nothing of sessions.

#ifndef INFINI_RUNTIME_STATE_FILE_H
#define INFINI_RUNTIME_STATE_FILE_H

#include "infini/runtime/element_type.h"
#include "infini/runtime/output_file.h"
#include "infini/runtime/safetensors.h"

namespace infini {

/// Counts up whenever an older runtime could misread a newer file or the
/// reverse.
constexpr unsigned stateFormatVersion = 1;

struct StateTensor {
  std::string name;
  ElementType element;
  /// A scalar is an i64 of rank 0.
  std::vector<int64_t> shape;
  size_t bytes;
};

/// What a state belongs to, and how far the text was.
struct StateIdentity {
  /// Fingerprints: the package's of the model, and one of the weights' values.
  std::string model, weights;
  uint64_t segmentLength = 1;
  /// Of the text so far. The position in the segment is their remainder.
  uint64_t tokens = 0;
};

/// In the order in which a file has them: so that each is aligned to its
/// elements, large ones first.
void sortForFile(std::vector<StateTensor> &tensors);

/// Writes a file tensor by tensor.
class StateWriter {
public:
  /// `tensors` in the order of sortForFile. Nothing is visible before finish().
  Status open(const std::string &path, const StateIdentity &identity,
              std::vector<StateTensor> tensors);
  /// The next tensor's data.
  Status append(const void *data);
  /// Puts the file in its place, durably.
  Status finish();

private:
  Status makeHeader(std::string &header) const;

  OutputFile file;
  StateIdentity identity;
  std::vector<StateTensor> tensors;
  /// Of those that have been appended.
  std::vector<std::string> checksums;
};

/// Reads a file whose every byte may be wrong.
class StateReader {
public:
  StateReader() = default;
  ~StateReader();
  StateReader(const StateReader &) = delete;
  StateReader &operator=(const StateReader &) = delete;

  /// Reads the header, and checks what does not depend on who asks: structure,
  /// version, checksum.
  Status open(const std::string &path);
  uint64_t tokens() const { return identity.tokens; }

  // That it is a state of this model, these tensors, this segment length, these
  // weights. In this order: the first that fails explains the others.
  Status checkModel(const std::string &model) const;
  Status checkTensors(const std::vector<StateTensor> &tensors) const;
  Status checkPosition(uint64_t segmentLength) const;
  Status checkWeights(const std::string &weights) const;

  /// Reads the data, and checks it against its checksums. After the checks
  /// above, which bound how much it is.
  Status read();
  /// After read(): of a tensor that checkTensors() found.
  const uint8_t *find(const std::string &name) const;

private:
  Status fileError(const char *call) const;
  template <typename... Args> Status damaged(const Args &...args) const;
  template <typename... Args> Status refused(const Args &...args) const;
  Status readBytes(void *to, size_t size, const char *what);
  Status readHeader(uint64_t fileBytes);
  Status readMetadata();
  Status number(const char *key, uint64_t &value) const;
  Status metadataText(const std::string &key, std::string &value) const;
  Status checkHeader() const;
  Status checkTensor(const StateTensor &expected) const;
  const safetensors::HeaderEntry *findEntry(const std::string &name) const;

  int fd = -1;
  std::string path;
  /// With its length in front.
  std::string header;
  uint64_t dataBytes = 0;
  /// Both sorted by name.
  safetensors::Metadata metadata;
  std::vector<safetensors::HeaderEntry> entries;
  StateIdentity identity;
  uint64_t position = 0;
  std::unique_ptr<uint8_t[]> data;
};

} // namespace infini

#endif // INFINI_RUNTIME_STATE_FILE_H
