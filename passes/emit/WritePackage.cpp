// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// From the program stage to FlatBuffers (runtime/package.fbs says what each
// field means).

#include "infini/passes/emit/WritePackage.h"
#include "infini/dialect/infini/InfiniOps.h"
#include "infini/dialect/program/ProgramOps.h"
#include "infini/passes/emit/Expressions.h"
#include "infini/runtime/infini.h"
#include "infini/runtime/package_file.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/Config/llvm-config.h"

using namespace mlir;
using namespace infini;
using namespace infini::program;
using fb::ExprOp;

static constexpr int64_t kBufferAlignment = 64;

static std::optional<fb::ElementType> elementTypeOf(Type type) {
  if (type.isF32())
    return fb::ElementType_f32;
  if (type.isF64())
    return fb::ElementType_f64;
  if (type.isF16())
    return fb::ElementType_f16;
  if (type.isBF16())
    return fb::ElementType_bf16;
  if (type.isInteger(1))
    return fb::ElementType_i1;
  if (type.isInteger(8))
    return fb::ElementType_i8;
  if (type.isInteger(16))
    return fb::ElementType_i16;
  if (type.isInteger(32))
    return fb::ElementType_i32;
  if (type.isInteger(64) || type.isIndex())
    return fb::ElementType_i64;
  return std::nullopt;
}

static fb::PortKind portKindOf(Role role) {
  switch (role) {
  case Role::Weight:
    return fb::PortKind_weight;
  case Role::State:
    return fb::PortKind_state;
  case Role::Constant:
    return fb::PortKind_constant;
  case Role::Argument:
    return fb::PortKind_argument;
  }
  llvm_unreachable("a role without a kind");
}

/// Bytes of an element; an i1 takes one.
static int64_t widthOf(Type type) {
  return type.isIndex()
             ? 8
             : std::max<int64_t>(1, type.getIntOrFloatBitWidth() / 8);
}

namespace {

/// Writes one entry.
class EntryWriter {
public:
  EntryWriter(func::FuncOp function,
              const llvm::StringMap<unsigned> &kernelNumbers,
              const std::vector<AffineMap> &grids,
              flatbuffers::FlatBufferBuilder &builder)
      : function(function), kernelNumbers(kernelNumbers), grids(grids),
        fbb(builder) {}

  FailureOr<flatbuffers::Offset<fb::Entry>> write();

private:
  using CommandOffset = flatbuffers::Offset<fb::Command>;

  FailureOr<uint32_t> expr(Operation *op, SizeExprRef e, const char *what) {
    if (!e)
      return op->emitError("cannot tell ") << what << " before the entry runs";
    return table.add(e);
  }
  uint32_t newVariable(std::string name) {
    variableNames.push_back(std::move(name));
    return variableNames.size() - 1;
  }
  bool isLoopCounter(unsigned variable) const {
    return loopCounters.count(variable) != 0;
  }

  LogicalResult inputs();
  LogicalResult outputs();
  LogicalResult arena();
  FailureOr<uint32_t> bufferFor(Value tensor);
  SizeExprRef bytesOf(Value tensor);
  FailureOr<std::vector<CommandOffset>> commands(Block &block);
  FailureOr<CommandOffset> dispatch(DispatchOp op);
  FailureOr<CommandOffset> gemm(GemmOp op);
  FailureOr<CommandOffset> copy(CopyOp op);
  FailureOr<CommandOffset> loop(scf::ForOp op);
  flatbuffers::Offset<flatbuffers::String> label(Operation *op,
                                                 StringRef fallback);

  func::FuncOp function;
  const llvm::StringMap<unsigned> &kernelNumbers;
  const std::vector<AffineMap> &grids;
  flatbuffers::FlatBufferBuilder &fbb;

