// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The code of a lane, for the simulator: ops of the lane dialect become calls
// through the table of runtime/lane_abi.h.

#include "infini/dialect/lane/LaneOps.h"
#include "infini/dialect/program/ProgramOps.h"
#include "infini/passes/Passes.h"
#include "infini/passes/kernel/KernelForm.h"
#include "infini/runtime/lane_abi.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/PatternMatch.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/Path.h"

namespace infini {
#define GEN_PASS_DEF_INFINILANESTOSIM
#include "infini/passes/Passes.h.inc"
} // namespace infini

using namespace mlir;
using namespace infini;

namespace {

/// Places in the lane's table.
enum LaneFunction : int32_t {
#define INFINI_ENUMERATE(name, result, arguments) call_##name,
  INFINI_LANE_FUNCTIONS(INFINI_ENUMERATE)
#undef INFINI_ENUMERATE
};

class SimLowering {
public:
  SimLowering(ModuleOp kernel, func::FuncOp function)
      : kernel(kernel), function(function), b(kernel.getContext()),
        pointer(LLVM::LLVMPointerType::get(kernel.getContext())) {}

  LogicalResult run();

private:
  LogicalResult makeArguments();
  void lower(Operation *op);
  Value field(Value base, int32_t number, Type type) {
    Value address = LLVM::GEPOp::create(b, loc, pointer, b.getI64Type(), base,
                                        ArrayRef<LLVM::GEPArg>{number});
    return LLVM::LoadOp::create(b, loc, type, address);
  }
  Value i32(int64_t value) {
    return LLVM::ConstantOp::create(b, loc, b.getI32IntegerAttr(value));
  }
  Value scratch(int32_t bytes) {
    return LLVM::GEPOp::create(b, loc, pointer, b.getI8Type(), memory,
                               ArrayRef<LLVM::GEPArg>{bytes});
  }
  /// Where an op is, for messages.
  Value where(Operation *op);
  Value call(LaneFunction callee, Operation *op, ValueRange arguments,
             Type result = {});
  Value predicate(Value condition) {
    return condition ? arith::ExtUIOp::create(b, loc, b.getI32Type(), condition)
                           .getResult()
                     : i32(1);
  }
  Value i64(int64_t value) {
    return LLVM::ConstantOp::create(b, loc, b.getI64IntegerAttr(value));
  }
  Value times(Value left, Value right) {
    return arith::MulIOp::create(b, loc, left, right);
  }
  /// Of an access to global memory: the buffer's number, the offset in it, and
  /// its size.
  SmallVector<Value> place(Value buffer, Value index) {
    auto [number, size] = buffers.lookup(buffer);
    Value element = arith::IndexCastOp::create(b, loc, b.getI64Type(), index);
    return {i32(number), times(element, i64(elementBytes(buffer))), size};
  }
  static int64_t elementBytes(Value buffer) {
    Type element = cast<MemRefType>(buffer.getType()).getElementType();
    return element.isIntOrFloat() ? element.getIntOrFloatBitWidth() / 8 : 0;
  }
  static int64_t bytes(Type type) {
    auto vector = cast<VectorType>(type);
    return vector.getNumElements() * vector.getElementTypeBitWidth() / 8;
  }
  Value load(Type type, Value address) {
    return LLVM::LoadOp::create(b, loc, type, address, /*alignment=*/1);
  }
  void store(Value value, Value address) {
    LLVM::StoreOp::create(b, loc, value, address, /*alignment=*/1);
  }

  ModuleOp kernel;
  func::FuncOp function;
  IRRewriter b;
  LLVM::LLVMPointerType pointer;
  Location loc = UnknownLoc::get(kernel.getContext());
  Value lane, memory;
  /// Their numbers, and their sizes in bytes.
  DenseMap<Value, std::pair<int32_t, Value>> buffers;
  llvm::StringMap<std::string> symbols;
};

} // namespace

/// "file.mlir:3:4", or what the location has of that.
static std::string textOf(Location loc) {
  if (auto file = dyn_cast<FileLineColLoc>(loc))
    return (llvm::sys::path::filename(file.getFilename()) + ":" +
            Twine(file.getLine()) + ":" + Twine(file.getColumn()))
        .str();
  if (auto name = dyn_cast<NameLoc>(loc))
    return name.getName().str();
  if (auto fused = dyn_cast<FusedLoc>(loc))
    for (Location part : fused.getLocations())
      if (std::string text = textOf(part); !text.empty())
        return text;
  if (auto site = dyn_cast<CallSiteLoc>(loc))
    return textOf(site.getCallee());
  return "";
}

