// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
#include "infini/runtime/package.h"
#include "infini/runtime/nearest_name.h"
#include "infini/runtime/package_file.h"
#include "infini/runtime/package_generated.h"

#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <new>
#include <sys/stat.h>
#include <unistd.h>

using namespace infini;

void Package::AlignedBytes::operator()(uint8_t *bytes) const { free(bytes); }

Package::Bytes Package::allocate(size_t size) {
  size_t rounded = (size + 63) / 64 * 64;
  if (rounded < size)
    throw std::bad_alloc();
  auto *bytes =
      static_cast<uint8_t *>(aligned_alloc(64, rounded ? rounded : 64));
  if (!bytes)
    throw std::bad_alloc();
  return Bytes(bytes);
}

//===----------------------------------------------------------------------===//
// Header
//===----------------------------------------------------------------------===//

static Status checkHeader(const uint8_t *bytes, size_t size) {
  PackageHeader header;
  // The magic first, and the version before the checksum: a file of another
  // kind or version should be told apart from a damaged one.
  if (size < sizeof packageMagic ||
      std::memcmp(bytes, packageMagic, sizeof packageMagic) != 0)
    return dataError("not an infini package: expected it to start with "
                     "'INFINI\\0\\1'");
  if (size < packageHeaderBytes)
    return dataError("truncated package: expected a header of ",
                     packageHeaderBytes, " bytes, got ", size);
  std::memcpy(&header, bytes, sizeof header);
  if (header.version != packageFormatVersion)
    return dataError("package of format version ", header.version,
                     ", this runtime reads version ", packageFormatVersion,
                     "; compile the package again");
  uint8_t checksum[16];
  packageChecksum(bytes, offsetof(PackageHeader, headerChecksum), checksum);
  if (std::memcmp(checksum, header.headerChecksum, sizeof checksum) != 0)
    return dataError("damaged package: the header's checksum does not match");
  if (header.headerBytes != packageHeaderBytes || header.zero != 0)
    return dataError("damaged package: unexpected header fields");
  if (header.payloadBytes != size - packageHeaderBytes)
    return dataError(size - packageHeaderBytes < header.payloadBytes
                         ? "truncated"
                         : "damaged",
                     " package: expected a payload of ", header.payloadBytes,
                     " bytes, got ", size - packageHeaderBytes);
  packageChecksum(bytes + packageHeaderBytes, header.payloadBytes, checksum);
  if (std::memcmp(checksum, header.payloadChecksum, sizeof checksum) != 0)
    return dataError("damaged package: the payload's checksum does not match");
  return Status();
}

//===----------------------------------------------------------------------===//
// Decoding: from a structurally sound FlatBuffer to structs. Enumerations are
// range-checked here, because an enum class must not hold what it cannot.
//===----------------------------------------------------------------------===//

