// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Runs infini-compile, and keeps what it makes: the package's name in the cache
// is a hash of all that it depends on.

#include "infini/runtime/cli/handles.h"
#include "infini/runtime/cli/options.h"
#include "infini/runtime/cli/tool.h"
#include "infini/runtime/fingerprint.h"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

using namespace infini;
using namespace infini::cli;

namespace {

/// A file's first `most` bytes.
Status addFile(Fingerprint &print, const std::string &path,
               uint64_t most = UINT64_MAX) {
  int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return userError("cannot open ", quoted(path), ": ", strerror(errno));
  std::vector<char> buffer(1 << 16);
  Status status;
  uint64_t done = 0;
  while (done < most) {
    ssize_t count =
        read(fd, buffer.data(), std::min<uint64_t>(buffer.size(), most - done));
    if (count < 0 && errno == EINTR)
      continue;
    if (count < 0)
      status = userError("cannot read ", quoted(path), ": ", strerror(errno));
    if (count <= 0)
      break;
    print.addPart(buffer.data(), size_t(count));
    done += uint64_t(count);
  }
  close(fd);
  print.addLength(done);
  return status;
}

bool isFolder(const std::string &path) {
  struct stat info;
  return stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
}

bool endsWith(const std::string &text, const char *end) {
  size_t size = std::strlen(end);
  return text.size() >= size &&
         text.compare(text.size() - size, size, end) == 0;
}

/// The header of a safetensors file: the weights themselves are not compiled.
Status addTensorNames(Fingerprint &print, const std::string &path) {
  int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  uint64_t headerBytes = 0;
  ssize_t count = fd < 0 ? -1 : read(fd, &headerBytes, sizeof headerBytes);
  if (fd >= 0)
    close(fd);
  if (fd < 0)
    return userError("cannot open ", quoted(path), ": ", strerror(errno));
  // A damaged one is the compiler's to report.
  if (count != ssize_t(sizeof headerBytes) || headerBytes > 100000000)
    return addFile(print, path, 8);
  return addFile(print, path, 8 + headerBytes);
}

Status addInput(Fingerprint &print, const std::string &path) {
  if (!isFolder(path))
    return addFile(print, path);
  std::vector<std::string> names;
  if (DIR *folder = opendir(path.c_str())) {
    while (dirent *file = readdir(folder))
      names.push_back(file->d_name);
    closedir(folder);
  }
  std::sort(names.begin(), names.end());
  for (const std::string &name : names) {
    std::string file = path + "/" + name;
    if (endsWith(name, ".safetensors")) {
      print.add(name);
      INFINI_TRY(addTensorNames(print, file));
    } else if (name == "config.json" || endsWith(name, ".index.json")) {
      print.add(name);
      INFINI_TRY(addFile(print, file));
    }
  }
  return Status();
}

/// A compiler that was built anew makes new packages.
Status addCompiler(Fingerprint &print, const std::string &path) {
  struct stat info;
  if (stat(path.c_str(), &info) != 0)
    return userError("cannot open ", quoted(path), ": ", strerror(errno));
  char resolved[PATH_MAX];
  print.add(realpath(path.c_str(), resolved) ? std::string(resolved) : path);
  print.add(uint64_t(info.st_size));
  print.add(uint64_t(info.st_mtim.tv_sec));
  print.add(uint64_t(info.st_mtim.tv_nsec));
  return Status();
}

Status makeFolders(const std::string &path) {
  for (size_t at = 1; at <= path.size(); ++at) {
    if (at != path.size() && path[at] != '/')
      continue;
    std::string part = path.substr(0, at);
    if (mkdir(part.c_str(), 0777) != 0 && !isFolder(part))
      return userError("cannot make the cache folder ", quoted(part), ": ",
                       strerror(errno),
                       "; set INFINI_CACHE_DIR to one that can be written");
  }
  return Status();
}

Status cacheFolder(std::string &path) {
  auto variable = [](const char *name) -> std::string {
    const char *value = getenv(name);
    return value ? value : "";
  };
  if (path = variable("INFINI_CACHE_DIR"); !path.empty())
    return makeFolders(path);
  if (path = variable("XDG_CACHE_HOME"); !path.empty())
    return makeFolders(path += "/infini");
  if (path = variable("HOME"); !path.empty())
    return makeFolders(path += "/.cache/infini");
  return userError("there is no folder for compiled packages; set "
                   "INFINI_CACHE_DIR or HOME");
}

constexpr char temporaryEnd[] = ".tmp.infini";

/// What a model's compilation is told.
std::vector<std::string> compilerOptions(const Options &options) {
  std::vector<std::string> words;
  if (!options.dtype.empty())
    words.push_back("--dtype=" + options.dtype);
  if (options.retrofit)
    words.push_back("--retrofit");
  if (options.segmentLength)
    words.push_back("--segment-length=" +
                    std::to_string(*options.segmentLength));
  return words;
}

/// The GPUs that infini-compile has code for, oldest first.
constexpr unsigned knownChips[] = {80};

/// What interrupted compilations have left.
void removeOldTemporaries(const std::string &folder) {
  constexpr time_t oldest = 60 * 60;
  DIR *files = opendir(folder.c_str());
  if (!files)
    return;
  while (dirent *file = readdir(files)) {
    // The compiler's own temporary files have more behind it.
    if (!std::strstr(file->d_name, temporaryEnd))
      continue;
    std::string path = folder + "/" + file->d_name;
    struct stat info;
    if (lstat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode) &&
        time(nullptr) - info.st_mtime > oldest)
      unlink(path.c_str());
  }
  closedir(files);
}

