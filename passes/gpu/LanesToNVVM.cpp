// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The code of a lane, for NVIDIA: ops of the lane dialect become NVVM ops, and
// PTX where an instruction has a predicate.

#include "infini/dialect/lane/LaneOps.h"
#include "infini/dialect/program/ProgramOps.h"
#include "infini/passes/Passes.h"
#include "infini/passes/kernel/KernelForm.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/PatternMatch.h"
#include "llvm/ADT/TypeSwitch.h"

namespace infini {
#define GEN_PASS_DEF_INFINILANESTONVVM
#include "infini/passes/Passes.h.inc"
} // namespace infini

using namespace mlir;
using namespace infini;

namespace {

constexpr unsigned kGlobalSpace = 1, kSharedSpace = 3;

class NvvmLowering {
public:
  NvvmLowering(ModuleOp kernel, func::FuncOp function)
      : kernel(kernel), function(function), b(kernel.getContext()),
        global(LLVM::LLVMPointerType::get(kernel.getContext(), kGlobalSpace)),
        shared(LLVM::LLVMPointerType::get(kernel.getContext(), kSharedSpace)) {}

  LogicalResult run();

private:
  void makeArguments();
  void lower(Operation *op);
  Value i32(int64_t value) {
    return LLVM::ConstantOp::create(b, loc, b.getI32IntegerAttr(value));
  }
  Value elementAddress(Value buffer, Value index) {
    Type element = cast<MemRefType>(buffer.getType()).getElementType();
    Value number = arith::IndexCastOp::create(b, loc, b.getI64Type(), index);
    return LLVM::GEPOp::create(b, loc, global, element,
                               addresses.lookup(buffer),
                               ArrayRef<LLVM::GEPArg>{number});
  }
  Value sharedAddress(Value bytes) {
    Value base = LLVM::AddressOfOp::create(b, loc, shared, "infini_shared");
    return LLVM::GEPOp::create(b, loc, shared, b.getI8Type(), base,
                               ArrayRef<LLVM::GEPArg>{bytes});
  }
  static int64_t bytes(Type type) {
    auto vector = cast<VectorType>(type);
    return vector.getNumElements() * vector.getElementTypeBitWidth() / 8;
  }
  /// The words of 32 bits (or fewer) that PTX moves.
  struct Words {
    Type type;
    int64_t count;
    StringRef suffix, constraint;
  };
  Words wordsOf(Type type);
  Value load(Type type, Value address, Value predicate, StringRef space);
  void store(Value value, Value address, Value predicate, StringRef space);
  /// A vector as `count` words of `type`, or back.
  Value cast_(Value value, Type type) {
    return value.getType() == type
               ? value
               : LLVM::BitcastOp::create(b, loc, type, value).getResult();
  }
  SmallVector<Value> split(Value vector, Type word, int64_t count);
  Value shuffle(Value value, int64_t mask);
  Value mma(nv::MmaSyncOp op);
  Value ldmatrix(nv::LdMatrixOp op);
  Value fastExp2(Value value);

  ModuleOp kernel;
  func::FuncOp function;
  IRRewriter b;
  LLVM::LLVMPointerType global, shared;
  Location loc = UnknownLoc::get(kernel.getContext());
  DenseMap<Value, Value> addresses;
};

} // namespace

void NvvmLowering::makeArguments() {
  Block &entry = function.getBody().front();
  SmallVector<BlockArgument> old(entry.getArguments());
  loc = function.getLoc();
  b.setInsertionPointToStart(&entry);
  // Buffers, then scalars: the flat struct of runtime/kernel_abi.h is the
  // parameters' memory as it is.
  for (BlockArgument argument : old)
    if (isa<MemRefType>(argument.getType()))
      addresses[argument] = entry.addArgument(global, loc);
  for (BlockArgument argument : old)
    if (!isa<MemRefType>(argument.getType())) {
      Value scalar = entry.addArgument(b.getI64Type(), loc);
      b.replaceAllUsesWith(argument, arith::IndexCastOp::create(
                                         b, loc, b.getIndexType(), scalar));
    }
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(kernel.getBody());
  // Dynamic: its size comes with the launch.
  LLVM::GlobalOp::create(b, loc, LLVM::LLVMArrayType::get(b.getI8Type(), 0),
                         /*isConstant=*/false, LLVM::Linkage::External,
                         "infini_shared", Attribute(), /*alignment=*/128,
                         kSharedSpace);
}

NvvmLowering::Words NvvmLowering::wordsOf(Type type) {
  int64_t size = bytes(type);
  if (size >= 4)
    return {b.getI32Type(), size / 4, "b32", "r"};
  if (size == 2)
    return {b.getI16Type(), 1, "b16", "h"};
  return {b.getI16Type(), 1, "b8", "h"};
}

