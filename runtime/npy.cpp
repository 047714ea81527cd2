// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
#include "infini/runtime/npy.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace infini;

size_t infini::bytesOf(NpyType type) {
#define INFINI_BYTES(name, code, bytes) bytes,
  static const uint8_t table[] = {INFINI_NPY_TYPES(INFINI_BYTES)};
#undef INFINI_BYTES
  return table[static_cast<unsigned>(type)];
}

std::string infini::descriptionOf(NpyType type) {
#define INFINI_CODE(name, code, bytes) code,
  static const char *const table[] = {INFINI_NPY_TYPES(INFINI_CODE)};
#undef INFINI_CODE
  return (bytesOf(type) == 1 ? "|" : "<") +
         std::string(table[static_cast<unsigned>(type)]);
}

//===----------------------------------------------------------------------===//
// The header's dictionary: a literal of Python, of which NumPy writes a small
// part.
//===----------------------------------------------------------------------===//

namespace {

class DictionaryParser {
public:
  explicit DictionaryParser(std::string_view text) : text(text) {}

  Status parse(NpyHeader &header) {
    bool hasType = false, hasOrder = false, hasShape = false;
    if (!take('{'))
      return expected("'{'");
    while (!take('}')) {
      std::string key;
      if (!string(key) || !take(':'))
        return expected("a key");
      if (key == "descr" && !hasType) {
        hasType = true;
        INFINI_TRY(parseType(header));
      } else if (key == "fortran_order" && !hasOrder) {
        hasOrder = true;
        if (word("True"))
          isFortran = true;
        else if (!word("False"))
          return expected("True or False");
      } else if (key == "shape" && !hasShape) {
        hasShape = true;
        INFINI_TRY(parseShape(header));
      } else {
        return dataError("header: unexpected key ", quoted(key));
      }
      if (!take(',') && !peek('}'))
        return expected("',' or '}'");
    }
    skipSpace();
    if (at != text.size())
      return expected("the end");
    if (!hasType || !hasOrder || !hasShape)
      return dataError("header: expected 'descr', 'fortran_order' and 'shape'");
    // Of a vector both orders are the same.
    if (isFortran && header.shape.size() > 1)
      return userError("the array is in Fortran's order, expected C's; save "
                       "numpy.ascontiguousarray(x)");
    return countElements(header);
  }

private:
  Status parseType(NpyHeader &header) {
    std::string code;
    if (!string(code))
      return userError(
          "the array has structured elements, expected plain numbers");
#define INFINI_CHECK(name, letters, bytes)                                     \
  if (code.size() == 3 && code.compare(1, 2, letters) == 0 &&                  \
      (code[0] == '<' || code[0] == '=' || (code[0] == '|' && bytes == 1))) {  \
    header.type = NpyType::name;                                               \
    return Status();                                                           \
  }
    INFINI_NPY_TYPES(INFINI_CHECK)
#undef INFINI_CHECK
    return userError("the array has elements of type ", quoted(code),
                     ", expected little-endian f2, f4, f8, i1 to i8, u1 to u8 "
                     "or b1");
  }

  Status parseShape(NpyHeader &header) {
    if (!take('('))
      return expected("a tuple");
    while (!take(')')) {
      skipSpace();
      int64_t value = 0;
      size_t start = at;
      for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at)
        if (__builtin_mul_overflow(value, int64_t(10), &value) ||
            __builtin_add_overflow(value, int64_t(text[at] - '0'), &value))
          return dataError("header: a dimension does not fit 64 bits");
      if (at == start)
        return expected("a dimension");
      // Python 2 wrote long integers so.
      if (at < text.size() && text[at] == 'L')
        ++at;
      header.shape.push_back(value);
      if (header.shape.size() > 64)
        return dataError("header: more than 64 dimensions");
      if (!take(',') && !peek(')'))
        return expected("',' or ')'");
    }
    return Status();
  }

