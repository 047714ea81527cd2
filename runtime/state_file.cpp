// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
#include "infini/runtime/state_file.h"
#include "infini/runtime/element_dtype.h"
#include "infini/runtime/fingerprint.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace infini;
using safetensors::HeaderEntry;
using safetensors::Metadata;

//===----------------------------------------------------------------------===//
// The format
//===----------------------------------------------------------------------===//

static constexpr char versionKey[] = "infini.state",
                      headerKey[] = "infini.header",
                      modelKey[] = "infini.model",
                      weightsKey[] = "infini.weights",
                      layoutKey[] = "infini.layout",
                      tokensKey[] = "infini.tokens",
                      positionKey[] = "infini.position",
                      checksumKey[] = "infini.checksum.";
/// Of a checksum in hexadecimal.
static constexpr size_t digits = 32;

static std::string checksum(const void *bytes, size_t size) {
  Fingerprint print;
  print.addPart(bytes, size);
  return print.text();
}

static std::string layoutOf(const std::vector<StateTensor> &tensors) {
  Fingerprint print;
  for (const StateTensor &tensor : tensors) {
    print.add(tensor.name);
    print.add(std::string(nameOf(toDtype(tensor.element))));
    print.add(tensor.shape.data(), tensor.shape.size() * sizeof(int64_t));
  }
  return print.text();
}

static std::string typeText(safetensors::Dtype dtype,
                            const std::vector<int64_t> &shape) {
  return std::string(nameOf(dtype)) + " " +
         shapeText(shape.data(), shape.size());
}

void infini::sortForFile(std::vector<StateTensor> &tensors) {
  std::stable_sort(tensors.begin(), tensors.end(),
                   [](const StateTensor &a, const StateTensor &b) {
                     return bytesOf(a.element) > bytesOf(b.element);
                   });
}

/// Where the header's own checksum stands in it: it is computed with zeros
/// there. `npos` unless there is one such place.
static size_t findChecksum(const std::string &header,
                           const std::string &value) {
  std::string wanted = '"' + std::string(headerKey) + "\":\"" + value + '"';
  size_t at = header.find(wanted);
  if (value.size() != digits || at == std::string::npos ||
      header.find(wanted, at + 1) != std::string::npos)
    return std::string::npos;
  return at + wanted.size() - 1 - digits;
}

//===----------------------------------------------------------------------===//
// Writing
//===----------------------------------------------------------------------===//

Status StateWriter::makeHeader(std::string &header) const {
  const std::string zeros(digits, '0');
  Metadata metadata = {
      {versionKey, std::to_string(stateFormatVersion)},
      {headerKey, zeros},
      {modelKey, identity.model},
      {weightsKey, identity.weights},
      {layoutKey, layoutOf(tensors)},
      {tokensKey, std::to_string(identity.tokens)},
      {positionKey, std::to_string(identity.tokens % identity.segmentLength)},
      {"infini.producer", std::string("infini ") + infini_version()}};
  std::vector<HeaderEntry> entries;
  uint64_t begin = 0;
  for (size_t i = 0; i < tensors.size(); ++i) {
    const StateTensor &tensor = tensors[i];
    metadata.emplace_back(checksumKey + tensor.name,
                          i < checksums.size() ? checksums[i] : zeros);
    entries.push_back({tensor.name, toDtype(tensor.element), tensor.shape,
                       begin, tensor.bytes});
    begin += tensor.bytes;
  }
  if (!safetensors::makeHeader(entries, metadata, header))
    return bug("the names of the states cannot stand in a file");
  size_t at = findChecksum(header, zeros);
  if (at == std::string::npos)
    return bug("the header of a state file has no place for its checksum");
  header.replace(at, digits, checksum(header.data(), header.size()));
  return Status();
}

Status StateWriter::open(const std::string &path, const StateIdentity &about,
                         std::vector<StateTensor> newTensors) {
  identity = about;
  tensors = std::move(newTensors);
  std::string header;
  INFINI_TRY(makeHeader(header));
  INFINI_TRY(file.open(path));
  // Its place; of the same length, it comes when the checksums are known.
  return file.write(header.data(), header.size());
}

Status StateWriter::append(const void *data) {
  size_t bytes = tensors[checksums.size()].bytes;
  checksums.push_back(checksum(data, bytes));
  return file.write(data, bytes);
}