  ExpressionTable table;
  ExpressionBuilder sizes;
  std::vector<std::string> variableNames;
  llvm::DenseSet<unsigned> loopCounters;
  llvm::DenseMap<Operation *, unsigned> loopVariables;
  std::vector<flatbuffers::Offset<fb::Port>> inputPorts, outputPorts;
  std::vector<flatbuffers::Offset<fb::Check>> checks;
  struct PlannedBuffer {
    fb::BufferKind kind;
    uint32_t size, offset;
  };
  std::vector<PlannedBuffer> buffers;
  /// The buffer of each argument, output, and arena slot, by the value at its
  /// root.
  llvm::DenseMap<Value, uint32_t> bufferOfRoot;
  llvm::DenseMap<int64_t, uint32_t> bufferOfSlot;
  uint32_t arenaSize = 0;
};

} // namespace

SizeExprRef EntryWriter::bytesOf(Value tensor) {
  auto type = cast<RankedTensorType>(tensor.getType());
  std::vector<SizeExprRef> factors{
      constantExpr(widthOf(type.getElementType()))};
  for (int64_t i = 0; i < type.getRank(); ++i)
    factors.push_back(sizes.dim(tensor, i));
  return productOf(factors);
}

LogicalResult EntryWriter::inputs() {
  for (unsigned i = 0; i < function.getNumArguments(); ++i) {
    BlockArgument argument = function.getArgument(i);
    Role role = argumentRole(function, i);
    std::string name = argumentName(function, i).str();
    if (name.empty())
      name = "arg" + std::to_string(i);
    if (isa<IndexType>(argument.getType()) ||
        argument.getType().isInteger(64)) {
      unsigned variable = newVariable(name);
      sizes.scalars[argument] = variableExpr(variable);
      inputPorts.push_back(fb::CreatePort(fbb, fbb.CreateString(name),
                                          portKindOf(role), fb::ElementType_i64,
                                          0, 0, variable));
      continue;
    }
    auto type = dyn_cast<RankedTensorType>(argument.getType());
    auto element = type ? elementTypeOf(type.getElementType()) : std::nullopt;
    if (!element)
      return function.emitError("argument ")
             << i << " has type " << argument.getType()
             << "; entries take ranked tensors of floats or integers, and "
                "index scalars";
    std::vector<fb::Dim> dims;
    for (int64_t d = 0; d < type.getRank(); ++d) {
      if (!type.isDynamicDim(d)) {
        dims.emplace_back(type.getDimSize(d), -1);
        continue;
      }
      unsigned variable = newVariable(name + "." + std::to_string(d));
      sizes.dims[{argument, static_cast<unsigned>(d)}] = variableExpr(variable);
      dims.emplace_back(-1, variable);
    }
    auto bytes = expr(function, bytesOf(argument), "the size of an argument");
    if (failed(bytes))
      return failure();
    uint32_t buffer = buffers.size();
    buffers.push_back(
        {fb::BufferKind_port, *bytes, table.add(constantExpr(0))});
    bufferOfRoot[argument] = buffer;
    inputPorts.push_back(
        fb::CreatePort(fbb, fbb.CreateString(name), portKindOf(role), *element,
                       fbb.CreateVectorOfStructs(dims), 0, -1, -1, buffer));
  }
  if (auto notes = function->getAttrOfType<ArrayAttr>("program.checks"))
    for (auto note : notes.getAsRange<DictionaryAttr>()) {
      auto left = note.getAs<DenseI64ArrayAttr>("left").asArrayRef();
      auto place = [](ArrayRef<int64_t> where) {
        return "input " + std::to_string(where[0]) + " dimension " +
               std::to_string(where[1]);
      };
      SizeExprRef other;
      std::string otherText;
      if (auto constant = note.getAs<IntegerAttr>("constant")) {
        other = constantExpr(constant.getInt());
        otherText = std::to_string(constant.getInt());
      } else {
        auto right = note.getAs<DenseI64ArrayAttr>("right").asArrayRef();
        other = sizes.dim(function.getArgument(right[0]), right[1]);
        otherText = place(right);
      }
      bool multiple = note.contains("multiple");
      std::string message = "expected " + place(left) + " to be " +
                            (multiple ? "a multiple of " : "equal to ") +
                            otherText;
      SizeExprRef size = sizes.dim(function.getArgument(left[0]), left[1]);
      if (!size || !other)
        continue; // a size that is static by now
      checks.push_back(fb::CreateCheck(fbb, table.add(size), table.add(other),
                                       multiple ? 1 : 0,
                                       fbb.CreateString(message)));
    }
  return success();
}