Value SimLowering::where(Operation *op) {
  std::string place = textOf(op->getLoc());
  std::string text = op->getName().getStringRef().str() +
                     (place.empty() ? "" : " at " + place);
  // One string an op: its address says which.
  std::string symbol =
      (function.getName() + ".where." + Twine(symbols.size())).str();
  symbols[symbol] = text;
  text.push_back('\0');
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(kernel.getBody());
  auto type = LLVM::LLVMArrayType::get(b.getI8Type(), text.size());
  auto global = LLVM::GlobalOp::create(
      b, loc, type, /*isConstant=*/true, LLVM::Linkage::Private, symbol,
      b.getStringAttr(StringRef(text.data(), text.size())));
  b.setInsertionPoint(op);
  return LLVM::AddressOfOp::create(b, loc, global);
}

Value SimLowering::call(LaneFunction callee, Operation *op,
                        ValueRange arguments, Type result) {
  SmallVector<Value> operands{lane, where(op)};
  llvm::append_range(operands, arguments);
  SmallVector<Type> types;
  for (Value operand : operands)
    types.push_back(operand.getType());
  auto type = LLVM::LLVMFunctionType::get(
      result ? result : LLVM::LLVMVoidType::get(b.getContext()), types);
  Value table = field(lane, 4, pointer);
  Value target = field(table, callee, pointer);
  operands.insert(operands.begin(), target);
  auto callOp = LLVM::CallOp::create(b, loc, type, operands);
  return result ? callOp.getResult() : Value();
}

LogicalResult SimLowering::makeArguments() {
  Block &entry = function.getBody().front();
  SmallVector<BlockArgument> old(entry.getArguments());
  loc = function.getLoc();
  Value arguments = entry.addArgument(pointer, loc);
  lane = entry.addArgument(pointer, loc);
  b.setInsertionPointToStart(&entry);
  memory = LLVM::AllocaOp::create(b, loc, pointer, b.getI8Type(), i32(64), 16);
  // As in kernel_abi.h: buffers, scalars, and of these last the dimensions of
  // buffers that are not static.
  auto isBuffer = [](Value value) { return isa<MemRefType>(value.getType()); };
  auto places = llvm::to_vector(llvm::make_filter_range(old, isBuffer));
  SmallVector<Value> scalars;
  for (BlockArgument argument : old) {
    if (isBuffer(argument))
      continue;
    auto slot = static_cast<int32_t>(places.size() + scalars.size());
    scalars.push_back(field(arguments, slot, b.getI64Type()));
    b.replaceAllUsesWith(
        argument,
        arith::IndexCastOp::create(b, loc, b.getIndexType(), scalars.back()));
  }
  int64_t sizes = 0;
  for (BlockArgument buffer : places)
    sizes += cast<MemRefType>(buffer.getType()).getNumDynamicDims();
  if (sizes > static_cast<int64_t>(scalars.size()))
    return function.emitError("expected an index for each of the ")
           << sizes << " dynamic dimensions of buffers, got " << scalars.size();
  const Value *dim = scalars.end() - sizes;
  for (auto [number, buffer] : llvm::enumerate(places)) {
    auto type = cast<MemRefType>(buffer.getType());
    int64_t fixed = elementBytes(buffer);
    for (int64_t size : type.getShape())
      fixed *= ShapedType::isDynamic(size) ? 1 : size;
    Value size = i64(fixed);
    for (int64_t i = 0; i < type.getNumDynamicDims(); ++i)
      size = times(size, *dim++);
    buffers[buffer] = {static_cast<int32_t>(number), size};
  }
  return success();
}