  static Status countElements(NpyHeader &header) {
    int64_t bytes;
    header.elements = 1;
    if (std::count(header.shape.begin(), header.shape.end(), 0)) {
      header.elements = 0;
      return Status();
    }
    for (int64_t dim : header.shape)
      if (__builtin_mul_overflow(header.elements, dim, &header.elements))
        return dataError("header: the size does not fit 64 bits");
    if (__builtin_mul_overflow(header.elements,
                               static_cast<int64_t>(bytesOf(header.type)),
                               &bytes))
      return dataError("header: the size does not fit 64 bits");
    return Status();
  }

  void skipSpace() {
    while (at < text.size() && (text[at] == ' ' || text[at] == '\n'))
      ++at;
  }
  bool peek(char c) {
    skipSpace();
    return at < text.size() && text[at] == c;
  }
  bool take(char c) {
    bool found = peek(c);
    at += found;
    return found;
  }
  bool word(std::string_view wanted) {
    skipSpace();
    bool found = text.substr(at, wanted.size()) == wanted;
    at += found ? wanted.size() : 0;
    return found;
  }
  bool string(std::string &value) {
    char quote = peek('"') ? '"' : '\'';
    if (!take(quote))
      return false;
    size_t end = text.find(quote, at);
    if (end == std::string_view::npos)
      return false;
    value = text.substr(at, end - at);
    at = end + 1;
    return true;
  }
  Status expected(const char *what) {
    return dataError("header: expected ", what, " at byte ", at);
  }

  std::string_view text;
  size_t at = 0;
  bool isFortran = false;
};

} // namespace

Status infini::parseNpyHeader(std::string_view dictionary, NpyHeader &header) {
  header = NpyHeader();
  return DictionaryParser(dictionary).parse(header);
}

//===----------------------------------------------------------------------===//
// Reading
//===----------------------------------------------------------------------===//

NpyReader::~NpyReader() {
  if (fd >= 0)
    close(fd);
}

Status NpyReader::readBytes(void *to, size_t size, const char *what) {
  auto *at = static_cast<char *>(to);
  for (size_t done = 0; done < size;) {
    ssize_t count = ::read(fd, at + done, size - done);
    if (count < 0 && errno == EINTR)
      continue;
    if (count < 0)
      return userError("cannot read ", quoted(path), ": ", strerror(errno));
    if (count == 0)
      return dataError(quoted(path), " is truncated: expected ", size,
                       " bytes of ", what, ", got ", done);
    done += static_cast<size_t>(count);
  }
  return Status();
}

Status NpyReader::readHeader() {
  uint8_t start[8];
  INFINI_TRY(readBytes(start, sizeof start, "header"));
  if (std::memcmp(start, "\x93NUMPY", 6) != 0)
    return dataError(quoted(path), " is not a .npy file");
  if (start[6] < 1 || start[6] > 3)
    return dataError(quoted(path), " has the .npy version ", int(start[6]),
                     ", expected 1 to 3");
  uint8_t length[4] = {};
  size_t lengthBytes = start[6] == 1 ? 2 : 4;
  INFINI_TRY(readBytes(length, lengthBytes, "header"));
  size_t size =
      length[0] | length[1] << 8 | length[2] << 16 | size_t(length[3]) << 24;
  if (size > 1 << 20)
    return dataError(quoted(path), " has a header of ", size,
                     " bytes, expected at most ", 1 << 20);
  std::string dictionary(size, 0);
  INFINI_TRY(readBytes(dictionary.data(), size, "header"));
  INFINI_TRY_AT(parseNpyHeader(dictionary, contents), quoted(path));
  struct stat info;
  auto expected =
      static_cast<uint64_t>(contents.elements) * bytesOf(contents.type);
  uint64_t before = 8 + lengthBytes + size;
  if (fstat(fd, &info) == 0 && S_ISREG(info.st_mode) &&
      static_cast<uint64_t>(info.st_size) != before + expected)
    return dataError(quoted(path),
                     static_cast<uint64_t>(info.st_size) < before + expected
                         ? " is truncated"
                         : " is damaged",
                     ": expected ", expected, " bytes of data for ",
                     shapeText(contents.shape.data(), contents.shape.size()),
                     " ", descriptionOf(contents.type), ", got ",
                     static_cast<uint64_t>(info.st_size) - before);
  return Status();
}

