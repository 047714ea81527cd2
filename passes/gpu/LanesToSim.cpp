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
  void makeArguments();
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
  Value elementAddress(Value buffer, Value index) {
    Type element = cast<MemRefType>(buffer.getType()).getElementType();
    Value number = arith::IndexCastOp::create(b, loc, b.getI64Type(), index);
    return LLVM::GEPOp::create(b, loc, pointer, element,
                               addresses.lookup(buffer),
                               ArrayRef<LLVM::GEPArg>{number});
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
  DenseMap<Value, Value> addresses;
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

void SimLowering::makeArguments() {
  Block &entry = function.getBody().front();
  SmallVector<BlockArgument> old(entry.getArguments());
  loc = function.getLoc();
  Value arguments = entry.addArgument(pointer, loc);
  lane = entry.addArgument(pointer, loc);
  b.setInsertionPointToStart(&entry);
  memory = LLVM::AllocaOp::create(b, loc, pointer, b.getI8Type(), i32(64), 16);
  int32_t buffers = llvm::count_if(
      old, [](Value value) { return isa<MemRefType>(value.getType()); });
  int32_t nextBuffer = 0, nextScalar = buffers;
  for (BlockArgument argument : old)
    if (isa<MemRefType>(argument.getType()))
      addresses[argument] = field(arguments, nextBuffer++, pointer);
    else
      b.replaceAllUsesWith(argument,
                           arith::IndexCastOp::create(
                               b, loc, b.getIndexType(),
                               field(arguments, nextScalar++, b.getI64Type())));
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
        Value address = elementAddress(access.getBuffer(), access.getIndex());
        call(call_load_global, op,
             {address, i32(bytes(access.getType())),
              predicate(access.getPredicate()), scratch(0)});
        b.replaceOp(op, load(access.getType(), scratch(0)));
      })
      .Case([&](nv::StoreGlobalOp access) {
        Value address = elementAddress(access.getBuffer(), access.getIndex());
        store(access.getValue(), scratch(0));
        call(call_store_global, op,
             {address, i32(bytes(access.getValue().getType())),
              predicate(access.getPredicate()), scratch(0)});
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
        Value address = elementAddress(copy.getBuffer(), copy.getIndex());
        call(call_copy_async, op,
             {copy.getAddress(), address, i32(copy.getBytes()),
              predicate(copy.getPredicate())});
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
  makeArguments();
  SmallVector<Operation *> ops;
  function.walk([&](Operation *op) {
    if (isa<nv::NVDialect>(op->getDialect()) ||
        isa<gpu::BlockIdOp, gpu::ThreadIdOp>(op))
      ops.push_back(op);
  });
  for (Operation *op : ops)
    lower(op);
  Block &entry = function.getBody().front();
  unsigned old = entry.getNumArguments() - 2;
  for (BlockArgument argument : entry.getArguments().take_front(old))
    if (!argument.use_empty())
      return function.emitError("expected argument ")
             << argument.getArgNumber()
             << " to be used by ops of the lane dialect only";
  entry.eraseArguments(0, old);
  function.setFunctionType(b.getFunctionType({pointer, pointer}, {}));
  function.removeArgAttrsAttr();
  return success();
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