/// The cached package for these words, made now unless it is there and whole.
Status compile(const Options &options, const std::string &compiler,
               const std::vector<std::string> &words, std::string &package,
               int &exit) {
  Fingerprint print;
  INFINI_TRY(addCompiler(print, compiler));
  INFINI_TRY(addInput(print, options.program));
  for (const std::string &word : words)
    print.add(word);
  std::string folder;
  INFINI_TRY(cacheFolder(folder));
  package = folder + "/" + print.text() + ".infini";
  if (access(package.c_str(), R_OK) == 0) {
    PackageHandle existing;
    if (!make(existing, infini_package_open, package.c_str()))
      return Status();
  }
  removeOldTemporaries(folder);
  std::string temporary = folder + "/" + print.text() + "." +
                          std::to_string(getpid()) + temporaryEnd;
  std::vector<std::string> command = {compiler, options.program, "-o",
                                      temporary};
  command.insert(command.end(), words.begin(), words.end());
  Status status = runTool(command, exit);
  if (!status && exit == good &&
      rename(temporary.c_str(), package.c_str()) != 0)
    status = userError("cannot write ", quoted(package), ": ", strerror(errno));
  if (status || exit != good)
    unlink(temporary.c_str());
  return status;
}

} // namespace

Status cli::compilerTarget(const std::string &device, const std::string &chip,
                           std::string &target) {
  target.clear();
  if (device.compare(0, 4, "sim:") == 0) {
    target = device;
    return Status();
  }
  if (device.compare(0, 4, "cuda") != 0)
    return Status();
  // "sm_90": the compute capability without its point.
  unsigned number = 0;
  if (sscanf(chip.c_str(), "sm_%u", &number) != 1)
    return bug("device ", quoted(device), " has the unexpected chip ",
               quoted(chip));
  for (unsigned known : knownChips)
    if (known <= number)
      target = text("nvidia:sm_", known);
  if (target.empty())
    return userError("device ", quoted(device), " is of architecture ", chip,
                     ", expected sm_", knownChips[0], " or newer");
  return Status();
}

Status cli::findPackage(const Options &options, const infini_device *device,
                        std::string &package, int &exit) {
  bool isModel = isFolder(options.program);
  if (!isModel && access(options.program.c_str(), R_OK) != 0)
    return userError("cannot open ", quoted(options.program), ": ",
                     strerror(errno));
  std::vector<std::string> words = compilerOptions(options);
  if (!isModel && !words.empty())
    return userError("--dtype, --retrofit and --segment-length are for model "
                     "folders, got ",
                     quoted(options.program));
  if (!isModel && !endsWith(options.program, ".mlir")) {
    package = options.program;
    return Status();
  }
  // One function is much faster to compile than all of a file.
  if (!isModel && !options.entry.empty())
    words.push_back("--entry=" + options.entry);
  std::string target;
  INFINI_TRY(
      compilerTarget(options.device, infini_device_chip(device), target));
  if (!target.empty())
    words.push_back("--target=" + target);
  std::string compiler;
  INFINI_TRY(findTool("infini-compile", "give a compiled package (.infini)",
                      compiler));
  INFINI_TRY(compile(options, compiler, words, package, exit));
  if (!isModel || exit != good || !options.tokensPerCall)
    return Status();
  // Larger calls than the default must be compiled for.
  PackageHandle compiled;
  infini_model_info model;
  INFINI_TRY(make(compiled, infini_package_open, package.c_str()));
  if (!infini_package_model(compiled.get(), &model) ||
      model.max_tokens_per_call >= options.tokensPerCall)
    return Status();
  words.push_back("--max-tokens-per-call=" +
                  std::to_string(options.tokensPerCall));
  return compile(options, compiler, words, package, exit);
}
