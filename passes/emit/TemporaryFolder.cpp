// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Temporary files.

#include "infini/passes/emit/TemporaryFolder.h"
#include "mlir/IR/Diagnostics.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using namespace infini;

TemporaryFolder::~TemporaryFolder() {
  if (!folder.empty())
    (void)llvm::sys::fs::remove_directories(folder);
}

LogicalResult TemporaryFolder::make() {
  std::error_code code = llvm::sys::fs::createUniqueDirectory("infini", folder);
  if (!code)
    return success();
  folder.clear();
  return emitError(loc, "cannot make a temporary folder: ") << code.message();
}

LogicalResult infini::writeFile(Location loc, StringRef path, StringRef bytes) {
  std::error_code code;
  llvm::raw_fd_ostream os(path, code);
  if (!code)
    os << bytes;
  os.close();
  if (!code && !os.has_error())
    return success();
  std::string why = code ? code.message() : os.error().message();
  os.clear_error();
  return emitError(loc, "cannot write '") << path << "': " << why;
}

LogicalResult TemporaryFolder::write(StringRef name, StringRef bytes) const {
  return writeFile(loc, path(name), bytes);
}

FailureOr<SmallVector<char, 0>> TemporaryFolder::read(StringRef name) const {
  auto buffer = llvm::MemoryBuffer::getFile(path(name), /*IsText=*/false,
                                            /*RequiresNullTerminator=*/false);
  if (!buffer)
    return emitError(loc, "cannot read '")
           << path(name) << "': " << buffer.getError().message();
  StringRef bytes = (*buffer)->getBuffer();
  return SmallVector<char, 0>(bytes.begin(), bytes.end());
}
