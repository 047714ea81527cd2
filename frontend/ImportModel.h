// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// From a model folder (config.json and safetensors) to a module in the infini
// dialect and linalg.

#ifndef INFINI_FRONTEND_IMPORTMODEL_H
#define INFINI_FRONTEND_IMPORTMODEL_H

#include "infini/frontend/Config.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/OwningOpRef.h"

namespace infini {

/// Imports the model in `folder` as one function,
///
///     @step(tokens, fill, states..., weights...)
///         -> (logits, new fill, new states...)
///
/// that takes any number of tokens and goes on where the last call ended. Each
/// argument and result has the attributes
///
///     program.role  "argument", "state", or "weight"
///     program.name  "tokens", "logits", "fill", "layers.0.M", or the name of
///                   the tensor in the folder's files
///
/// and a state's argument and result have the same name. The states of a layer
/// are M [1, G, d, d] and z [1, G, d] in f32 (f64 where computing is in f64),
/// and the K (before RoPE) and V [N, G, d] of the segment under way, in the
/// type of computing; a layer without a memory has K and V only. All states are
/// zero at the start of a text. Weights have the types and shapes of their
/// files.
///
/// The module's attribute `program.model` says what a package says of its model
/// (runtime/package.fbs): fingerprint, config, vocab_size, segment_length,
/// max_tokens_per_call, layers.
///
/// Null where the folder or the options are not acceptable, after one error
/// through `emitError`.
mlir::OwningOpRef<mlir::ModuleOp>
importModel(llvm::StringRef folder, const ImportOptions &options,
            mlir::MLIRContext &context,
            llvm::function_ref<mlir::InFlightDiagnostic()> emitError);

} // namespace infini

#endif // INFINI_FRONTEND_IMPORTMODEL_H