namespace {

std::string decode(const flatbuffers::String *string) {
  return string ? string->str() : std::string();
}

template <typename T>
std::vector<T> decode(const flatbuffers::Vector<T> *vector) {
  return vector ? std::vector<T>(vector->begin(), vector->end())
                : std::vector<T>();
}

std::vector<std::string>
decode(const flatbuffers::Vector<flatbuffers::Offset<flatbuffers::String>> *v) {
  std::vector<std::string> result;
  for (size_t i = 0, e = v ? v->size() : 0; i < e; ++i)
    result.push_back(decode(v->Get(i)));
  return result;
}

template <typename Enum>
Status decodeEnum(unsigned value, unsigned count, const char *what,
                  Enum &result) {
  if (value >= count)
    return dataError("unknown ", what, " ", value, ", expected less than ",
                     count);
  result = static_cast<Enum>(value);
  return Status();
}

/// Structs in vectors are copied bytewise: the verifier of FlatBuffers does not
/// promise that they are aligned.
template <typename T>
T structAt(const flatbuffers::Vector<const T *> *vector, size_t index) {
  T result;
  std::memcpy(static_cast<void *>(&result), vector->Data() + index * sizeof(T),
              sizeof(T));
  return result;
}

Status decode(const fb::Port &from, Port &to) {
  to.name = decode(from.name());
  INFINI_TRY(decodeEnum(from.kind(), portKindCount, "port kind", to.kind));
  INFINI_TRY(
      decodeEnum(from.element(), elementTypeCount, "element type", to.element));
  for (size_t i = 0, e = from.dims() ? from.dims()->size() : 0; i < e; ++i) {
    fb::Dim dim = structAt(from.dims(), i);
    to.dims.push_back({dim.value(), dim.variable()});
  }
  to.shape = decode(from.shape());
  to.scalarVariable = from.scalar_variable();
  to.scalarExpr = from.scalar_expr();
  to.buffer = from.buffer();
  return Status();
}

Status decode(const fb::Expr &from, Expression &to);
Status decode(const fb::Buffer &from, Buffer &to);
Status decode(const fb::Check &from, Check &to);
Status decode(const fb::Command &from, Command &to);
Status decode(const fb::Entry &from, Entry &to);
Status decode(const fb::Kernel &from, Kernel &to);
Status decode(const fb::Variant &from, Variant &to);
Status decode(const fb::Target &from, Target &to);

template <typename From, typename To>
Status decodeAll(const flatbuffers::Vector<flatbuffers::Offset<From>> *from,
                 std::vector<To> &to) {
  size_t size = from ? from->size() : 0;
  to.resize(size);
  for (size_t i = 0; i < size; ++i)
    INFINI_TRY(decode(*from->Get(i), to[i]));
  return Status();
}

Status decode(const fb::Expr &from, Expression &to) {
  for (size_t i = 0; i < from.nodes()->size(); ++i) {
    fb::ExprNode node = structAt(from.nodes(), i);
    ExpressionNode decoded;
    INFINI_TRY(decodeEnum(node.op(), expressionOpCount, "expression operation",
                          decoded.op));
    decoded.operand = node.operand();
    to.nodes.push_back(decoded);
  }
  return Status();
}

Status decode(const fb::Buffer &from, Buffer &to) {
  if (from.kind() > fb::BufferKind_MAX)
    return dataError("unknown buffer kind ", unsigned(from.kind()));
  to = {from.kind() == fb::BufferKind_arena, from.size(), from.offset()};
  return Status();
}

Status decode(const fb::Check &from, Check &to) {
  to.left = from.left();
  to.right = from.right();
  to.message = decode(from.message());
  return decodeEnum(from.relation(), relationCount, "relation", to.relation);
}

Status decode(const fb::Command &from, Command &to) {
  INFINI_TRY(
      decodeEnum(from.kind(), commandKindCount, "command kind", to.kind));
  INFINI_TRY(
      decodeEnum(from.element(), elementTypeCount, "element type", to.element));
  to.label = decode(from.label());
  to.buffers = decode(from.buffers());
  to.kernel = from.kernel();
  to.grid = decode(from.grid());
  to.scalars = decode(from.scalars());
  to.m = from.m();
  to.n = from.n();
  to.k = from.k();
  to.transposeA = from.transpose_a();
  to.transposeB = from.transpose_b();
  to.accumulate = from.accumulate();
  to.bytes = from.bytes();
  to.pattern = from.pattern();
  to.patternBytes = from.pattern_bytes();
  to.variable = from.variable();
  to.tripCount = from.trip_count();
  return decodeAll(from.body(), to.body);
}

Status decode(const fb::Entry &from, Entry &to) {
  to.name = decode(from.name());
  to.variables = from.variables();
  to.variableNames = decode(from.variable_names());
  to.arenaSize = from.arena_size();
  std::string place = "entry " + quoted(to.name);
  INFINI_TRY_AT(decodeAll(from.inputs(), to.inputs), place);
  INFINI_TRY_AT(decodeAll(from.outputs(), to.outputs), place);
  INFINI_TRY_AT(decodeAll(from.expressions(), to.expressions), place);
  INFINI_TRY_AT(decodeAll(from.checks(), to.checks), place);
  INFINI_TRY_AT(decodeAll(from.buffers(), to.buffers), place);
  return decodeAll(from.commands(), to.commands).at(place);
}

Status decode(const fb::Kernel &from, Kernel &to) {
  to = {decode(from.name()), from.buffers(), from.scalars(), from.grid_rank()};
  return Status();
}

Status decode(const fb::Variant &from, Variant &to) {
  INFINI_TRY(decodeAll(from.entries(), to.entries));
  return decodeAll(from.kernels(), to.kernels);
}

Status decode(const fb::Target &from, Target &to) {
  to.kind = decode(from.kind());
  to.variant = from.variant();
  to.chip = decode(from.chip());
  INFINI_TRY(
      decodeEnum(from.format(), imageFormatCount, "image format", to.format));
  size_t launches = from.launches() ? from.launches()->size() : 0;
  for (size_t i = 0; i < launches; ++i) {
    fb::KernelLaunch launch = structAt(from.launches(), i);
    to.launches.push_back({launch.threads(), launch.shared_bytes()});
  }
  to.triple = decode(from.triple());
  to.cpu = decode(from.cpu());
  to.features = decode(from.features());
  to.image = from.image()->data();
  to.imageBytes = from.image()->size();
  return Status();
}

Status decode(const fb::Package &from, Program &to) {
  to.producer = decode(from.producer());
  to.source = decode(from.source());
  if (const fb::Model *model = from.model()) {
    to.hasModel = true;
    to.model = {decode(model->fingerprint()), decode(model->config()),
                model->vocab_size(),          model->layers(),
                model->segment_length(),      model->max_tokens_per_call()};
  }
  INFINI_TRY(decodeAll(from.variants(), to.variants));
  return decodeAll(from.targets(), to.targets);
}

} // namespace

