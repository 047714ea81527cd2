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

Status OutputFile::failed(const char *what) {
  Status status = userError("cannot ", what, " ", quoted(wantedPath), ": ",
                            strerror(errno));
  discard();
  return status;
}

Status OutputFile::open(const std::string &path) {
  discard();
  wantedPath = finalPath = path;
  isDirect = false;
  struct stat info;
  if (stat(path.c_str(), &info) == 0) {
    if (!S_ISREG(info.st_mode)) {
      isDirect = true;
      fd = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
      return fd < 0 ? failed("open") : Status();
    }
    // Through a link the file that it points at is replaced, not the link.
    char resolved[PATH_MAX];
    if (realpath(path.c_str(), resolved))
      finalPath = resolved;
  }
  // Without a name where the file system can do it: then nothing is left even
  // if the process is killed.
  size_t slash = finalPath.rfind('/');
  std::string folder =
      slash == std::string::npos ? "." : finalPath.substr(0, slash + 1);
  fd = ::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0666);
  if (fd >= 0)
    return Status();
  temporaryPath = finalPath + ".XXXXXX";
  fd = mkostemp(temporaryPath.data(), O_CLOEXEC);
  if (fd < 0) {
    temporaryPath.clear();
    return failed("write");
  }
  // As an ordinary new file would be.
  mode_t mask = umask(0);
  umask(mask);
  fchmod(fd, 0666 & ~mask);
  return Status();
}

/// Gives an unnamed file a name beside its final one: only a name can be
/// renamed over what is there.
bool OutputFile::giveName() {
  std::string self = "/proc/self/fd/" + std::to_string(fd);
  for (int i = 0; i < 1000; ++i) {
    std::string name =
        finalPath + "." + std::to_string(getpid()) + "." + std::to_string(i);
    if (linkat(AT_FDCWD, self.c_str(), AT_FDCWD, name.c_str(),
               AT_SYMLINK_FOLLOW) == 0) {
      temporaryPath = std::move(name);
      return true;
    }
    if (errno != EEXIST)
      return false;
  }
  return false;
}

Status OutputFile::write(const void *bytes, size_t size) {
  auto *from = static_cast<const char *>(bytes);
  while (size > 0) {
    ssize_t count = ::write(fd, from, size);
    if (count < 0 && errno == EINTR)
      continue;
    if (count < 0)
      return failed("write");
    from += count;
    size -= static_cast<size_t>(count);
  }
  return Status();
}

Status OutputFile::rewrite(const void *bytes, size_t size) {
  auto *from = static_cast<const char *>(bytes);
  for (off_t at = 0; size > 0;) {
    ssize_t count = pwrite(fd, from, size, at);
    if (count < 0 && errno == EINTR)
      continue;
    if (count < 0)
      return failed("write");
    from += count;
    at += count;
    size -= static_cast<size_t>(count);
  }
  return Status();
}

Status OutputFile::commit() {
  if (!isDirect && temporaryPath.empty() && !giveName())
    return failed("write");
  // Some file systems report a full disk only now.
  int closed = close(fd);
  fd = -1;
  if (closed != 0)
    return failed("write");
  if (isDirect)
    return Status();
  if (rename(temporaryPath.c_str(), finalPath.c_str()) != 0)
    return failed("write");
  temporaryPath.clear();
  return Status();
}

void OutputFile::discard() {
  if (fd >= 0)
    close(fd);
  fd = -1;
  if (!temporaryPath.empty())
    unlink(temporaryPath.c_str());
  temporaryPath.clear();
}
