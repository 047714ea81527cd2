// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the passes over segment scans share.

#ifndef INFINI_PASSES_INFINI_SCANUTILS_H
#define INFINI_PASSES_INFINI_SCANUTILS_H

#include "infini/dialect/infini/InfiniOps.h"
#include "mlir/IR/IRMapping.h"

namespace infini {

/// A contiguous run along one axis.
struct Span {
  mlir::OpFoldResult offset, size;
};

/// The slice of `source` along `axis`; a slice of a slice reads its source.
mlir::Value sliceAlong(mlir::OpBuilder &b, mlir::Location loc,
                       mlir::Value source, int64_t axis, Span span);
/// `source` put into `destination` along `axis`.
mlir::Value insertAlong(mlir::OpBuilder &b, mlir::Location loc,
                        mlir::Value source, mlir::Value destination,
                        int64_t axis, Span span);
/// Entry `index` of a stack, without the leading dimension.
mlir::Value entryOf(mlir::OpBuilder &b, mlir::Location loc, mlir::Value stack,
                    mlir::OpFoldResult index);

/// Where the operands of a scan's body come from.
struct BodyOperands {
  llvm::SmallVector<mlir::Value> sequences, perSegment, states;
  /// Only with `fill`.
  mlir::OpFoldResult position;
};

/// Maps the arguments of the scan's body to these values (cast to their types)
/// and to the scan's invariants.
mlir::IRMapping mapBody(mlir::OpBuilder &b, SegmentScanOp scan,
                        const BodyOperands &operands);
/// Clones the body; returns what it yields.
llvm::SmallVector<mlir::Value> cloneBody(mlir::OpBuilder &b, SegmentScanOp scan,
                                         const BodyOperands &operands);

/// An uninitialised tensor a result of the scan. Fails, with an error, where a
/// size is not known from the scan's operands.
mlir::LogicalResult emptyResults(mlir::OpBuilder &b, SegmentScanOp scan,
                                 llvm::SmallVectorImpl<mlir::Value> &outputs,
                                 llvm::SmallVectorImpl<mlir::Value> &stacked);

/// The scan's number of tokens, and of full segments.
mlir::OpFoldResult tokensOf(mlir::OpBuilder &b, SegmentScanOp scan);
mlir::OpFoldResult fullSegments(mlir::OpBuilder &b, SegmentScanOp scan);

} // namespace infini

#endif // INFINI_PASSES_INFINI_SCANUTILS_H
