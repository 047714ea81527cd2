// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A file that is there completely or not at all: written under a temporary
// name, and renamed when it is done. Errors name the path, the system's call
// that failed, and why.

#ifndef INFINI_RUNTIME_OUTPUT_FILE_H
#define INFINI_RUNTIME_OUTPUT_FILE_H

#include "infini/runtime/status.h"

namespace infini {

class OutputFile {
public:
  OutputFile() = default;
  /// Removes what was not committed.
  ~OutputFile() { discard(); }
  OutputFile(const OutputFile &) = delete;
  OutputFile &operator=(const OutputFile &) = delete;

  /// A path that names something other than a regular file (a device, a pipe)
  /// is written directly: renaming over it would replace it.
  Status open(const std::string &path);
  Status write(const void *bytes, size_t size);
  /// Overwrites from the beginning what has been written. Fails on what cannot
  /// seek.
  Status rewrite(const void *bytes, size_t size);
  /// Puts the file in its place. Nothing may be written after that.
  Status commit();
  /// The same, for good: before it has its name the file is on the disk, and
  /// when this returns the name is too. If only the last of that fails, that is
  /// an error, but the new file has the name.
  Status commitDurably();
  void discard();

  bool isOpen() const { return fd >= 0; }
  const std::string &path() const { return wantedPath; }

private:
  Status failed(const char *call);
  Status flush();
  Status flushFolder();
  bool openNamed();
  bool giveName();

  int fd = -1;
  std::string wantedPath;
  /// Where the file is to be, symbolic links resolved; the folder of that; and
  /// the name that the file has until then, "" while it has none.
  std::string finalPath, folder, temporaryPath;
  bool isDirect = false;
};

} // namespace infini

#endif // INFINI_RUNTIME_OUTPUT_FILE_H
