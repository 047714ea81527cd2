// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
#include "infini/runtime/safetensors.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <map>
#include <nlohmann/json.hpp>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace infini;
using namespace infini::safetensors;

const char *safetensors::nameOf(Dtype dtype) {
#define INFINI_NAME(name, bytes) #name,
  static const char *const names[] = {INFINI_SAFETENSORS_DTYPES(INFINI_NAME)};
#undef INFINI_NAME
  return names[static_cast<unsigned>(dtype)];
}

size_t safetensors::bytesOf(Dtype dtype) {
#define INFINI_BYTES(name, bytes) bytes,
  static const uint8_t bytes[] = {INFINI_SAFETENSORS_DTYPES(INFINI_BYTES)};
#undef INFINI_BYTES
  return bytes[static_cast<unsigned>(dtype)];
}

static Error failure(Error::Kind kind, std::string message) {
  return Error{kind, std::move(message)};
}
static Error damaged(std::string message) {
  return failure(Error::data, std::move(message));
}

/// Names come from files: keep what garbles a terminal out of messages.
static std::string quote(std::string_view name) {
  std::string result = "'";
  for (char c : name.substr(0, 200))
    result += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
  return result + (name.size() > 200 ? "...'" : "'");
}

//===----------------------------------------------------------------------===//
// JSON, one value after another: headers may be large, and a document in
// memory would be many times larger.
//===----------------------------------------------------------------------===//

namespace {

/// Refuses everything; the readers below accept what belongs where they are.
class JsonReader : public nlohmann::json_sax<nlohmann::json> {
public:
  std::string problem;

  bool null() override { return refuse("null"); }
  bool boolean(bool) override { return refuse("a truth value"); }
  bool number_integer(number_integer_t value) override {
    return refuse("the negative number " + std::to_string(value));
  }
  bool number_unsigned(number_unsigned_t value) override {
    return refuse("the number " + std::to_string(value));
  }
  bool number_float(number_float_t, const string_t &text) override {
    return refuse("the number " + text);
  }
  bool string(string_t &text) override {
    return refuse("the string " + quote(text));
  }
  bool binary(binary_t &) override { return refuse("binary data"); }
  bool start_object(std::size_t) override { return refuse("an object"); }
  bool key(string_t &text) override { return refuse("the key " + quote(text)); }
  bool end_object() override { return refuse("the end of an object"); }
  bool start_array(std::size_t) override { return refuse("an array"); }
  bool end_array() override { return refuse("the end of an array"); }
  bool parse_error(std::size_t position, const std::string &,
                   const nlohmann::detail::exception &) override {
    return fail("not JSON, at byte " + std::to_string(position));
  }

protected:
  bool fail(std::string text) {
    if (problem.empty())
      problem = std::move(text);
    return false;
  }
  virtual std::string place() const = 0;
  bool refuse(const std::string &what) {
    return fail(place() + ": did not expect " + what);
  }
};

struct Description {
  std::string name, dtype;
  bool hasDtype = false, hasShape = false, hasOffsets = false;
  std::vector<uint64_t> shape, offsets;
};

class ContentsReader final : public JsonReader {
public:
  std::map<std::string, Description, std::less<>> tensors;
  /// Pairs of strings, in the order of the file.
  Metadata metadataPairs;