LogicalResult EntryWriter::outputs() {
  Operation *returnOp = function.getBody().front().getTerminator();
  for (auto [i, value] : llvm::enumerate(returnOp->getOperands())) {
    Role role = resultRole(function, i);
    std::string name = resultName(function, i).str();
    if (name.empty())
      name = "result" + std::to_string(i);
    if (!isa<RankedTensorType>(value.getType())) {
      auto e = expr(returnOp, sizes.of(value), "a scalar result");
      if (failed(e))
        return failure();
      outputPorts.push_back(fb::CreatePort(fbb, fbb.CreateString(name),
                                           portKindOf(role),
                                           fb::ElementType_i64, 0, 0, -1, *e));
      continue;
    }
    auto type = cast<RankedTensorType>(value.getType());
    auto element = elementTypeOf(type.getElementType());
    if (!element)
      return returnOp->emitError("result ")
             << i << " has unsupported type " << type;
    std::vector<uint32_t> shape;
    for (int64_t d = 0; d < type.getRank(); ++d) {
      auto e = expr(returnOp, sizes.dim(value, d), "the size of a result");
      if (failed(e))
        return failure();
      shape.push_back(*e);
    }
    auto buffer = bufferFor(value);
    if (failed(buffer))
      return failure();
    outputPorts.push_back(
        fb::CreatePort(fbb, fbb.CreateString(name), portKindOf(role), *element,
                       0, fbb.CreateVector(shape), -1, -1, *buffer));
  }
  return success();
}

/// Lays out the arena's slots one after the other, and gives results buffers.
LogicalResult EntryWriter::arena() {
  Operation *returnOp = function.getBody().front().getTerminator();
  for (Value value : returnOp->getOperands()) {
    if (!isa<RankedTensorType>(value.getType()))
      continue;
    Value root = bufferRoot(value);
    if (bufferOfRoot.count(root))
      continue;
    auto bytes = expr(returnOp, bytesOf(root), "the size of a result");
    if (failed(bytes))
      return failure();
    bufferOfRoot[root] = buffers.size();
    buffers.push_back(
        {fb::BufferKind_port, *bytes, table.add(constantExpr(0))});
  }
  std::vector<SizeExprRef> slots;
  bool complete = true;
  function.walk([&](BufferOp op) {
    SizeExprRef bytes = bytesOf(op.getResult());
    if (bytes)
      bytes = upperBound(bytes, [&](unsigned v) { return isLoopCounter(v); });
    if (!bytes) {
      op.emitError(
          "cannot bound the size of this buffer before the entry runs");
      complete = false;
      return;
    }
    if (slots.size() <= op.getSlot())
      slots.resize(op.getSlot() + 1);
    SizeExprRef &slot = slots[op.getSlot()];
    slot = slot ? makeExpr(fb::ExprOp_max, slot, bytes) : bytes;
  });
  if (!complete)
    return failure();
  SizeExprRef offset = constantExpr(0),
              alignment = constantExpr(kBufferAlignment);
  for (auto [i, slot] : llvm::enumerate(slots)) {
    if (!slot)
      slot = constantExpr(0);
    bufferOfSlot[i] = buffers.size();
    buffers.push_back(
        {fb::BufferKind_arena, table.add(slot), table.add(offset)});
    SizeExprRef padded =
        makeExpr(fb::ExprOp_mul, makeExpr(fb::ExprOp_ceildiv, slot, alignment),
                 alignment);
    offset = makeExpr(fb::ExprOp_add, offset, padded);
  }
  arenaSize = table.add(offset);
  return success();
}

