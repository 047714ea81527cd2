// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Places of buffers in shared memory, by when they are alive, and the barriers
// between threads that write and read them.

#include "infini/dialect/tile/TileOps.h"
#include "infini/passes/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Builders.h"
#include "llvm/ADT/MapVector.h"
#include <set>

namespace infini {
#define GEN_PASS_DEF_TILEALLOCATESHARED
#include "infini/passes/Passes.h.inc"
} // namespace infini

using namespace mlir;
using namespace infini;
using namespace infini::tile;

static constexpr int64_t kAlignment = 128;

namespace {

/// A buffer in shared memory (or one of the kernel's, without alloc): when it
/// is alive, as numbers of ops in program order, and where it lies.
struct Buffer {
  AllocOp alloc;
  int64_t first = 0, last = 0, bytes = 0, offset = 0;

  bool overlapsInTime(const Buffer &other) const {
    return first <= other.last && other.first <= last;
  }
  bool overlapsInPlace(const Buffer &other) const {
    return offset < other.offset + other.bytes && other.offset < offset + bytes;
  }
};

/// What threads did to shared memory since the last barrier.
struct Pending {
  std::set<unsigned> reads, writes, copies;

  void merge(const Pending &other) {
    reads.insert(other.reads.begin(), other.reads.end());
    writes.insert(other.writes.begin(), other.writes.end());
    copies.insert(other.copies.begin(), other.copies.end());
  }
};

class SharedMemory {
public:
  explicit SharedMemory(func::FuncOp function) : function(function) {}

  /// Returns the bytes that the kernel needs.
  int64_t place();
  int64_t insertBarriers();

private:
  void noteGlobalBuffers();
  static Value rootOf(Value value) {
    while (auto view = value.getDefiningOp<ViewLikeOpInterface>())
      value = view.getViewSource();
    return value;
  }
  /// Adds the number of the buffer behind views, where it is of interest.
  void note(SmallVectorImpl<unsigned> &list, Value value) {
    if (auto it = numbers.find(rootOf(value)); it != numbers.end())
      list.push_back(it->second);
  }
  /// Follows a value through slots to what uses it.
  void extend(Buffer &buffer, Value value,
              const DenseMap<Operation *, int64_t> &order);
  bool touches(const std::set<unsigned> &set, unsigned buffer) {
    return llvm::any_of(set, [&](unsigned other) {
      return other == buffer || buffers[other].overlapsInPlace(buffers[buffer]);
    });
  }
  void visit(Block &block, Pending &pending);
  void visit(Operation &op, Pending &pending);

  func::FuncOp function;
  SmallVector<Buffer> buffers;
  DenseMap<Value, unsigned> numbers;
  int64_t barriers = 0;
};

} // namespace

void SharedMemory::extend(Buffer &buffer, Value value,
                          const DenseMap<Operation *, int64_t> &order) {
  for (Operation *user : value.getUsers()) {
    if (auto slot = dyn_cast<SlotOp>(user)) {
      extend(buffer, slot, order);
      continue;
    }
    // In a loop that the buffer outlives, all of the loop.
    Operation *inHome = user;
    while (inHome->getBlock() != buffer.alloc->getBlock())
      inHome = inHome->getParentOp();
    int64_t end = order.lookup(inHome);
    inHome->walk([&](Operation *op) { end = std::max(end, order.lookup(op)); });
    buffer.last = std::max(buffer.last, end);
  }
}

/// Buffers of the kernel that it loads and stores: a thread may read what
/// another one wrote.
void SharedMemory::noteGlobalBuffers() {
  llvm::SetVector<Value> loaded;
  auto read = [&](Value buffer) { loaded.insert(rootOf(buffer)); };
  function.walk([&](LoadOp op) { read(op.getSource()); });
  function.walk([&](GatherOp op) { read(op.getSource()); });
  function.walk([&](CopyAsyncOp op) { read(op.getSource()); });
  function.walk([&](StoreOp op) {
    Value root = rootOf(op.getDest());
    if (!loaded.contains(root) || numbers.contains(root))
      return;
    numbers[root] = buffers.size();
    buffers.emplace_back();
  });
}