  bool start_object(std::size_t) override {
    switch (where) {
    case outside:
      where = top;
      return true;
    case name:
      where = current ? tensor : metadata;
      return true;
    default:
      return refuse("an object");
    }
  }
  bool end_object() override {
    if (where == tensor &&
        (!current->hasDtype || !current->hasShape || !current->hasOffsets))
      return fail(place() + ": expected 'dtype', 'shape' and 'data_offsets'");
    where = where == top ? outside : top;
    return true;
  }
  bool key(string_t &text) override {
    if (where == top && text == "__metadata__") {
      if (hasMetadata)
        return fail("'__metadata__' stands there twice");
      hasMetadata = true;
      current = nullptr;
      where = name;
      return true;
    }
    if (where == top) {
      auto [position, isNew] = tensors.try_emplace(text);
      if (!isNew)
        return fail("tensor " + quote(text) + " stands there twice");
      current = &position->second;
      current->name = text;
      where = name;
      return true;
    }
    if (where == metadata) {
      where = metadataValue;
      metadataPairs.emplace_back(std::move(text), std::string());
      return true;
    }
    field = text;
    bool *has = text == "dtype"          ? &current->hasDtype
                : text == "shape"        ? &current->hasShape
                : text == "data_offsets" ? &current->hasOffsets
                                         : nullptr;
    if (!has)
      return refuse("the key " + quote(text));
    if (*has)
      return fail(place() + ": " + quote(text) + " stands there twice");
    return *has = true;
  }
  bool string(string_t &text) override {
    if (where == metadataValue) {
      where = metadata;
      metadataPairs.back().second = std::move(text);
      return true;
    }
    if (where != tensor || field != "dtype")
      return refuse("the string " + quote(text));
    current->dtype = text;
    field.clear();
    return true;
  }
  bool start_array(std::size_t) override {
    if (where != tensor || (field != "shape" && field != "data_offsets"))
      return refuse("an array");
    where = array;
    return true;
  }
  bool end_array() override {
    where = tensor;
    field.clear();
    return true;
  }
  bool number_unsigned(number_unsigned_t value) override {
    if (where != array)
      return refuse("the number " + std::to_string(value));
    auto &numbers = field == "shape" ? current->shape : current->offsets;
    if (numbers.size() >= 64)
      return fail(place() + ": too many numbers in " + quote(field));
    numbers.push_back(value);
    return true;
  }

protected:
  std::string place() const override {
    return where == outside || where == top ? "at the top"
           : current                        ? "tensor " + quote(current->name)
                                            : "'__metadata__'";
  }

private:
  enum {
    outside,
    top,
    name,
    tensor,
    array,
    metadata,
    metadataValue
  } where = outside;
  bool hasMetadata = false;
  Description *current = nullptr;
  std::string field;
};

class IndexReader final : public JsonReader {
public:
  std::vector<std::pair<std::string, std::string>> weightMap;
  bool hasWeightMap = false;

  // What is not the map is skipped, whatever it is.
  bool null() override { return skipped() || refuse("null"); }
  bool boolean(bool) override { return skipped() || refuse("a truth value"); }
  bool number_integer(number_integer_t) override {
    return skipped() || refuse("a number");
  }
  bool number_unsigned(number_unsigned_t) override {
    return skipped() || refuse("a number");
  }
  bool number_float(number_float_t, const string_t &) override {
    return skipped() || refuse("a number");
  }
  bool string(string_t &text) override {
    if (skipped())
      return true;
    if (depth != 2)
      return refuse("a string");
    weightMap.emplace_back(std::move(name), text);
    return true;
  }
  bool start_object(std::size_t) override {
    if (depth == 0 || (depth == 1 && inMap) || skipped())
      return ++depth, true;
    return refuse("an object");
  }
  bool end_object() override { return --depth, true; }
  bool key(string_t &text) override {
    if (depth == 1) {
      inMap = text == "weight_map";
      if (inMap && hasWeightMap)
        return fail("'weight_map' stands there twice");
      hasWeightMap |= inMap;
    } else if (inMap) {
      name = text;
    }
    return true;
  }
  bool start_array(std::size_t) override {
    return skipped() ? (++depth, true) : refuse("an array");
  }
  bool end_array() override { return --depth, true; }

protected:
  std::string place() const override {
    return depth == 0   ? "at the top"
           : depth == 1 ? "in 'weight_map'"
                        : "tensor " + quote(name) + " in 'weight_map'";
  }

private:
  bool skipped() const { return depth > 0 && !inMap; }
  size_t depth = 0;
  bool inMap = false;
  std::string name;
};

bool parse(std::string_view json, JsonReader &reader) {
  bool good = nlohmann::json::sax_parse(json.begin(), json.end(), &reader);
  if (!good && reader.problem.empty())
    reader.problem = "not JSON";
  return good;
}

} // namespace

//===----------------------------------------------------------------------===//
// The table of contents
//===----------------------------------------------------------------------===//

static Error toEntry(const Description &from, uint64_t dataBytes,
                     HeaderEntry &to) {
  std::string place = "tensor " + quote(from.name);
  bool known = false;
#define INFINI_CHECK(name, bytes)                                              \
  if (from.dtype == #name) {                                                   \
    to.dtype = Dtype::name;                                                    \
    known = true;                                                              \
  }
  INFINI_SAFETENSORS_DTYPES(INFINI_CHECK)
#undef INFINI_CHECK
  if (!known)
    return damaged(place + ": unknown dtype " + quote(from.dtype));
  uint64_t bytes = bytesOf(to.dtype);
  bool overflow = false;
  for (uint64_t dim : from.shape) {
    overflow |=
        dim > uint64_t(INT64_MAX) || __builtin_mul_overflow(bytes, dim, &bytes);
    to.shape.push_back(static_cast<int64_t>(dim));
  }
  if (overflow)
    return damaged(place + ": its size does not fit 64 bits");
  if (from.offsets.size() != 2)
    return damaged(place + ": expected 2 data offsets, got " +
                   std::to_string(from.offsets.size()));
  uint64_t begin = from.offsets[0], end = from.offsets[1];
  if (begin > end)
    return damaged(place + ": its data begins at byte " +
                   std::to_string(begin) + " and ends before, at byte " +
                   std::to_string(end));
  if (end > dataBytes)
    return damaged(place + ": its data ends at byte " + std::to_string(end) +
                   ", the file holds only " + std::to_string(dataBytes) +
                   " bytes of data; is it truncated?");
  if (end - begin != bytes)
    return damaged(place + ": expected " + std::to_string(bytes) +
                   " bytes of data for its shape and dtype, got " +
                   std::to_string(end - begin));
  to.name = from.name;
  to.begin = begin;
  to.bytes = bytes;
  return Error();
}