SmallVector<Value> NvvmLowering::split(Value vector, Type word, int64_t count) {
  if (count == 1)
    return {cast_(vector, word)};
  Value words = cast_(vector, VectorType::get({count}, word));
  SmallVector<Value> parts;
  for (int64_t i = 0; i < count; ++i)
    parts.push_back(LLVM::ExtractElementOp::create(b, loc, words, i32(i)));
  return parts;
}

Value NvvmLowering::load(Type type, Value address, Value predicate,
                         StringRef space) {
  if (!predicate)
    return LLVM::LoadOp::create(b, loc, type, address, bytes(type));
  Words words = wordsOf(type);
  std::string list, zeros, constraints;
  for (int64_t i = 0; i < words.count; ++i) {
    std::string name = "$" + std::to_string(i);
    list += (i ? ", " : "") + name;
    zeros += "mov." + std::string(words.constraint == "h" ? "b16" : "b32") +
             " " + name + ", 0; ";
    constraints += ("=" + words.constraint + ",").str();
  }
  bool isVector = words.count > 1;
  std::string text =
      "{ .reg .pred p; setp.ne.b32 p, $" + std::to_string(words.count + 1) +
      ", 0; " + zeros + "@p ld." + space.str() +
      (isVector ? ".v" + std::to_string(words.count) : std::string()) + "." +
      words.suffix.str() + " " + (isVector ? "{" + list + "}" : list) + ", [$" +
      std::to_string(words.count) + "]; }";
  constraints += space == "global" ? "l,r,~{memory}" : "r,r,~{memory}";
  Type result = words.type;
  if (isVector)
    result = LLVM::LLVMStructType::getLiteral(
        b.getContext(), SmallVector<Type>(words.count, words.type));
  Value flag = arith::ExtUIOp::create(b, loc, b.getI32Type(), predicate);
  auto call = LLVM::InlineAsmOp::create(
      b, loc, result, ValueRange{address, flag}, text, constraints,
      /*has_side_effects=*/true, /*is_align_stack=*/false,
      LLVM::TailCallKind::None,
      LLVM::AsmDialectAttr::get(b.getContext(), LLVM::AsmDialect::AD_ATT),
      ArrayAttr());
  Value value = call.getResult(0);
  if (isVector) {
    Value vector = LLVM::PoisonOp::create(
        b, loc, VectorType::get({words.count}, words.type));
    for (int64_t i = 0; i < words.count; ++i) {
      Value word = LLVM::ExtractValueOp::create(b, loc, value, i);
      vector = LLVM::InsertElementOp::create(b, loc, vector, word, i32(i));
    }
    return cast_(vector, type);
  }
  if (bytes(type) == 1)
    value = arith::TruncIOp::create(b, loc, b.getI8Type(), value);
  return cast_(value, type);
}

void NvvmLowering::store(Value value, Value address, Value predicate,
                         StringRef space) {
  Type type = value.getType();
  if (!predicate) {
    LLVM::StoreOp::create(b, loc, value, address, bytes(type));
    return;
  }
  Words words = wordsOf(type);
  SmallVector<Value> operands{address};
  if (bytes(type) == 1)
    operands.push_back(arith::ExtUIOp::create(b, loc, b.getI16Type(),
                                              cast_(value, b.getI8Type())));
  else
    llvm::append_range(operands, split(value, words.type, words.count));
  std::string list, constraints = space == "global" ? "l" : "r";
  for (int64_t i = 0; i < words.count; ++i) {
    list += (i ? ", $" : "$") + std::to_string(i + 1);
    constraints += ("," + words.constraint).str();
  }
  operands.push_back(arith::ExtUIOp::create(b, loc, b.getI32Type(), predicate));
  bool isVector = words.count > 1;
  std::string text =
      "{ .reg .pred p; setp.ne.b32 p, $" + std::to_string(words.count + 1) +
      ", 0; @p st." + space.str() +
      (isVector ? ".v" + std::to_string(words.count) : std::string()) + "." +
      words.suffix.str() + " [$0], " + (isVector ? "{" + list + "}" : list) +
      "; }";
  LLVM::InlineAsmOp::create(
      b, loc, TypeRange(), operands, text, constraints + ",r,~{memory}",
      /*has_side_effects=*/true, /*is_align_stack=*/false,
      LLVM::TailCallKind::None,
      LLVM::AsmDialectAttr::get(b.getContext(), LLVM::AsmDialect::AD_ATT),
      ArrayAttr());
}