FailureOr<uint32_t> EntryWriter::bufferFor(Value tensor) {
  Value root = bufferRoot(tensor);
  if (auto buffer = root.getDefiningOp<BufferOp>())
    return bufferOfSlot.lookup(buffer.getSlot());
  auto it = bufferOfRoot.find(root);
  if (it == bufferOfRoot.end())
    return emitError(root.getLoc(), "this tensor has no buffer");
  return it->second;
}

flatbuffers::Offset<flatbuffers::String>
EntryWriter::label(Operation *op, StringRef fallback) {
  return fbb.CreateString(fallback.str());
}

FailureOr<EntryWriter::CommandOffset> EntryWriter::dispatch(DispatchOp op) {
  unsigned kernel = kernelNumbers.lookup(op.getKernel());
  std::vector<SizeExprRef> scalarExprs;
  for (Value scalar : op.getScalars())
    scalarExprs.push_back(sizes.of(scalar));
  std::vector<uint32_t> bufferNumbers;
  for (ValueRange group : {ValueRange(op.getIns()), ValueRange(op.getOuts())})
    for (Value tensor : group) {
      auto buffer = bufferFor(tensor);
      if (failed(buffer))
        return failure();
      bufferNumbers.push_back(*buffer);
      auto type = cast<RankedTensorType>(tensor.getType());
      for (int64_t i = 0; i < type.getRank(); ++i)
        if (type.isDynamicDim(i))
          scalarExprs.push_back(sizes.dim(tensor, i));
    }
  std::vector<uint32_t> scalars, grid;
  for (const SizeExprRef &scalar : scalarExprs) {
    auto e = expr(op, scalar, "a kernel's scalar");
    if (failed(e))
      return failure();
    scalars.push_back(*e);
  }
  for (AffineExpr extent : grids[kernel].getResults()) {
    auto e = expr(op, sizes.affine(extent, {}, scalarExprs), "a kernel's grid");
    if (failed(e))
      return failure();
    grid.push_back(*e);
  }
  auto name = label(op, op.getKernel());
  auto gridVector = fbb.CreateVector(grid),
       scalarVector = fbb.CreateVector(scalars),
       bufferVector = fbb.CreateVector(bufferNumbers);
  fb::CommandBuilder command(fbb);
  command.add_kind(fb::CommandKind_dispatch);
  command.add_label(name);
  command.add_kernel(kernel);
  command.add_grid(gridVector);
  command.add_scalars(scalarVector);
  command.add_buffers(bufferVector);
  return command.Finish();
}

FailureOr<EntryWriter::CommandOffset> EntryWriter::gemm(GemmOp op) {
  std::vector<uint32_t> bufferNumbers;
  for (Value tensor : {op.getLhs(), op.getRhs(), op.getOut()}) {
    auto buffer = bufferFor(tensor);
    if (failed(buffer))
      return failure();
    bufferNumbers.push_back(*buffer);
  }
  auto m = expr(op, sizes.dim(op.getOut(), 0), "the rows of a product");
  auto n = expr(op, sizes.dim(op.getOut(), 1), "the columns of a product");
  auto k = expr(op, sizes.dim(op.getLhs(), op.getTransposeLhs() ? 0 : 1),
                "the depth of a product");
  if (failed(m) || failed(n) || failed(k))
    return failure();
  auto name = label(op, "gemm");
  auto bufferVector = fbb.CreateVector(bufferNumbers);
  fb::CommandBuilder command(fbb);
  command.add_kind(fb::CommandKind_gemm);
  command.add_label(name);
  command.add_buffers(bufferVector);
  command.add_m(*m);
  command.add_n(*n);
  command.add_k(*k);
  command.add_transpose_a(op.getTransposeLhs());
  command.add_transpose_b(op.getTransposeRhs());
  command.add_accumulate(op.getAccumulate());
  command.add_element(
      *elementTypeOf(getElementTypeOrSelf(op.getOut().getType())));
  return command.Finish();
}