Error safetensors::readHeaderLength(const uint8_t *file, uint64_t size,
                                    uint64_t &headerBytes) {
  if (size < 8)
    return damaged("expected at least 8 bytes, got " + std::to_string(size) +
                   "; is the file truncated?");
  headerBytes = 0;
  for (int i = 7; i >= 0; --i)
    headerBytes = headerBytes << 8 | file[i];
  // The limit of the reference implementation.
  constexpr uint64_t maxHeaderBytes = 100000000;
  if (headerBytes > size - 8 || headerBytes > maxHeaderBytes)
    return damaged(
        "the header's length is given as " + std::to_string(headerBytes) +
        " bytes, expected at most " +
        std::to_string(std::min<uint64_t>(size - 8, maxHeaderBytes)) +
        "; is the file truncated, or not a safetensors file?");
  return Error();
}

Error safetensors::readHeader(std::string_view header, uint64_t dataBytes,
                              std::vector<HeaderEntry> &entries,
                              Metadata *metadata) {
  if (header.empty() || header[0] != '{')
    return damaged("expected the header to begin with '{'");
  ContentsReader reader;
  if (!parse(header, reader))
    return damaged("header: " + reader.problem);
  if (metadata)
    *metadata = std::move(reader.metadataPairs);

  entries.clear();
  for (const auto &[name, description] : reader.tensors) {
    entries.emplace_back();
    if (Error error = toEntry(description, dataBytes, entries.back()))
      return error;
  }
  // Together the tensors are the data: no byte belongs to two or to none.
  std::vector<const HeaderEntry *> order;
  for (const HeaderEntry &entry : entries)
    order.push_back(&entry);
  std::sort(order.begin(), order.end(),
            [](const HeaderEntry *a, const HeaderEntry *b) {
              return a->begin != b->begin ? a->begin < b->begin
                                          : a->bytes < b->bytes;
            });
  uint64_t end = 0;
  for (const HeaderEntry *entry : order) {
    if (entry->begin < end)
      return damaged("tensor " + quote(entry->name) +
                     ": its data overlaps that of another");
    if (entry->begin > end)
      return damaged("tensor " + quote(entry->name) + ": " +
                     std::to_string(entry->begin - end) +
                     " bytes before its data belong to no tensor");
    end = entry->begin + entry->bytes;
  }
  if (end != dataBytes)
    return damaged("the last " + std::to_string(dataBytes - end) +
                   " bytes of the file belong to no tensor");
  return Error();
}

Error safetensors::readContents(const uint8_t *file, size_t size,
                                std::vector<Tensor> &tensors) {
  uint64_t headerBytes;
  if (Error error = readHeaderLength(file, size, headerBytes))
    return error;
  std::string_view header(reinterpret_cast<const char *>(file) + 8,
                          headerBytes);
  std::vector<HeaderEntry> entries;
  if (Error error = readHeader(header, size - 8 - headerBytes, entries))
    return error;
  tensors.clear();
  for (HeaderEntry &entry : entries)
    tensors.push_back({std::move(entry.name), entry.dtype,
                       std::move(entry.shape),
                       file + 8 + headerBytes + entry.begin, entry.bytes});
  return Error();
}

Error safetensors::readIndex(
    std::string_view json,
    std::vector<std::pair<std::string, std::string>> &weightMap) {
  IndexReader reader;
  if (!parse(json, reader))
    return damaged(reader.problem);
  if (!reader.hasWeightMap)
    return damaged("expected the key 'weight_map'");
  std::sort(reader.weightMap.begin(), reader.weightMap.end());
  for (size_t i = 0; i < reader.weightMap.size(); ++i) {
    const auto &[name, file] = reader.weightMap[i];
    if (i && name == reader.weightMap[i - 1].first)
      return damaged("tensor " + quote(name) + " stands there twice");
    // A shard lies in the folder: a downloaded index must not reach out of it.
    if (file.empty() || file == "." || file == ".." ||
        file.find('/') != std::string::npos ||
        file.find('\0') != std::string::npos)
      return damaged("tensor " + quote(name) +
                     ": expected the name of a file in the same folder, got " +
                     quote(file));
  }
  weightMap = std::move(reader.weightMap);
  return Error();
}