Value NvvmLowering::shuffle(Value value, int64_t mask) {
  Type type = value.getType();
  unsigned bits = type.getIntOrFloatBitWidth();
  auto exchange = [&](Value word) -> Value {
    return NVVM::ShflOp::create(b, loc, b.getI32Type(), i32(-1), word,
                                i32(mask), i32(31), NVVM::ShflKind::bfly,
                                UnitAttr());
  };
  if (bits == 32)
    return cast_(exchange(cast_(value, b.getI32Type())), type);
  auto pair = VectorType::get({2}, b.getI32Type());
  Value words = cast_(value, pair),
        result = LLVM::PoisonOp::create(b, loc, pair);
  for (int64_t i = 0; i < 2; ++i) {
    Value word = LLVM::ExtractElementOp::create(b, loc, words, i32(i));
    result =
        LLVM::InsertElementOp::create(b, loc, result, exchange(word), i32(i));
  }
  return cast_(result, type);
}

Value NvvmLowering::ldmatrix(nv::LdMatrixOp op) {
  auto type = cast<VectorType>(op.getType());
  int64_t count = type.getNumElements() / 2;
  Type result = b.getI32Type();
  if (count > 1)
    result = LLVM::LLVMStructType::getLiteral(
        b.getContext(), SmallVector<Type>(count, b.getI32Type()));
  Value words = NVVM::LdMatrixOp::create(
      b, loc, result, sharedAddress(op.getAddress()), count,
      op.getTranspose() ? NVVM::MMALayout::col : NVVM::MMALayout::row,
      NVVM::LdStMatrixShapeAttr::get(b.getContext(), 8, 8),
      NVVM::LdStMatrixEltType::B16);
  if (count == 1)
    return cast_(words, type);
  Value vector =
      LLVM::PoisonOp::create(b, loc, VectorType::get({count}, b.getI32Type()));
  for (int64_t i = 0; i < count; ++i) {
    Value word = LLVM::ExtractValueOp::create(b, loc, words, i);
    vector = LLVM::InsertElementOp::create(b, loc, vector, word, i32(i));
  }
  return cast_(vector, type);
}

Value NvvmLowering::mma(nv::MmaSyncOp op) {
  Type element = cast<VectorType>(op.getA().getType()).getElementType();
  bool isTf32 = element.isF32(), isF16 = element.isF16();
  Type word = b.getI32Type();
  if (isF16)
    word = VectorType::get({2}, element);
  auto operands = [&](Value value, int64_t count) {
    SmallVector<Value> words = split(value, b.getI32Type(), count);
    for (Value &piece : words)
      piece = cast_(piece, word);
    return words;
  };
  SmallVector<Value> a = operands(op.getA(), 4), c = operands(op.getB(), 2);
  SmallVector<Value> sums = split(op.getC(), b.getF32Type(), 4);
  auto kind = isTf32  ? NVVM::MMATypes::tf32
              : isF16 ? NVVM::MMATypes::f16
                      : NVVM::MMATypes::bf16;
  Type result = LLVM::LLVMStructType::getLiteral(
      b.getContext(), SmallVector<Type>(4, b.getF32Type()));
  Value product = NVVM::MmaOp::create(
      b, loc, result, a, c, sums, ArrayRef<int64_t>{16, 8, isTf32 ? 8 : 16},
      std::nullopt, std::nullopt, std::array{kind, kind},
      std::array{NVVM::MMALayout::row, NVVM::MMALayout::col});
  Value vector = LLVM::PoisonOp::create(b, loc, op.getType());
  for (int64_t i = 0; i < 4; ++i) {
    Value sum = LLVM::ExtractValueOp::create(b, loc, product, i);
    vector = LLVM::InsertElementOp::create(b, loc, vector, sum, i32(i));
  }
  return vector;
}