int64_t SharedMemory::place() {
  DenseMap<Operation *, int64_t> order;
  function.walk<WalkOrder::PreOrder>([&](Operation *op) {
    int64_t number = order.size();
    order[op] = number;
  });
  noteGlobalBuffers();
  function.walk([&](AllocOp alloc) {
    Buffer buffer;
    buffer.alloc = alloc;
    MemRefType type = alloc.getType();
    buffer.bytes = cast<SharedAttr>(type.getMemorySpace()).getPitch();
    for (int64_t size : type.getShape().drop_back())
      buffer.bytes *= size;
    buffer.bytes = llvm::alignTo(buffer.bytes, kAlignment);
    buffer.first = buffer.last = order.lookup(alloc);
    extend(buffer, alloc, order);
    numbers[alloc] = buffers.size();
    buffers.push_back(buffer);
  });
  // The largest first (the kernel's buffers have no bytes here), each at the
  // lowest place that is free while it lives.
  SmallVector<unsigned> bySize =
      llvm::to_vector(llvm::seq<unsigned>(0, buffers.size()));
  llvm::stable_sort(bySize, [&](unsigned x, unsigned y) {
    return buffers[x].bytes > buffers[y].bytes;
  });
  int64_t total = 0;
  SmallVector<unsigned> placed;
  for (unsigned number : bySize) {
    Buffer &buffer = buffers[number];
    if (!buffer.alloc)
      continue;
    bool moved = true;
    while (moved) {
      moved = false;
      for (unsigned other : placed)
        if (buffer.overlapsInTime(buffers[other]) &&
            buffer.overlapsInPlace(buffers[other])) {
          buffer.offset = buffers[other].offset + buffers[other].bytes;
          moved = true;
        }
    }
    placed.push_back(number);
    total = std::max(total, buffer.offset + buffer.bytes);
    buffer.alloc.setOffset(buffer.offset);
  }
  return total;
}

void SharedMemory::visit(Operation &op, Pending &pending) {
  if (isa<BarrierOp>(op)) {
    pending.reads.clear();
    pending.writes.clear();
    return;
  }
  if (isa<WaitCopiesOp>(op)) {
    // Copies that a wait leaves on their way are of later rounds: their slots
    // are not the ones read next.
    pending.writes.insert(pending.copies.begin(), pending.copies.end());
    pending.copies.clear();
    return;
  }
  if (op.getNumRegions()) {
    if (isa<scf::ForOp>(op)) {
      // Twice: what the end of a round leaves meets the next one's start.
      Pending before = pending;
      visit(op.getRegion(0).front(), pending);
      pending.merge(before);
      visit(op.getRegion(0).front(), pending);
      pending.merge(before);
      return;
    }
    Pending before = pending, after = pending;
    for (Region &region : op.getRegions())
      if (!region.empty()) {
        pending = before;
        visit(region.front(), pending);
        after.merge(pending);
      }
    pending = after;
    return;
  }
  SmallVector<unsigned> reads, writes;
  bool isCopy = isa<CopyAsyncOp>(op);
  if (auto dot = dyn_cast<DotOp>(op)) {
    for (Value operand : {dot.getA(), dot.getB()})
      if (isa<MemRefType>(operand.getType()))
        note(reads, operand);
  } else if (auto read = dyn_cast<ReadOp>(op)) {
    note(reads, read.getSource());
  } else if (auto write = dyn_cast<WriteOp>(op)) {
    note(writes, write.getDest());
  } else if (auto copy = dyn_cast<CopyAsyncOp>(op)) {
    note(writes, copy.getDest());
    note(reads, copy.getSource());
  } else if (auto load = dyn_cast<LoadOp>(op)) {
    note(reads, load.getSource());
  } else if (auto gather = dyn_cast<GatherOp>(op)) {
    note(reads, gather.getSource());
  } else if (auto store = dyn_cast<StoreOp>(op)) {
    note(writes, store.getDest());
  } else {
    return;
  }
  bool conflict = false;
  for (unsigned buffer : reads)
    conflict |= touches(pending.writes, buffer);
  for (unsigned buffer : writes)
    conflict |=
        touches(pending.writes, buffer) || touches(pending.reads, buffer);
  if (conflict) {
    OpBuilder b(&op);
    BarrierOp::create(b, op.getLoc());
    ++barriers;
    pending.reads.clear();
    pending.writes.clear();
  }
  pending.reads.insert(reads.begin(), reads.end());
  (isCopy ? pending.copies : pending.writes)
      .insert(writes.begin(), writes.end());
}

void SharedMemory::visit(Block &block, Pending &pending) {
  for (Operation &op : llvm::make_early_inc_range(block))
    visit(op, pending);
}

int64_t SharedMemory::insertBarriers() {
  Pending pending;
  visit(function.getBody().front(), pending);
  return barriers;
}

namespace {
struct AllocateShared final
    : infini::impl::TileAllocateSharedBase<AllocateShared> {
  using TileAllocateSharedBase::TileAllocateSharedBase;

  void runOnOperation() override {
    int64_t needed = 0;
    for (auto function : getOperation().getOps<func::FuncOp>()) {
      if (function.isExternal())
        continue;
      SharedMemory memory(function);
      int64_t size = memory.place();
      if (size > limit) {
        function.emitError("kernel '")
            << function.getName() << "' needs " << size
            << " bytes of shared memory in a block, the chip has "
            << int64_t(limit);
        return signalPassFailure();
      }
      needed = std::max(needed, size);
      barriers += memory.insertBarriers();
    }
    getOperation()->setAttr(
        "program.shared_bytes",
        IntegerAttr::get(IntegerType::get(&getContext(), 64), needed));
  }
};
} // namespace