//===----------------------------------------------------------------------===//
// Opening
//===----------------------------------------------------------------------===//

Status Package::fromBytes(Bytes bytes, size_t size,
                          std::shared_ptr<const Package> &result) {
  INFINI_TRY(checkHeader(bytes.get(), size));
  const uint8_t *payload = bytes.get() + packageHeaderBytes;
  size_t payloadBytes = size - packageHeaderBytes;
  // Beyond this FlatBuffers' verifier asserts.
  if (payloadBytes >= FLATBUFFERS_MAX_BUFFER_SIZE)
    return dataError("package of ", payloadBytes,
                     " bytes, expected less than 2 GiB");
  flatbuffers::Verifier::Options options;
  options.max_depth = 32;
  options.max_tables = 4000000;
  flatbuffers::Verifier verifier(payload, payloadBytes, options);
  if (!fb::VerifyPackageBuffer(verifier))
    return dataError("damaged package: the payload is not a well-formed "
                     "FlatBuffer of this schema");
  auto package = std::make_shared<Package>();
  package->bytes = std::move(bytes);
  INFINI_TRY_AT(decode(*fb::GetPackage(payload), package->contents),
                "inconsistent package");
  INFINI_TRY_AT(verifyProgram(package->contents), "inconsistent package");
  result = std::move(package);
  return Status();
}

PackageHeader Package::header() const {
  PackageHeader header;
  std::memcpy(&header, bytes.get(), sizeof header);
  return header;
}

Status Package::fromMemory(const void *bytes, size_t size,
                           std::shared_ptr<const Package> &package) {
  Bytes copy = allocate(size);
  if (size)
    std::memcpy(copy.get(), bytes, size);
  return fromBytes(std::move(copy), size, package);
}

namespace {
struct FileDescriptor {
  int fd;
  ~FileDescriptor() {
    if (fd >= 0)
      close(fd);
  }
};
} // namespace

Status Package::open(const std::string &path,
                     std::shared_ptr<const Package> &package) {
  // Read, not mapped: what was verified must not change under our feet.
  FileDescriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  struct stat info;
  if (file.fd < 0 || fstat(file.fd, &info) != 0)
    return userError("cannot open package ", quoted(path), ": ",
                     strerror(errno));
  if (!S_ISREG(info.st_mode))
    return userError("cannot open package ", quoted(path), ": expected a file");
  auto size = static_cast<size_t>(info.st_size);
  Bytes bytes = allocate(size);
  for (size_t done = 0; done < size;) {
    ssize_t count = read(file.fd, bytes.get() + done, size - done);
    if (count < 0 && errno == EINTR)
      continue;
    if (count < 0)
      return userError("cannot read package ", quoted(path), ": ",
                       strerror(errno));
    if (count == 0)
      return dataError("package ", quoted(path),
                       " became shorter while it "
                       "was read: expected ",
                       size, " bytes, got ", done);
    done += static_cast<size_t>(count);
  }
  return fromBytes(std::move(bytes), size, package).at(quoted(path));
}

//===----------------------------------------------------------------------===//
// Entries
//===----------------------------------------------------------------------===//

static bool isInit(const std::string &name) {
  return name.size() > 5 && name.compare(name.size() - 5, 5, ".init") == 0;
}

Status Package::selectEntry(std::string_view name, size_t variant,
                            const Entry *&entry) const {
  std::vector<std::string> names;
  const Variant &entries = contents.variants[variant];
  for (const Entry &candidate : entries.entries)
    if (!isInit(candidate.name))
      names.push_back(candidate.name);
  entry = entries.findEntry(name.empty() ? "main" : name);
  if (entry)
    return Status();
  if (name.empty() && names.size() == 1) {
    entry = entries.findEntry(names.front());
    return Status();
  }
  std::string list;
  for (const std::string &candidate : names)
    list += (list.empty() ? "" : ", ") + quoted(candidate);
  if (name.empty())
    return userError("the package has no entry 'main' and ", names.size(),
                     " others; name one of: ", list);
  return userError("the package has no entry ", quoted(name),
                   "; it has: ", list);
}