//===----------------------------------------------------------------------===//
// Files
//===----------------------------------------------------------------------===//

static std::string systemError() { return strerror(errno); }

static bool exists(const std::string &path) {
  struct stat info;
  return stat(path.c_str(), &info) == 0;
}

Model::~Model() {
  for (const Mapping &mapping : mappings)
    munmap(mapping.data, mapping.bytes);
}

/// Maps a file; `bytes` = 0 and null for an empty one.
static Error mapFile(const std::string &path, void *&data, size_t &bytes) {
  int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  struct stat info;
  if (fd < 0)
    return failure(Error::user,
                   "cannot open " + quote(path) + ": " + systemError());
  Error error;
  data = nullptr;
  bytes = 0;
  if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
    error = failure(Error::user,
                    "cannot open " + quote(path) + ": expected a regular file");
  } else if (info.st_size > 0) {
    bytes = static_cast<size_t>(info.st_size);
    data = mmap(nullptr, bytes, PROT_READ, MAP_PRIVATE, fd, 0);
    if (data == MAP_FAILED)
      error = failure(Error::user,
                      "cannot map " + quote(path) + ": " + systemError());
  }
  close(fd);
  return error;
}

Error Model::addFile(const std::string &path, std::vector<Tensor> &tensors) {
  Mapping mapping;
  // Room first: what is mapped must not be lost when there is no memory.
  mappings.reserve(mappings.size() + 1);
  if (Error error = mapFile(path, mapping.data, mapping.bytes))
    return error;
  if (mapping.bytes)
    mappings.push_back(mapping);
  Error error = readContents(static_cast<const uint8_t *>(mapping.data),
                             mapping.bytes, tensors);
  if (error)
    error.message = quote(path) + ": " + error.message;
  return error;
}

Error Model::addShards(const std::string &folder, const std::string &index) {
  Mapping mapping;
  // Room first: what is mapped must not be lost when there is no memory.
  mappings.reserve(mappings.size() + 1);
  if (Error error = mapFile(index, mapping.data, mapping.bytes))
    return error;
  if (mapping.bytes)
    mappings.push_back(mapping);
  std::vector<std::pair<std::string, std::string>> weightMap;
  Error error = readIndex(
      {static_cast<const char *>(mapping.data), mapping.bytes}, weightMap);
  if (error) {
    error.message = quote(index) + ": " + error.message;
    return error;
  }
  std::map<std::string, std::vector<Tensor>> shards;
  for (const auto &[name, file] : weightMap) {
    auto [position, isNew] = shards.try_emplace(file);
    std::string path = folder + "/" + file;
    if (isNew && !exists(path))
      return damaged(quote(index) + ": the shard " + quote(file) +
                     " of tensor " + quote(name) + " is missing");
    if (isNew)
      if (Error error = addFile(path, position->second))
        return error;
    // Sorted by name, as readContents leaves them.
    auto &tensors = position->second;
    auto found =
        std::lower_bound(tensors.begin(), tensors.end(), name,
                         [](const Tensor &tensor, const std::string &wanted) {
                           return tensor.name < wanted;
                         });
    if (found == tensors.end() || found->name != name)
      return damaged(quote(index) + ": tensor " + quote(name) +
                     " is not in its shard " + quote(file));
    list.push_back(*found);
  }
  return Error();
}

Error Model::open(const std::string &path,
                  std::unique_ptr<const Model> &result) {
  std::unique_ptr<Model> model(new Model());
  model->place = path;
  struct stat info;
  if (stat(path.c_str(), &info) != 0)
    return failure(Error::user,
                   "cannot open " + quote(path) + ": " + systemError());
  Error error;
  if (!S_ISDIR(info.st_mode)) {
    error = model->addFile(path, model->list);
  } else if (std::string file = path + "/model.safetensors"; exists(file)) {
    error = model->addFile(file, model->list);
  } else if (std::string index = file + ".index.json"; exists(index)) {
    error = model->addShards(path, index);
  } else {
    error = failure(Error::user, "folder " + quote(path) +
                                     " has neither 'model.safetensors' nor "
                                     "'model.safetensors.index.json'");
  }
  if (!error)
    result = std::move(model);
  return error;
}

const Tensor *Model::find(std::string_view name) const {
  auto found = std::lower_bound(
      list.begin(), list.end(), name,
      [](const Tensor &tensor, std::string_view n) { return tensor.name < n; });
  return found != list.end() && found->name == name ? &*found : nullptr;
}
