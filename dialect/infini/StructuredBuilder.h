// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// linalg on tensors in the notation of Einstein sums: one letter a dimension.
// The definitions of the ops are written with it.

#ifndef INFINI_DIALECT_INFINI_STRUCTUREDBUILDER_H
#define INFINI_DIALECT_INFINI_STRUCTUREDBUILDER_H

#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinTypes.h"
#include "llvm/ADT/SmallVector.h"
#include <string>

namespace infini {

/// A tensor with the letters of its dimensions; `1` broadcasts a dimension of
/// size one.
struct Lettered {
  mlir::Value tensor;
  std::string letters;
};

/// Builds linalg ops whose bodies compute in one floating-point type, whatever
/// their operands hold: elements are widened or narrowed at the edges.
class StructuredBuilder {
public:
  /// Gives one value from the operands' elements (and, in `reduce`, the
  /// accumulator behind them), all in the type of computation.
  using Body = llvm::function_ref<mlir::Value(mlir::OpBuilder &, mlir::Location,
                                              mlir::ValueRange)>;

  StructuredBuilder(mlir::OpBuilder &builder, mlir::Location loc,
                    mlir::Type compute)
      : builder(builder), loc(loc), compute(compute) {}

  /// out[…] = body(inputs[…]), with elements of type `element`. `sizes` has
  /// those of `out`; empty: the inputs have every letter.
  mlir::Value map(mlir::Type element, llvm::StringRef out,
                  llvm::ArrayRef<Lettered> inputs, Body body,
                  llvm::ArrayRef<mlir::OpFoldResult> sizes = {});
  /// As `map`, reduced from `initial` over the letters that `out` lacks, in
  /// their order of occurrence. The result has the type of computation.
  mlir::Value reduce(llvm::StringRef out, llvm::ArrayRef<Lettered> inputs,
                     double initial, Body body);
  /// The sum over the letters that `out` lacks of the inputs' product.
  mlir::Value contract(llvm::StringRef out, llvm::ArrayRef<Lettered> inputs);
  mlir::Value add(llvm::StringRef letters, mlir::Value a, mlir::Value b);

  /// The size of a letter; a static one wins.
  mlir::OpFoldResult size(llvm::ArrayRef<Lettered> inputs, char letter);
  /// A constant in the type of computation.
  mlir::Value constant(double value);
  mlir::Type getComputeType() const { return compute; }

private:
  mlir::Value generic(mlir::Value init, llvm::StringRef out,
                      llvm::ArrayRef<Lettered> inputs, Body body,
                      bool accumulates);

  mlir::OpBuilder &builder;
  mlir::Location loc;
  mlir::Type compute;
};

/// Widens or narrows a float.
mlir::Value convertFloat(mlir::OpBuilder &builder, mlir::Location loc,
                         mlir::Value value, mlir::Type type);
/// The tensor with another static knowledge of its sizes.
mlir::Value castTensor(mlir::OpBuilder &builder, mlir::Location loc,
                       mlir::Value value, mlir::Type type);

} // namespace infini

#endif // INFINI_DIALECT_INFINI_STRUCTUREDBUILDER_H
