// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
#include "infini/runtime/output_file.h"

#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace infini;

Status OutputFile::failed(const char *call) {
  // What comes next may set it.
  int error = errno;
  discard();
  return userError("cannot write ", quoted(wantedPath), ": ", call, ": ",
                   strerror(error));
}

/// What a signal interrupted is done again.
template <typename Function> static auto retried(Function function) {
  decltype(function()) result;
  do
    result = function();
  while (result < 0 && errno == EINTR);
  return result;
}

//===----------------------------------------------------------------------===//
// Opening
//===----------------------------------------------------------------------===//

/// Calls `take` with names beside the final one until one is free.
template <typename Function>
static bool findName(const std::string &finalPath, Function take) {
  for (int i = 0; i < 1000; ++i) {
    if (take(finalPath + "." + std::to_string(getpid()) + "." +
             std::to_string(i)))
      return true;
    if (errno != EEXIST)
      return false;
  }
  return false;
}

bool OutputFile::openNamed() {
  return findName(finalPath, [&](std::string name) {
    fd = retried([&] {
      return ::open(name.c_str(), O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0666);
    });
    if (fd >= 0)
      temporaryPath = std::move(name);
    return fd >= 0;
  });
}

/// Gives an unnamed file a name beside its final one: only a name can be
/// renamed over what is there.
bool OutputFile::giveName() {
  std::string self = "/proc/self/fd/" + std::to_string(fd);
  return findName(finalPath, [&](std::string name) {
    if (linkat(AT_FDCWD, self.c_str(), AT_FDCWD, name.c_str(),
               AT_SYMLINK_FOLLOW) != 0)
      return false;
    temporaryPath = std::move(name);
    return true;
  });
}

Status OutputFile::open(const std::string &path) {
  discard();
  wantedPath = finalPath = path;
  isDirect = false;
  struct stat info;
  if (stat(path.c_str(), &info) == 0) {
    if (!S_ISREG(info.st_mode)) {
      isDirect = true;
      fd = retried([&] { return ::open(path.c_str(), O_WRONLY | O_CLOEXEC); });
      return fd < 0 ? failed("open") : Status();
    }
    // Through a link the file that it points at is replaced, not the link.
    char resolved[PATH_MAX];
    if (realpath(path.c_str(), resolved))
      finalPath = resolved;
  }
  size_t slash = finalPath.rfind('/');
  folder = slash == std::string::npos ? "." : finalPath.substr(0, slash + 1);
  // Without a name where the file system can do it: then nothing is left even
  // if the process is killed. It can get one later only where there is /proc.
  errno = EOPNOTSUPP;
  if (access("/proc/self/fd", X_OK) == 0)
    fd = retried([&] {
      return ::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0666);
    });
  // How file systems, and kernels, say that they cannot.
  bool isUnknown = errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL;
  return fd >= 0 || (isUnknown && openNamed()) ? Status() : failed("open");
}

//===----------------------------------------------------------------------===//
// Writing
//===----------------------------------------------------------------------===//

Status OutputFile::write(const void *bytes, size_t size) {
  auto *from = static_cast<const char *>(bytes);
  while (size > 0) {
    ssize_t count = retried([&] { return ::write(fd, from, size); });
    if (count == 0)
      errno = ENOSPC; // it has nothing to say, and nothing was written
    if (count <= 0)
      return failed("write");
    from += count;
    size -= static_cast<size_t>(count);
  }
  return Status();
}

Status OutputFile::rewrite(const void *bytes, size_t size) {
  auto *from = static_cast<const char *>(bytes);
  for (off_t at = 0; size > 0;) {
    ssize_t count = retried([&] { return pwrite(fd, from, size, at); });
    if (count == 0)
      errno = ENOSPC; // it has nothing to say, and nothing was written
    if (count <= 0)
      return failed("pwrite");
    from += count;
    at += count;
    size -= static_cast<size_t>(count);
  }
  return Status();
}

//===----------------------------------------------------------------------===//
// The end
//===----------------------------------------------------------------------===//

/// Some things that are written have nothing to flush, which they say with
/// EINVAL: pipes, and folders on some file systems.
static bool flushes(int fd) {
  return retried([&] { return fsync(fd); }) == 0 || errno == EINVAL;
}

Status OutputFile::flush() { return flushes(fd) ? Status() : failed("fsync"); }

Status OutputFile::flushFolder() {
  int folderFd = retried([&] {
    return ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  });
  if (folderFd < 0)
    return failed("open of its folder");
  bool good = flushes(folderFd);
  int error = errno;
  close(folderFd);
  errno = error;
  return good ? Status() : failed("fsync of its folder");
}

Status OutputFile::commit() {
  if (!isDirect && temporaryPath.empty() && !giveName())
    return failed("linkat");
  // Some file systems report a full disk only now. Interrupted, it is closed
  // all the same.
  int closed = close(fd);
  fd = -1;
  if (closed != 0 && errno != EINTR)
    return failed("close");
  if (isDirect)
    return Status();
  if (rename(temporaryPath.c_str(), finalPath.c_str()) != 0)
    return failed("rename");
  temporaryPath.clear();
  return Status();
}

Status OutputFile::commitDurably() {
  // In this order: a name must never lead to what is not on the disk yet.
  INFINI_TRY(flush());
  INFINI_TRY(commit());
  return isDirect ? Status() : flushFolder();
}

void OutputFile::discard() {
  if (fd >= 0)
    close(fd);
  fd = -1;
  if (!temporaryPath.empty())
    unlink(temporaryPath.c_str());
  temporaryPath.clear();
}