FailureOr<EntryWriter::CommandOffset> EntryWriter::copy(CopyOp op) {
  auto source = bufferFor(op.getSource()), destination = bufferFor(op.getOut());
  auto bytes = expr(op, bytesOf(op.getSource()), "the size of a copy");
  if (failed(source) || failed(destination) || failed(bytes))
    return failure();
  auto name = label(op, "copy");
  auto bufferVector =
      fbb.CreateVector(std::vector<uint32_t>{*source, *destination});
  fb::CommandBuilder command(fbb);
  command.add_kind(fb::CommandKind_copy);
  command.add_label(name);
  command.add_buffers(bufferVector);
  command.add_bytes(*bytes);
  return command.Finish();
}

FailureOr<EntryWriter::CommandOffset> EntryWriter::loop(scf::ForOp op) {
  // The variable was made with the other loop counters.
  SizeExprRef lower = sizes.of(op.getLowerBound()),
              upper = sizes.of(op.getUpperBound()),
              step = sizes.of(op.getStep());
  SizeExprRef span =
      lower && upper
          ? makeExpr(fb::ExprOp_add, upper,
                     makeExpr(fb::ExprOp_mul, lower, constantExpr(-1)))
          : nullptr;
  SizeExprRef trips = makeExpr(fb::ExprOp_max, constantExpr(0),
                               makeExpr(fb::ExprOp_ceildiv, span, step));
  auto count = expr(op, trips, "how often a loop runs");
  if (failed(count))
    return failure();
  auto body = commands(*op.getBody());
  if (failed(body))
    return failure();
  unsigned variable = loopVariables.lookup(op);
  auto name = label(op, "loop");
  auto bodyVector = fbb.CreateVector(*body);
  fb::CommandBuilder command(fbb);
  command.add_kind(fb::CommandKind_loop);
  command.add_label(name);
  command.add_variable(variable);
  command.add_trip_count(*count);
  command.add_body(bodyVector);
  return command.Finish();
}

FailureOr<std::vector<EntryWriter::CommandOffset>>
EntryWriter::commands(Block &block) {
  std::vector<CommandOffset> result;
  for (Operation &op : block) {
    FailureOr<CommandOffset> command = CommandOffset();
    if (auto dispatchOp = dyn_cast<DispatchOp>(op))
      command = dispatch(dispatchOp);
    else if (auto gemmOp = dyn_cast<GemmOp>(op))
      command = gemm(gemmOp);
    else if (auto copyOp = dyn_cast<CopyOp>(op))
      command = copy(copyOp);
    else if (auto forOp = dyn_cast<scf::ForOp>(op))
      command = loop(forOp);
    else if (isView(&op) || isa<BufferOp, tensor::EmptyOp, tensor::DimOp>(op) ||
             op.hasTrait<OpTrait::IsTerminator>() ||
             op.hasTrait<OpTrait::ConstantLike>() ||
             isa<arith::ArithDialect, affine::AffineDialect>(op.getDialect()))
      continue;
    else
      return op.emitError("is not an op of a schedule");
    if (failed(command))
      return failure();
    result.push_back(*command);
  }
  return result;
}

