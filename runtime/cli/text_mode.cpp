// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// infini-run on a model: a text of any length in, logits out, in constant
// memory.

#include "infini/runtime/cli/console.h"
#include "infini/runtime/cli/handles.h"
#include "infini/runtime/cli/memory_statistics.h"
#include "infini/runtime/cli/options.h"
#include "infini/runtime/cli/tensors.h"
#include "infini/runtime/cli/trace_file.h"
#include "infini/runtime/npy.h"

#include <algorithm>
#include <cerrno>
#include <cinttypes>
#include <climits>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <functional>
#include <optional>
#include <sys/stat.h>
#include <unistd.h>

using namespace infini;
using namespace infini::cli;

namespace {

/// Where tokens come from, piece by piece.
class TokenSource {
public:
  virtual ~TokenSource() = default;
  /// The next tokens, at most `tokens.capacity()`; none at the end.
  virtual Status next(std::vector<int32_t> &tokens) = 0;
  /// 0 when it is not known before.
  uint64_t total = 0;
};

class ByteSource final : public TokenSource {
public:
  ~ByteSource() override {
    if (fd >= 0)
      close(fd);
  }
  Status open(const std::string &newPath) {
    path = newPath;
    struct stat info;
    fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &info) != 0)
      return userError("cannot open ", quoted(path), ": ", strerror(errno));
    if (S_ISREG(info.st_mode))
      total = static_cast<uint64_t>(info.st_size);
    return Status();
  }
  Status next(std::vector<int32_t> &tokens) override {
    bytes.resize(tokens.capacity());
    ssize_t count;
    do
      count = ::read(fd, bytes.data(), bytes.size());
    while (count < 0 && errno == EINTR);
    if (count < 0)
      return userError("cannot read ", quoted(path), ": ", strerror(errno));
    tokens.assign(bytes.begin(), bytes.begin() + count);
    return Status();
  }

private:
  int fd = -1;
  std::string path;
  std::vector<uint8_t> bytes;
};

class NpySource final : public TokenSource {
public:
  Status open(const std::string &newPath) {
    path = newPath;
    INFINI_TRY(reader.open(path));
    const NpyHeader &header = reader.header();
    if (header.shape.size() != 1)
      return userError(quoted(path), ": expected token ids of shape [T], got ",
                       shapeText(header.shape.data(), header.shape.size()));
    if (header.type == NpyType::f16 || header.type == NpyType::f32 ||
        header.type == NpyType::f64 || header.type == NpyType::b1)
      return userError(quoted(path), ": expected integers, got '",
                       descriptionOf(header.type), "'");
    total = static_cast<uint64_t>(header.elements);
    return Status();
  }
  Status next(std::vector<int32_t> &tokens) override {
    size_t count = static_cast<size_t>(
        std::min<uint64_t>(tokens.capacity(), total - done));
    size_t width = bytesOf(reader.header().type);
    bytes.resize(count * width);
    INFINI_TRY(reader.read(bytes.data(), static_cast<int64_t>(count)));
    tokens.resize(count);
    for (size_t i = 0; i < count; ++i)
      INFINI_TRY(convert(&bytes[i * width], done + i, tokens[i]));
    done += count;
    return Status();
  }

private:
  template <typename T>
  Status convertAs(const uint8_t *from, uint64_t position, int32_t &token) {
    T value;
    std::memcpy(&value, from, sizeof value);
    token = static_cast<int32_t>(value);
    if (static_cast<T>(token) != value || (token < 0) != (value < T(0)))
      return userError(quoted(path), ": token at position ", position,
                       ": expected an id of 32 bits, got ", +value);
    return Status();
  }
  Status convert(const uint8_t *from, uint64_t position, int32_t &token) {
    switch (reader.header().type) {
    case NpyType::i8:
      return convertAs<int8_t>(from, position, token);
    case NpyType::i16:
      return convertAs<int16_t>(from, position, token);
    case NpyType::i32:
      return convertAs<int32_t>(from, position, token);
    case NpyType::u8:
      return convertAs<uint8_t>(from, position, token);
    case NpyType::u16:
      return convertAs<uint16_t>(from, position, token);
    case NpyType::u32:
      return convertAs<uint32_t>(from, position, token);
    case NpyType::u64:
      return convertAs<uint64_t>(from, position, token);
    default:
      return convertAs<int64_t>(from, position, token);
    }
  }

  NpyReader reader;
  std::string path;
  std::vector<uint8_t> bytes;
  uint64_t done = 0;
};