Status NpyReader::open(const std::string &newPath) {
  path = newPath;
  if (fd >= 0)
    close(fd);
  fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return userError("cannot open ", quoted(path), ": ", strerror(errno));
  return readHeader();
}

Status NpyReader::read(void *to, int64_t count) {
  return readBytes(to, static_cast<size_t>(count) * bytesOf(contents.type),
                   "data");
}

Status infini::loadNpy(const std::string &path, NpyArray &array) {
  NpyReader reader;
  INFINI_TRY(reader.open(path));
  array.header = reader.header();
  array.data.resize(static_cast<size_t>(array.header.elements) *
                    bytesOf(array.header.type));
  return reader.read(array.data.data(), array.header.elements);
}

//===----------------------------------------------------------------------===//
// Writing
//===----------------------------------------------------------------------===//

static std::string dictionaryOf(NpyType type,
                                const std::vector<int64_t> &shape) {
  std::string text = "{'descr': '" + descriptionOf(type) +
                     "', 'fortran_order': False, 'shape': (";
  for (int64_t dim : shape)
    text += std::to_string(dim) + (shape.size() == 1 ? "," : ", ");
  if (shape.size() > 1)
    text.resize(text.size() - 2);
  return text + "), }";
}

/// A version 1 header of `size` bytes, or, with 0, as short as it may be.
static std::string headerOf(NpyType type, const std::vector<int64_t> &shape,
                            size_t size) {
  std::string dictionary = dictionaryOf(type, shape);
  if (!size)
    size = (10 + dictionary.size() + 1 + 63) / 64 * 64;
  dictionary.resize(size - 11, ' ');
  dictionary += '\n';
  std::string header("\x93NUMPY\1\0", 8);
  header += static_cast<char>(dictionary.size() & 0xff);
  header += static_cast<char>(dictionary.size() >> 8);
  return header + dictionary;
}

std::string NpyWriter::makeHeader() const {
  // The same size whatever the number of rows, so that it can be written again.
  std::vector<int64_t> shape = {INT64_MAX};
  shape.insert(shape.end(), rowShape.begin(), rowShape.end());
  size_t size = headerOf(type, shape, 0).size();
  shape[0] = rows;
  return headerOf(type, shape, size);
}

Status NpyWriter::open(const std::string &path, NpyType newType,
                       std::vector<int64_t> newRowShape) {
  type = newType;
  rowShape = std::move(newRowShape);
  rows = 0;
  rowBytes = bytesOf(type);
  for (int64_t dim : rowShape)
    rowBytes *= static_cast<size_t>(dim);
  INFINI_TRY(file.open(path));
  std::string header = makeHeader();
  return file.write(header.data(), header.size());
}

Status NpyWriter::append(const void *data, int64_t count) {
  rows += count;
  return file.write(data, static_cast<size_t>(count) * rowBytes);
}

Status NpyWriter::finish() {
  std::string header = makeHeader();
  INFINI_TRY(file.rewrite(header.data(), header.size()));
  return file.commit();
}

Status infini::saveNpy(const std::string &path, NpyType type,
                       const std::vector<int64_t> &shape, const void *data,
                       size_t bytes) {
  OutputFile file;
  std::string header = headerOf(type, shape, 0);
  INFINI_TRY(file.open(path));
  INFINI_TRY(file.write(header.data(), header.size()));
  INFINI_TRY(file.write(data, bytes));
  return file.commit();
}