FailureOr<flatbuffers::Offset<fb::Entry>> EntryWriter::write() {
  if (failed(inputs()))
    return failure();
  // Loop counters are variables, too: i = lower + counter · step.
  function.walk<WalkOrder::PreOrder>([&](scf::ForOp op) {
    unsigned variable =
        newVariable("loop" + std::to_string(loopCounters.size()));
    loopCounters.insert(variable);
    loopVariables[op] = variable;
    sizes.scalars[op.getInductionVar()] =
        makeExpr(fb::ExprOp_add, sizes.of(op.getLowerBound()),
                 makeExpr(fb::ExprOp_mul, variableExpr(variable),
                          sizes.of(op.getStep())));
  });
  if (failed(arena()) || failed(outputs()))
    return failure();
  auto commandList = commands(function.getBody().front());
  if (failed(commandList))
    return failure();
  std::vector<flatbuffers::Offset<fb::Buffer>> bufferOffsets;
  for (const PlannedBuffer &buffer : buffers)
    bufferOffsets.push_back(
        fb::CreateBuffer(fbb, buffer.kind, buffer.size, buffer.offset));
  std::vector<flatbuffers::Offset<flatbuffers::String>> names;
  for (const std::string &name : variableNames)
    names.push_back(fbb.CreateString(name));
  auto nameOffset = fbb.CreateString(function.getName().str());
  auto nameVector = fbb.CreateVector(names);
  auto inputVector = fbb.CreateVector(inputPorts),
       outputVector = fbb.CreateVector(outputPorts);
  auto expressionVector = table.write(fbb);
  auto checkVector = fbb.CreateVector(checks);
  auto bufferVector = fbb.CreateVector(bufferOffsets);
  auto commandVector = fbb.CreateVector(*commandList);
  return fb::CreateEntry(fbb, nameOffset, variableNames.size(), nameVector,
                         inputVector, outputVector, expressionVector,
                         checkVector, bufferVector, arenaSize, commandVector);
}

//===----------------------------------------------------------------------===//
// Variants, targets, the package
//===----------------------------------------------------------------------===//

namespace {
/// Of a GPU's kernels, as their modules say.
FailureOr<std::vector<LaunchShape>> launchesOf(ModuleOp module) {
  std::vector<LaunchShape> launches;
  for (ModuleOp kernel : kernelsOf(module)) {
    auto threads = kernel->getAttrOfType<IntegerAttr>("program.threads");
    if (!threads)
      return kernel.emitError(
          "the kernel is not lowered for a GPU: no 'program.threads'");
    auto shared = kernel->getAttrOfType<IntegerAttr>("program.shared_bytes");
    launches.push_back({static_cast<uint32_t>(threads.getInt()),
                        static_cast<uint32_t>(shared ? shared.getInt() : 0)});
  }
  return launches;
}

class PackageWriter {
public:
  FailureOr<std::string> write(ArrayRef<CompiledVariant> variants);

private:
  LogicalResult variant(ModuleOp module);
  LogicalResult target(ModuleOp module, const TargetImage &image);
  flatbuffers::Offset<fb::Model> model(ModuleOp module);

  flatbuffers::FlatBufferBuilder fbb{1 << 16};
  std::vector<flatbuffers::Offset<fb::Variant>> variants;
  std::vector<flatbuffers::Offset<fb::Target>> targets;
};
} // namespace

LogicalResult PackageWriter::variant(ModuleOp module) {
  llvm::StringMap<unsigned> numbers;
  std::vector<AffineMap> grids;
  std::vector<flatbuffers::Offset<fb::Kernel>> kernels;
  for (ModuleOp kernel : kernelsOf(module)) {
    std::string name = kernel.getSymName()->str();
    auto grid = kernel->getAttrOfType<AffineMapAttr>("program.grid");
    if (!grid)
      return kernel.emitError("the kernel is not lowered: no 'program.grid'");
    numbers[name] = kernels.size();
    grids.push_back(grid.getValue());
    auto count = kernel->getAttrOfType<IntegerAttr>("program.buffers");
    kernels.push_back(fb::CreateKernel(
        fbb, fbb.CreateString(name), count.getInt(),
        grid.getValue().getNumSymbols(), grid.getValue().getNumResults()));
  }
  std::vector<flatbuffers::Offset<fb::Entry>> entries;
  for (auto function : module.getOps<func::FuncOp>()) {
    if (function.isExternal())
      continue;
    auto entry = EntryWriter(function, numbers, grids, fbb).write();
    if (failed(entry))
      return failure();
    entries.push_back(*entry);
  }
  if (entries.empty())
    return module.emitError("expected at least one function, got none");
  auto entryVector = fbb.CreateVector(entries);
  auto kernelVector = fbb.CreateVector(kernels);
  variants.push_back(fb::CreateVariant(fbb, entryVector, kernelVector));
  return success();
}