/// The last rows of a matrix that comes in pieces.
class LastRows {
public:
  LastRows(uint64_t most, size_t width) : most(most), width(width) {}

  void append(const float *rows, size_t count) {
    // Of more rows than are kept only the last matter.
    size_t skipped = count > most ? count - static_cast<size_t>(most) : 0;
    for (size_t i = skipped; i < count; ++i) {
      const float *row = rows + i * width;
      if (kept.size() / width < most) {
        kept.insert(kept.end(), row, row + width);
        continue;
      }
      std::copy(row, row + width, kept.begin() + oldest * width);
      oldest = (oldest + 1) % static_cast<size_t>(most);
    }
  }
  /// In order.
  Status write(NpyWriter &writer) const {
    size_t count = kept.size() / width;
    INFINI_TRY(writer.append(kept.data() + oldest * width,
                             static_cast<int64_t>(count - oldest)));
    return writer.append(kept.data(), static_cast<int64_t>(oldest));
  }

private:
  uint64_t most;
  size_t width, oldest = 0;
  std::vector<float> kept;
};

/// A folder for the state's files. One that was made for them is removed again
/// when they are not written.
class StateFolder {
public:
  ~StateFolder() {
    if (isNew)
      rmdir(path.c_str());
  }
  Status open(const std::string &newPath) {
    path = newPath;
    if (mkdir(path.c_str(), 0777) == 0) {
      isNew = true;
      return Status();
    }
    struct stat info;
    if (errno == EEXIST && stat(path.c_str(), &info) == 0) {
      if (S_ISDIR(info.st_mode))
        return Status();
      errno = ENOTDIR;
    }
    return userError("--dump-state: cannot use the folder ", quoted(path), ": ",
                     strerror(errno));
  }
  Status write(const infini_session *session);

private:
  Status writeOne(const infini_session *session, const std::string &name);

  std::string path;
  bool isNew = false;
};

Status StateFolder::writeOne(const infini_session *session,
                             const std::string &name) {
  // The package gives the names.
  if (name.empty() || name.find('/') != std::string::npos)
    return userError("--dump-state: the state ", quoted(name),
                     " cannot be the name of a file");
  infini_tensor tensor = {};
  INFINI_TRY(
      Status::adopt(infini_session_read_state(session, name.c_str(), &tensor)));
  std::vector<int64_t> shape(tensor.shape, tensor.shape + tensor.rank);
  auto element = static_cast<ElementType>(tensor.element);
  int64_t bytes = 0;
  tensorBytes(element, shape.data(), shape.size(), bytes);
  Status status = writeTensor(path + "/" + name + ".npy", element, shape,
                              tensor.data, static_cast<size_t>(bytes));
  infini_tensor_release(&tensor);
  return status;
}

Status StateFolder::write(const infini_session *session) {
  for (size_t i = 0; i < infini_session_state_count(session); ++i)
    INFINI_TRY(writeOne(session, infini_session_state_name(session, i)));
  isNew = false;
  return Status();
}

class TextRun {
public:
  explicit TextRun(const Options &options) : options(options) {}

  Status run(const std::string &packagePath, const std::string &weightsPath);

private:
  Status openSource();
  Status openSession(const std::string &weightsPath);
  Status loadState();
  Status openOutputs();
  Status openStatistics(const std::string &weightsPath);
  Status feed();
  Status writeOutputs();
  Status writeStatistics(double seconds);
  int take(const float *logits, size_t count);
  void printNext() const;
  void printStatistics(const RunStatistics &run) const;

  const Options &options;
  TraceFile trace;
  PackageHandle package;
  WeightsHandle weights;
  DeviceHandle device;
  SessionHandle session;
  infini_model_info model = {};
  std::unique_ptr<TokenSource> source;

  NpyWriter writer;
  bool isWriting = false;
  std::optional<LastRows> lastRows;
  StateFolder stateFolder;
  /// While statistics are wanted, and how long they took.
  std::optional<MemoryStatistics> memory;
  double measuring = 0;
  OutputFile statsJson;
  /// What went wrong inside the callback.
  Status callbackStatus;
  std::vector<float> lastLogits;
  uint64_t tokens = 0;
  Clock::time_point start;
  double firstOutput = 0, setUp = 0, loading = 0, saving = 0;
};