void NvvmLowering::lower(Operation *op) {
  loc = op->getLoc();
  b.setInsertionPoint(op);
  auto replaceWithNumber = [&](Value number) {
    b.replaceOpWithNewOp<arith::IndexCastOp>(op, b.getIndexType(), number);
  };
  llvm::TypeSwitch<Operation *>(op)
      .Case([&](gpu::BlockIdOp id) {
        Value number;
        Type type = b.getI32Type();
        switch (id.getDimension()) {
        case gpu::Dimension::x:
          number = NVVM::BlockIdXOp::create(b, loc, type);
          break;
        case gpu::Dimension::y:
          number = NVVM::BlockIdYOp::create(b, loc, type);
          break;
        case gpu::Dimension::z:
          number = NVVM::BlockIdZOp::create(b, loc, type);
          break;
        }
        replaceWithNumber(number);
      })
      .Case([&](gpu::ThreadIdOp) {
        replaceWithNumber(NVVM::ThreadIdXOp::create(b, loc, b.getI32Type()));
      })
      .Case([&](nv::LoadGlobalOp access) {
        Value address = elementAddress(access.getBuffer(), access.getIndex());
        b.replaceOp(op, load(access.getType(), address, access.getPredicate(),
                             "global"));
      })
      .Case([&](nv::StoreGlobalOp access) {
        Value address = elementAddress(access.getBuffer(), access.getIndex());
        store(access.getValue(), address, access.getPredicate(), "global");
        b.eraseOp(op);
      })
      .Case([&](nv::LoadSharedOp access) {
        b.replaceOp(op,
                    load(access.getType(), sharedAddress(access.getAddress()),
                         Value(), "shared"));
      })
      .Case([&](nv::StoreSharedOp access) {
        store(access.getValue(), sharedAddress(access.getAddress()),
              access.getPredicate(), "shared");
        b.eraseOp(op);
      })
      .Case([&](nv::CopyAsyncOp copy) {
        Value address = elementAddress(copy.getBuffer(), copy.getIndex());
        Value size;
        if (copy.getPredicate())
          size = arith::SelectOp::create(b, loc, copy.getPredicate(),
                                         i32(copy.getBytes()), i32(0));
        NVVM::CpAsyncOp::create(
            b, loc, sharedAddress(copy.getAddress()), address, copy.getBytes(),
            copy.getBytes() == 16 ? NVVM::LoadCacheModifierKind::CG
                                  : NVVM::LoadCacheModifierKind::CA,
            size);
        b.eraseOp(op);
      })
      .Case([&](nv::CommitCopiesOp) {
        NVVM::CpAsyncCommitGroupOp::create(b, loc);
        b.eraseOp(op);
      })
      .Case([&](nv::WaitCopiesOp wait) {
        NVVM::CpAsyncWaitGroupOp::create(b, loc, wait.getPending());
        b.eraseOp(op);
      })
      .Case([&](nv::BarrierOp) {
        NVVM::BarrierOp::create(b, loc);
        b.eraseOp(op);
      })
      .Case([&](arith::MaxNumFOp max) {
        b.replaceOpWithNewOp<LLVM::MaxNumOp>(op, max.getLhs(), max.getRhs());
      })
      .Case([&](arith::MinNumFOp min) {
        b.replaceOpWithNewOp<LLVM::MinNumOp>(op, min.getLhs(), min.getRhs());
      })
      .Case(
          [&](math::Exp2Op op) { b.replaceOp(op, fastExp2(op.getOperand())); })
      .Case([&](nv::ShuffleXorOp op) {
        b.replaceOp(op, shuffle(op.getValue(), op.getMask()));
      })
      .Case([&](nv::LdMatrixOp op) { b.replaceOp(op, ldmatrix(op)); })
      .Case([&](nv::MmaSyncOp op) { b.replaceOp(op, mma(op)); });
}

/// One that may be approximate: subnormal numbers are not worth the three more
/// instructions that ex2.approx.f32 takes for them.
static bool isFastExp2(Operation *op) {
  auto exp = dyn_cast<math::Exp2Op>(op);
  return exp && getElementTypeOrSelf(exp.getType()).isF32() &&
         bitEnumContainsAny(exp.getFastmath(), arith::FastMathFlags::afn);
}

/// ex2.approx.ftz.f32 of each element.
Value NvvmLowering::fastExp2(Value value) {
  Location loc = value.getLoc();
  auto one = [&](Value element) {
    return LLVM::CallIntrinsicOp::create(
               b, loc, b.getF32Type(),
               b.getStringAttr("llvm.nvvm.ex2.approx.ftz.f32"), element)
        .getResult(0);
  };
  auto vector = dyn_cast<VectorType>(value.getType());
  if (!vector)
    return one(value);
  SmallVector<Value> elements;
  for (int64_t i = 0; i < vector.getNumElements(); ++i)
    elements.push_back(one(vector::ExtractOp::create(b, loc, value, i)));
  return vector::FromElementsOp::create(b, loc, vector, elements);
}

LogicalResult NvvmLowering::run() {
  makeArguments();
  SmallVector<Operation *> ops;
  function.walk([&](Operation *op) {
    if (isa<nv::NVDialect>(op->getDialect()) ||
        isa<gpu::BlockIdOp, gpu::ThreadIdOp, arith::MaxNumFOp,
            arith::MinNumFOp>(op) ||
        isFastExp2(op))
      ops.push_back(op);
  });
  for (Operation *op : ops)
    lower(op);
  unsigned old =
      addresses.size() + llvm::count_if(function.getBody().getArgumentTypes(),
                                        llvm::IsaPred<IndexType>);
  return dropArguments(function, old);
}

namespace {
struct LanesToNVVM final : infini::impl::InfiniLanesToNVVMBase<LanesToNVVM> {
  void runOnOperation() override {
    func::FuncOp function = program::kernelFunction(getOperation());
    if (!function)
      return;
    if (failed(checkLaneKernel(function)) ||
        failed(NvvmLowering(getOperation(), function).run()))
      signalPassFailure();
  }
};
} // namespace