void SimLowering::lower(Operation *op) {
  loc = op->getLoc();
  b.setInsertionPoint(op);
  llvm::TypeSwitch<Operation *>(op)
      .Case([&](gpu::BlockIdOp id) {
        Value number = field(lane, static_cast<int32_t>(id.getDimension()),
                             b.getI64Type());
        b.replaceOpWithNewOp<arith::IndexCastOp>(op, b.getIndexType(), number);
      })
      .Case([&](gpu::ThreadIdOp) {
        b.replaceOpWithNewOp<arith::IndexCastOp>(
            op, b.getIndexType(), field(lane, 3, b.getI64Type()));
      })
      .Case([&](nv::LoadGlobalOp access) {
        SmallVector<Value> operands =
            place(access.getBuffer(), access.getIndex());
        operands.append({i32(bytes(access.getType())),
                         predicate(access.getPredicate()), scratch(0)});
        call(call_load_global, op, operands);
        b.replaceOp(op, load(access.getType(), scratch(0)));
      })
      .Case([&](nv::StoreGlobalOp access) {
        SmallVector<Value> operands =
            place(access.getBuffer(), access.getIndex());
        store(access.getValue(), scratch(0));
        operands.append({i32(bytes(access.getValue().getType())),
                         predicate(access.getPredicate()), scratch(0)});
        call(call_store_global, op, operands);
        b.eraseOp(op);
      })
      .Case([&](nv::LoadSharedOp access) {
        call(call_load_shared, op,
             {access.getAddress(), i32(bytes(access.getType())), scratch(0)});
        b.replaceOp(op, load(access.getType(), scratch(0)));
      })
      .Case([&](nv::StoreSharedOp access) {
        store(access.getValue(), scratch(0));
        call(call_store_shared, op,
             {access.getAddress(), i32(bytes(access.getValue().getType())),
              predicate(access.getPredicate()), scratch(0)});
        b.eraseOp(op);
      })
      .Case([&](nv::CopyAsyncOp copy) {
        SmallVector<Value> operands{copy.getAddress()};
        llvm::append_range(operands, place(copy.getBuffer(), copy.getIndex()));
        operands.append({i32(copy.getBytes()), predicate(copy.getPredicate())});
        call(call_copy_async, op, operands);
        b.eraseOp(op);
      })
      .Case([&](nv::CommitCopiesOp) {
        call(call_commit, op, {});
        b.eraseOp(op);
      })
      .Case([&](nv::WaitCopiesOp wait) {
        call(call_wait, op, {i32(wait.getPending())});
        b.eraseOp(op);
      })
      .Case([&](nv::BarrierOp) {
        call(call_barrier, op, {});
        b.eraseOp(op);
      })
      .Case([&](nv::ShuffleXorOp shuffle) {
        Type type = shuffle.getType();
        unsigned bits = type.getIntOrFloatBitWidth();
        Type integer = b.getIntegerType(bits);
        auto cast = [&](Value value, Type to) -> Value {
          if (value.getType() == to)
            return value;
          return arith::BitcastOp::create(b, loc, to, value);
        };
        Value word = cast(shuffle.getValue(), integer), result;
        for (unsigned part = 0; part < bits; part += 32) {
          Value piece = word;
          if (bits == 64) {
            Value by =
                LLVM::ConstantOp::create(b, loc, b.getI64IntegerAttr(part));
            piece = arith::TruncIOp::create(
                b, loc, b.getI32Type(),
                arith::ShRUIOp::create(b, loc, word, by));
          }
          Value other = call(call_shuffle_xor, op,
                             {piece, i32(shuffle.getMask())}, b.getI32Type());
          if (bits == 64) {
            Value by =
                LLVM::ConstantOp::create(b, loc, b.getI64IntegerAttr(part));
            other = arith::ShLIOp::create(
                b, loc, arith::ExtUIOp::create(b, loc, integer, other), by);
          }
          result = result
                       ? arith::OrIOp::create(b, loc, result, other).getResult()
                       : other;
        }
        b.replaceOp(op, cast(result, type));
      })
      .Case([&](nv::LdMatrixOp matrix) {
        int64_t count =
            ::cast<VectorType>(matrix.getType()).getNumElements() / 2;
        call(call_ldmatrix, op,
             {matrix.getAddress(), i32(count), i32(matrix.getTranspose()),
              scratch(0)});
        b.replaceOp(op, load(matrix.getType(), scratch(0)));
      })
      .Case([&](nv::MmaSyncOp mma) {
        Type element =
            ::cast<VectorType>(mma.getA().getType()).getElementType();
        int64_t kind = element.isBF16() ? 0 : element.isF16() ? 1 : 2;
        store(mma.getA(), scratch(0));
        store(mma.getB(), scratch(16));
        store(mma.getC(), scratch(32));
        call(call_mma, op, {i32(kind), scratch(0), scratch(16), scratch(32)});
        b.replaceOp(op, load(mma.getType(), scratch(32)));
      });
}

LogicalResult SimLowering::run() {
  if (failed(makeArguments()))
    return failure();
  SmallVector<Operation *> ops;
  function.walk([&](Operation *op) {
    if (isa<nv::NVDialect>(op->getDialect()) ||
        isa<gpu::BlockIdOp, gpu::ThreadIdOp>(op))
      ops.push_back(op);
  });
  for (Operation *op : ops)
    lower(op);
  return dropArguments(function, function.getBody().getNumArguments() - 2);
}

namespace {
struct LanesToSim final : infini::impl::InfiniLanesToSimBase<LanesToSim> {
  void runOnOperation() override {
    func::FuncOp function = program::kernelFunction(getOperation());
    if (function && (failed(checkLaneKernel(function)) ||
                     failed(SimLowering(getOperation(), function).run())))
      signalPassFailure();
  }
};
} // namespace