Status StateWriter::finish() {
  std::string header;
  INFINI_TRY(makeHeader(header));
  INFINI_TRY(file.rewrite(header.data(), header.size()));
  return file.commitDurably();
}

//===----------------------------------------------------------------------===//
// Reading
//===----------------------------------------------------------------------===//

StateReader::~StateReader() {
  if (fd >= 0)
    close(fd);
}

Status StateReader::fileError(const char *call) const {
  int error = errno;
  return userError("cannot read state file ", quoted(path), ": ", call, ": ",
                   strerror(error));
}

template <typename... Args>
Status StateReader::damaged(const Args &...args) const {
  return dataError("state file ", quoted(path), ": ", args...);
}

/// The file is whole, but not for this session.
template <typename... Args>
Status StateReader::refused(const Args &...args) const {
  return userError("state file ", quoted(path), ": ", args...);
}

Status StateReader::readBytes(void *to, size_t size, const char *what) {
  auto *at = static_cast<char *>(to);
  for (size_t done = 0; done < size;) {
    ssize_t count = ::read(fd, at + done, size - done);
    if (count < 0 && errno == EINTR)
      continue;
    if (count < 0)
      return fileError("read");
    if (count == 0)
      return damaged("expected ", size, " bytes of ", what, ", got ", done,
                     "; is it truncated?");
    done += static_cast<size_t>(count);
  }
  return Status();
}

Status StateReader::open(const std::string &newPath) {
  path = newPath;
  // Opening a pipe would wait for its other end.
  fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  struct stat info;
  if (fd < 0)
    return fileError("open");
  if (fstat(fd, &info) != 0)
    return fileError("fstat");
  if (!S_ISREG(info.st_mode))
    return userError("cannot read state file ", quoted(path),
                     ": expected a regular file");
  INFINI_TRY(readHeader(static_cast<uint64_t>(info.st_size)));
  return readMetadata();
}

Status StateReader::readHeader(uint64_t fileBytes) {
  uint8_t length[8] = {};
  size_t lengthBytes = std::min<uint64_t>(fileBytes, sizeof length);
  INFINI_TRY(readBytes(length, lengthBytes, "the header's length"));
  uint64_t headerBytes;
  if (safetensors::Error error =
          safetensors::readHeaderLength(length, fileBytes, headerBytes))
    return damaged(error.message);
  header.assign(reinterpret_cast<const char *>(length), sizeof length);
  header.resize(sizeof length + headerBytes);
  INFINI_TRY(
      readBytes(header.data() + sizeof length, headerBytes, "the header"));
  dataBytes = fileBytes - header.size();
  if (safetensors::Error error = safetensors::readHeader(
          std::string_view(header).substr(sizeof length), dataBytes, entries,
          &metadata))
    return damaged(error.message);
  std::sort(metadata.begin(), metadata.end());
  for (size_t i = 1; i < metadata.size(); ++i)
    if (metadata[i].first == metadata[i - 1].first)
      return damaged(quoted(metadata[i].first), " stands there twice");
  return Status();
}

Status StateReader::metadataText(const std::string &key,
                                 std::string &value) const {
  auto found = std::lower_bound(
      metadata.begin(), metadata.end(), key,
      [](const auto &pair, const std::string &k) { return pair.first < k; });
  if (found == metadata.end() || found->first != key)
    return damaged("expected ", quoted(key),
                   " in '__metadata__', got nothing; is it a state file?");
  value = found->second;
  return Status();
}

Status StateReader::number(const char *key, uint64_t &value) const {
  std::string text;
  INFINI_TRY(metadataText(key, text));
  // As std::to_string writes it, and small enough to be counted on.
  bool good = !text.empty() && text.size() <= 18 &&
              text.find_first_not_of("0123456789") == std::string::npos &&
              (text[0] != '0' || text.size() == 1);
  if (!good)
    return damaged(quoted(key),
                   ": expected a number of at most 18 digits, got ",
                   quoted(text));
  value = std::stoull(text);
  return Status();
}