/// Of the variant that was written last.
LogicalResult PackageWriter::target(ModuleOp module, const TargetImage &image) {
  std::vector<LaunchShape> launches = image.launches;
  if (launches.empty() && image.kind != "cpu") {
    auto found = launchesOf(module);
    if (failed(found))
      return failure();
    launches = std::move(*found);
  }
  std::vector<fb::KernelLaunch> launchStructs;
  for (const LaunchShape &launch : launches)
    launchStructs.emplace_back(launch.threads, launch.sharedBytes);
  auto kind = fbb.CreateString(image.kind), chip = fbb.CreateString(image.chip),
       triple = fbb.CreateString(image.triple),
       cpu = fbb.CreateString(image.cpu);
  auto launchVector = fbb.CreateVectorOfStructs(launchStructs);
  auto features = fbb.CreateVectorOfStrings(image.features);
  fbb.ForceVectorAlignment(image.image.size(), 1, 64);
  auto bytes =
      fbb.CreateVector(reinterpret_cast<const uint8_t *>(image.image.data()),
                       image.image.size());
  auto format = image.format == TargetImage::Ptx     ? fb::ImageFormat_ptx
                : image.format == TargetImage::Cubin ? fb::ImageFormat_cubin
                                                     : fb::ImageFormat_elf;
  targets.push_back(fb::CreateTarget(fbb, kind, variants.size() - 1, chip,
                                     format, launchVector, triple, cpu,
                                     features, bytes));
  return success();
}

flatbuffers::Offset<fb::Model> PackageWriter::model(ModuleOp module) {
  auto facts = module->getAttrOfType<DictionaryAttr>(kModel);
  if (!facts)
    return 0;
  auto text = [&](StringRef key) {
    auto attr = facts.getAs<StringAttr>(key);
    return fbb.CreateString(attr ? attr.str() : std::string());
  };
  auto number = [&](StringRef key) {
    auto attr = facts.getAs<IntegerAttr>(key);
    return attr ? attr.getInt() : 0;
  };
  auto fingerprint = text("fingerprint"), config = text("config");
  return fb::CreateModel(fbb, fingerprint, config, number("vocab_size"),
                         number("segment_length"),
                         number("max_tokens_per_call"), number("layers"));
}

FailureOr<std::string>
PackageWriter::write(ArrayRef<CompiledVariant> compiled) {
  for (const CompiledVariant &one : compiled) {
    if (failed(variant(one.module)))
      return failure();
    for (const TargetImage &image : one.images)
      if (failed(target(one.module, image)))
        return failure();
  }
  ModuleOp first = compiled.front().module;
  auto modelOffset = model(first);
  auto producer =
      fbb.CreateString("infini " INFINI_VERSION " (LLVM " LLVM_VERSION_STRING
                       ")");
  auto source = first->getAttrOfType<StringAttr>("program.source");
  auto sourceOffset = fbb.CreateString(source ? source.str() : std::string());
  auto variantVector = fbb.CreateVector(variants);
  auto targetVector = fbb.CreateVector(targets);
  fbb.Finish(fb::CreatePackage(fbb, producer, sourceOffset, modelOffset,
                               variantVector, targetVector),
             fb::PackageIdentifier());
  return makePackageFile(fbb.GetBufferPointer(), fbb.GetSize());
}

FailureOr<std::string>
infini::writePackage(ArrayRef<CompiledVariant> variants) {
  return PackageWriter().write(variants);
}