Status TextRun::openSource() {
  if (!options.promptFile.empty()) {
    if (model.vocab_size != 256)
      return userError("--prompt-file: the bytes of a file are tokens only "
                       "where vocab_size is 256, this model's is ",
                       model.vocab_size,
                       "; give token ids with --tokens @ids.npy");
    auto bytes = std::make_unique<ByteSource>();
    INFINI_TRY(bytes->open(options.promptFile));
    source = std::move(bytes);
    return Status();
  }
  std::string path;
  INFINI_TRY(fileArgument("--tokens", options.tokens, path));
  auto array = std::make_unique<NpySource>();
  INFINI_TRY(array->open(path));
  source = std::move(array);
  return Status();
}

Status TextRun::openSession(const std::string &weightsPath) {
  if (weightsPath.empty())
    return userError("a package needs the model's weights; give the folder "
                     "with --weights");
  INFINI_TRY(make(weights, infini_weights_open, weightsPath.c_str()));
  INFINI_TRY(make(device, infini_device_open, options.device.c_str(),
                  uint32_t(options.threads)));
  trace.attach(device.get());
  const char *entry = options.entry.empty() ? nullptr : options.entry.c_str();
  INFINI_TRY(make(session, infini_session_open, package.get(), entry,
                  weights.get(), device.get()));
  return Status::adopt(
      infini_session_set_tokens_per_call(session.get(), options.tokensPerCall));
}

Status TextRun::openStatistics(const std::string &weightsPath) {
  bool isDetailed = !options.statsJson.empty() || !options.statsPlot.empty();
  if (!options.stats && !isDetailed)
    return Status();
  memory.emplace();
  INFINI_TRY(memory->open(session.get(), weightsPath, model.segment_length,
                          isDetailed));
  if (!options.statsJson.empty())
    INFINI_TRY(statsJson.open(options.statsJson));
  if (options.statsPlot.empty())
    return Status();
  if (memory->layers().empty())
    return userError("--stats-plot: ", quoted(options.program),
                     " has no memories to draw");
  return Status();
}

Status TextRun::loadState() {
  if (options.stateIn.empty())
    return Status();
  Clock::time_point before = Clock::now();
  INFINI_TRY(Status::adopt(
      infini_session_load(session.get(), options.stateIn.c_str())));
  loading = secondsSince(before);
  return Status();
}

Status TextRun::openOutputs() {
  // That it can be written should not be found out after a long text.
  if (!options.stateOut.empty())
    INFINI_TRY(OutputFile().open(options.stateOut));
  if (!options.logitsOut.empty()) {
    std::string path;
    INFINI_TRY(fileArgument("--logits-out", options.logitsOut, path));
    INFINI_TRY(writer.open(path, NpyType::f32, {int64_t(model.vocab_size)}));
    isWriting = true;
    if (options.logitsLast)
      lastRows.emplace(options.logitsLast, model.vocab_size);
  }
  return options.dumpState.empty() ? Status()
                                   : stateFolder.open(options.dumpState);
}

Status TextRun::writeOutputs() {
  if (lastRows)
    INFINI_TRY(lastRows->write(writer));
  if (isWriting)
    INFINI_TRY(writer.finish());
  if (!options.dumpState.empty())
    INFINI_TRY(stateFolder.write(session.get()));
  if (options.stateOut.empty())
    return Status();
  // Last: while anything else is missing, the old one is there to start from
  // again.
  Clock::time_point before = Clock::now();
  INFINI_TRY(Status::adopt(
      infini_session_save(session.get(), options.stateOut.c_str())));
  saving = secondsSince(before);
  return Status();
}

int TextRun::take(const float *logits, size_t count) {
  if (tokens == 0)
    firstOutput = secondsSince(start);
  tokens += count;
  size_t width = model.vocab_size;
  lastLogits.assign(logits + (count - 1) * width, logits + count * width);
  if (lastRows) {
    lastRows->append(logits, count);
  } else if (isWriting) {
    callbackStatus = writer.append(logits, static_cast<int64_t>(count));
    return callbackStatus ? 1 : 0;
  }
  return 0;
}

Status TextRun::feed() {
  // Some calls' worth at a time.
  std::vector<int32_t> piece;
  piece.reserve(static_cast<size_t>(std::clamp<uint64_t>(
      options.tokensPerCall ? options.tokensPerCall : model.max_tokens_per_call,
      1, 1 << 20)));
  Progress progress("tokens", source->total);
  std::vector<int32_t> pending;
  for (;;) {
    INFINI_TRY(source->next(piece));
    if (piece.empty())
      return Status();
    auto callback = [](void *user, const float *logits, size_t count,
                       size_t) -> int {
      // No exception may cross the C interface.
      auto *self = static_cast<TextRun *>(user);
      try {
        return self->take(logits, count);
      } catch (...) {
        self->callbackStatus = Status::outOfMemory();
        return 1;
      }
    };
    Status status = Status::adopt(infini_session_feed_each(
        session.get(), piece.data(), piece.size(), callback, this));
    if (callbackStatus)
      return std::move(callbackStatus);
    if (status)
      return status;
    if (memory) {
      Clock::time_point before = Clock::now();
      INFINI_TRY(memory->afterCall(session.get()));
      measuring += secondsSince(before);
    }
    progress.update(tokens);
  }
}