Status StateReader::checkHeader() const {
  std::string stored;
  INFINI_TRY(metadataText(headerKey, stored));
  size_t at = findChecksum(header, stored);
  if (at == std::string::npos)
    return damaged("expected 32 digits as ", quoted(headerKey), ", got ",
                   quoted(stored));
  std::string zeroed = header;
  zeroed.replace(at, digits, digits, '0');
  std::string computed = checksum(zeroed.data(), zeroed.size());
  if (computed != stored)
    return damaged("expected a header with the checksum ", quoted(stored),
                   ", got ", quoted(computed),
                   "; the file is damaged, go back to an older one");
  return Status();
}

Status StateReader::readMetadata() {
  std::string version;
  INFINI_TRY(metadataText(versionKey, version));
  if (version != std::to_string(stateFormatVersion))
    return damaged("expected format version ", stateFormatVersion, ", got ",
                   quoted(version), "; this is infini ", infini_version(),
                   ", take the one that wrote the file");
  INFINI_TRY(checkHeader());
  INFINI_TRY(metadataText(modelKey, identity.model));
  INFINI_TRY(metadataText(weightsKey, identity.weights));
  INFINI_TRY(number(tokensKey, identity.tokens));
  return number(positionKey, position);
}

//===----------------------------------------------------------------------===//
// Checking
//===----------------------------------------------------------------------===//

Status StateReader::checkModel(const std::string &model) const {
  if (identity.model != model)
    return refused("expected a state of the model ", quoted(model), ", got ",
                   quoted(identity.model),
                   "; take the package of the model that it was saved with");
  return Status();
}

Status StateReader::checkWeights(const std::string &weights) const {
  if (identity.weights != weights)
    return refused("expected a state of the weights ", quoted(weights),
                   ", got ", quoted(identity.weights),
                   "; the model is the same, but not its weights: take those "
                   "that it was saved with");
  return Status();
}

Status StateReader::checkPosition(uint64_t segmentLength) const {
  if (position != identity.tokens % segmentLength)
    return refused("expected position ", identity.tokens % segmentLength,
                   " in the segment after ", identity.tokens,
                   " tokens in segments of ", segmentLength, ", got ", position,
                   "; was it saved with another segment length?");
  return Status();
}

const HeaderEntry *StateReader::findEntry(const std::string &name) const {
  auto found = std::lower_bound(
      entries.begin(), entries.end(), name,
      [](const HeaderEntry &e, const std::string &n) { return e.name < n; });
  return found != entries.end() && found->name == name ? &*found : nullptr;
}

Status StateReader::checkTensor(const StateTensor &expected) const {
  std::string wanted = typeText(toDtype(expected.element), expected.shape);
  const HeaderEntry *entry = findEntry(expected.name);
  std::string got =
      entry ? typeText(entry->dtype, entry->shape) : "no such tensor";
  if (wanted != got)
    return refused("state ", quoted(expected.name), ": expected ", wanted,
                   ", got ", got,
                   "; was it saved with another type or segment length?");
  return Status();
}

Status
StateReader::checkTensors(const std::vector<StateTensor> &expected) const {
  for (const StateTensor &tensor : expected)
    INFINI_TRY(checkTensor(tensor));
  for (const HeaderEntry &entry : entries) {
    auto isIt = [&](const StateTensor &t) { return t.name == entry.name; };
    if (std::none_of(expected.begin(), expected.end(), isIt))
      return refused("state ", quoted(entry.name),
                     ": expected no such tensor, got ",
                     typeText(entry.dtype, entry.shape),
                     "; take the package that it was saved with");
  }
  std::string layout, wanted = layoutOf(expected);
  INFINI_TRY(metadataText(layoutKey, layout));
  if (layout != wanted)
    return refused("expected a state of the layout ", quoted(wanted), ", got ",
                   quoted(layout), "; take the package that it was saved with");
  return Status();
}

Status StateReader::read() {
  data.reset(new uint8_t[dataBytes]);
  INFINI_TRY(readBytes(data.get(), dataBytes, "data"));
  for (const HeaderEntry &entry : entries) {
    std::string stored;
    INFINI_TRY(metadataText(checksumKey + entry.name, stored));
    std::string computed = checksum(data.get() + entry.begin, entry.bytes);
    if (computed != stored)
      return damaged("state ", quoted(entry.name),
                     ": expected data with the checksum ", quoted(stored),
                     ", got ", quoted(computed),
                     "; the file is damaged, go back to an older one");
  }
  return Status();
}

const uint8_t *StateReader::find(const std::string &name) const {
  return data.get() + findEntry(name)->begin;
}
