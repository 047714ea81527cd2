// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Files for the programs that finish the code (lld, ptxas).

#ifndef INFINI_PASSES_EMIT_TEMPORARYFOLDER_H
#define INFINI_PASSES_EMIT_TEMPORARYFOLDER_H

#include "mlir/IR/Location.h"
#include "llvm/ADT/SmallString.h"
#include <string>

namespace infini {

/// Gone with all that is in it at the end. A failure is an error at `loc`.
class TemporaryFolder {
public:
  explicit TemporaryFolder(mlir::Location loc) : loc(loc) {}
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder &) = delete;
  TemporaryFolder &operator=(const TemporaryFolder &) = delete;

  mlir::LogicalResult make();
  std::string path(llvm::StringRef name) const {
    return (folder + "/" + name).str();
  }
  mlir::LogicalResult write(llvm::StringRef name, llvm::StringRef bytes) const;
  mlir::FailureOr<llvm::SmallVector<char, 0>> read(llvm::StringRef name) const;

private:
  mlir::Location loc;
  llvm::SmallString<128> folder;
};

/// Writes a file, or says why not.
mlir::LogicalResult writeFile(mlir::Location loc, llvm::StringRef path,
                              llvm::StringRef bytes);

} // namespace infini

#endif // INFINI_PASSES_EMIT_TEMPORARYFOLDER_H