void TextRun::printNext() const {
  auto best = std::max_element(lastLogits.begin(), lastLogits.end(),
                               [](float a, float b) {
                                 // NaN is less than everything, so that it is
                                 // printed only if all is.
                                 return std::isnan(a) ? !std::isnan(b) : a < b;
                               });
  long token = best - lastLogits.begin();
  if (model.vocab_size == 256 && token >= 0x20 && token < 0x7f)
    printf("next token: %ld '%c'\n", token, static_cast<char>(token));
  else
    printf("next token: %ld\n", token);
}

Status TextRun::writeStatistics(double seconds) {
  if (!memory)
    return Status();
  RunStatistics run = {{}, tokens, seconds, setUp, firstOutput, 0};
  infini_session_statistics(session.get(), &run.counts);
  // Before the statistics have needed any.
  run.peakBytes = peakMemoryBytes();
  INFINI_TRY(memory->finish(session.get()));
  if (options.stats)
    printStatistics(run);
  std::string json = statisticsJson(run, *memory);
  if (statsJson.isOpen()) {
    INFINI_TRY(statsJson.write(json.data(), json.size()));
    INFINI_TRY(statsJson.commit());
  }
  return options.statsPlot.empty() ? Status()
                                   : drawPlot(options.statsPlot, json);
}

void TextRun::printStatistics(const RunStatistics &run) const {
  const infini_statistics &counts = run.counts;
  double seconds = run.seconds;
  fprintf(stderr, "tokens:          %" PRIu64 " in %" PRIu64 " calls\n", tokens,
          counts.calls);
  fprintf(stderr, "time:            %.3f s (%.3f s to set up before)\n",
          seconds, setUp);
  fprintf(stderr, "speed:           %.1f tokens/s\n",
          static_cast<double>(tokens) / std::max(seconds, 1e-9));
  fprintf(stderr, "first output:    %.3f s\n", firstOutput);
  if (!options.stateIn.empty())
    fprintf(stderr, "state loaded:    %.4f s, after %" PRIu64 " tokens\n",
            loading, counts.tokens - tokens);
  if (!options.stateOut.empty())
    fprintf(stderr, "state saved:     %.4f s, after %" PRIu64 " tokens\n",
            saving, counts.tokens);
  fprintf(stderr, "state:           %s\n",
          bytesText(counts.state_bytes).c_str());
  fprintf(stderr, "arena:           %s\n",
          bytesText(counts.arena_bytes).c_str());
  fprintf(stderr, "constants:       %s\n",
          bytesText(counts.constant_bytes).c_str());
  fprintf(stderr, "weights:         %s\n",
          bytesText(counts.weight_bytes).c_str());
  fprintf(stderr, "peak memory:     %s\n", bytesText(run.peakBytes).c_str());
  printMemoryStatistics(*memory);
}

Status TextRun::run(const std::string &packagePath,
                    const std::string &weightsPath) {
  if (!options.statsPlot.empty())
    INFINI_TRY(checkPlot(options.statsPlot));
  start = Clock::now();
  INFINI_TRY(make(package, infini_package_open, packagePath.c_str()));
  if (!infini_package_model(package.get(), &model))
    return userError(quoted(options.program),
                     " was not made from a model folder and takes no text; "
                     "call a function with --input");
  INFINI_TRY(trace.open(options.trace));
  INFINI_TRY(openSource());
  INFINI_TRY(openSession(weightsPath));
  INFINI_TRY(loadState());
  INFINI_TRY(openOutputs());
  INFINI_TRY(openStatistics(weightsPath));
  setUp = secondsSince(start);
  start = Clock::now();
  INFINI_TRY(feed());
  double seconds = secondsSince(start) - measuring;
  if (tokens == 0)
    return userError("the text is empty, expected at least one token");
  INFINI_TRY(writeOutputs());
  INFINI_TRY(trace.finish());
  printNext();
  return writeStatistics(seconds);
}

} // namespace

Status cli::runText(const Options &options, const std::string &package,
                    const std::string &weights) {
  return TextRun(options).run(package, weights);
}
