// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The passes, in the order in which the pipelines run them.

#ifndef INFINI_PASSES
#define INFINI_PASSES

include "mlir/Pass/PassBase.td"

//===----------------------------------------------------------------------===//
// passes/infini: what is computed
//===----------------------------------------------------------------------===//

def InfiniPrepare : Pass<"infini-prepare", "::mlir::ModuleOp"> {
  let summary = "Brings any function of tensors into the form that later passes know";
  let description = [{
    Element-wise arith and math on tensors become linalg, aggregates such as softmax
    their parts, and numbers among arguments and results tensors of rank 0.

    Numerics: bit-exact.
  }];
  let dependentDialects = ["::mlir::linalg::LinalgDialect", "::mlir::tensor::TensorDialect",
                           "::mlir::math::MathDialect"];
}

def InfiniNoteShapes : Pass<"infini-note-shapes", "::mlir::func::FuncOp"> {
  let summary = "Notes which dynamic sizes of the arguments have to agree";
  let description = [{
    What verifiers check of static sizes has to hold for dynamic ones, too. Follows
    the sizes that ops require to be equal (or multiples: query heads of key/value
    heads) to the function's arguments, and notes them as `program.checks`; the
    runtime checks them at each call.

    Numerics: bit-exact.
  }];
  let statistics = [Statistic<"checks", "num-checks", "Number of checks noted">];
}

def InfiniMaterializeRopeTables : Pass<"infini-materialize-rope-tables", "::mlir::func::FuncOp"> {
  let summary = "Gives rotations their tables of cosines and sines";
  let description = [{
    Computes, in f64 and rounded once, the tables of every position that an
    `infini.rope` can meet, and hands them to it: within a segment scan the
    positions 0 … N−1 (RoPE is relative, so they serve every segment), elsewhere
    those of its own tokens. The tables depend on nothing else, so they are hoisted
    and shared by all layers later.

    Numerics: bit-exact.
  }];
  let statistics = [Statistic<"tables", "num-tables", "Number of tables made">];
  let dependentDialects = ["::mlir::tensor::TensorDialect", "::mlir::linalg::LinalgDialect",
                           "::mlir::math::MathDialect", "::mlir::affine::AffineDialect"];
}

def InfiniPeelScan : Pass<"infini-peel-scan", "::mlir::func::FuncOp"> {
  let summary = "Takes the short segments out of segment scans";
  let description = [{
    A scan becomes at most one short segment before (the one under way, with
    `fill`), a scan over full segments (with `whole`), and at most one short
    segment behind. With `fill`, a segment that does not get full computes no
    update; without, the short last one updates the states like any other.

    Numerics: bit-exact.
  }];
  let statistics = [Statistic<"scans", "num-scans", "Number of scans peeled">];
  let dependentDialects = ["::mlir::tensor::TensorDialect", "::mlir::scf::SCFDialect",
                           "::mlir::affine::AffineDialect", "::mlir::arith::ArithDialect"];
}

def InfiniParallelizeScan : Pass<"infini-parallelize-scan", "::mlir::func::FuncOp"> {
  let summary = "Takes the states out of segment scans: loop fission over segments";
  let description = [{
    A scan over full segments is cut in three: what each state needs of a segment,
    the states before each segment, and everything else, which then is a scan
    without states, parallel over segments. The states come from ops with
    `MemoryWriteOpInterface`, which is all that is asked. The schedules:

    - `sequential`: no fission; one segment after the other.
    - `streaming`: one scan that carries the states and nothing else.
    - `scan`: increments and coefficients of all segments at once; then prefix
      sums, and affine steps composed in chunks (`infini.affine_scan`), in the state's
      type; a small scan for a state that is neither.

    `auto` takes the cheapest by the formula of passes/infini/ScheduleCost.h. A
    state that comes from any other op keeps its scan as it is, with a remark.

    Numerics: `streaming` bit-exact; `scan` reassociates.
  }];
  let options = [
    Option<"schedule", "schedule", "::infini::Schedule", "::infini::Schedule::Auto",
           "auto, sequential, streaming, or scan", [{::llvm::cl::values(
             clEnumValN(::infini::Schedule::Auto, "auto", "the cheapest"),
             clEnumValN(::infini::Schedule::Sequential, "sequential", "one segment after the other"),
             clEnumValN(::infini::Schedule::Streaming, "streaming", "states one after the other, all else parallel"),
             clEnumValN(::infini::Schedule::Scan, "scan", "states by an associative scan"))}]>,
    Option<"width", "width", "int64_t", "8", "Blocks that the target computes at once">,
    Option<"chunk", "chunk", "int64_t", "16", "Segments composed one after the other by `scan`">];
  let statistics = [
    Statistic<"parallelized", "num-parallelized", "Number of scans cut">,
    Statistic<"kept", "num-kept", "Number of scans kept">];
  let dependentDialects = ["::mlir::tensor::TensorDialect", "::mlir::linalg::LinalgDialect"];
}

def InfiniLowerScan : Pass<"infini-lower-scan", "::mlir::func::FuncOp"> {
  let summary = "Turns scans over full segments into loops";
  let description = [{
    A scan without states becomes an `scf.forall` over segments. One that carries
    states and yields nothing else becomes an `scf.forall` over the batch and the
    heads (whatever the op that makes the states can be cut into), and in it an
    `scf.for` over segments. Any other becomes an `scf.for` over segments, with a
    remark that says why its states were not cut. A
    result that is only inserted somewhere is written there.

    Numerics: bit-exact.
  }];
  let statistics = [Statistic<"scans", "num-scans", "Number of scans lowered">];
  let dependentDialects = ["::mlir::tensor::TensorDialect", "::mlir::scf::SCFDialect",
                           "::mlir::affine::AffineDialect", "::mlir::arith::ArithDialect"];
}

def InfiniDecompose : Pass<"infini-decompose", "::mlir::func::FuncOp"> {
  let summary = "Replaces the infini ops by their definition in linalg";
  let description = [{
    Every op but `infini.segment_scan` becomes linalg, arith, math, and tensor: its
    definition, computed in the element type that it is given (16-bit types
    compute in f32).

    Numerics: the definition; every other pass is judged against it.
  }];
  let statistics = [Statistic<"decomposed", "num-decomposed", "Number of ops decomposed">];
  let dependentDialects = ["::mlir::tensor::TensorDialect", "::mlir::linalg::LinalgDialect",
                           "::mlir::math::MathDialect", "::mlir::affine::AffineDialect",
                           "::mlir::arith::ArithDialect", "::mlir::scf::SCFDialect"];
}

//===----------------------------------------------------------------------===//
// passes/dispatch: from ops on tensors to kernels and a schedule
//===----------------------------------------------------------------------===//

def InfiniFormDispatches : Pass<"infini-form-dispatches", "::mlir::ModuleOp"> {
  let summary = "Groups tensor ops into isolated kernels, and calls them";
  let description = [{
    Dense products become `program.gemm` on CPUs. Every other tensor op becomes the root of a
    kernel, together with the producers that only it uses and that each tile of it
    uses once; slices, reshapes, and constants are taken along. The root is tiled
    over (batch, head, block of tokens) or blocks of rows, and its producers are
    fused into the tiles by TilingInterface. A kernel that is there already, up
    to names, is called again.

    Numerics: bit-exact.
  }];
  let options = [
    Option<"target", "target", "std::string", "\"cpu\"",
           "Whose block sizes count: cpu or gpu">];
  let statistics = [
    Statistic<"kernels", "num-kernels", "Number of distinct kernels">,
    Statistic<"dispatches", "num-dispatches", "Number of dispatches">,
    Statistic<"gemms", "num-gemms", "Number of dense products">,
    Statistic<"fused", "num-fused", "Number of producers fused into a kernel">];
  let dependentDialects = ["::infini::program::ProgramDialect", "::mlir::scf::SCFDialect",
                           "::mlir::affine::AffineDialect", "::mlir::tensor::TensorDialect",
                           "::mlir::bufferization::BufferizationDialect"];
}

def InfiniHoistConstants : Pass<"infini-hoist-constants", "::mlir::ModuleOp"> {
  let summary = "Moves what depends on weights alone into `<entry>.init`";
  let description = [{
    Dispatches of a function with weights or states that use weights and constants
    only (rope tables, conversions of weights) move to a function that runs once
    a session; their results become arguments with the role `constant`.

    Numerics: bit-exact.
  }];
  let statistics = [Statistic<"hoisted", "num-hoisted", "Number of constants hoisted">];
  let dependentDialects = ["::infini::program::ProgramDialect"];
}

//===----------------------------------------------------------------------===//
// passes/tile: kernels as tile programs
//===----------------------------------------------------------------------===//

def InfiniLowerAttention : Pass<"infini-lower-attention", "::mlir::func::FuncOp"> {
  let summary = "Lowers attention of one head and block of queries to a streaming softmax";
  let description = [{
    A loop over blocks of keys with a running maximum and sum, in base 2, in f32 (f64
    for f64). Computes Sᵀ = K Qᵀ and Oᵀ = Vᵀ Pᵀ, so that reductions over keys run
    down the rows and nothing but Q and O is transposed. Never holds more than a
    block of scores. On GPUs the factors of 16-bit attention stay in 16 bits: scores
    are scaled behind the product, and weights rounded before the second one.

    Numerics: reassociates; on GPUs rounds the weights of 16-bit attention.
  }];
  let statistics = [Statistic<"lowered", "num-lowered", "Number of attentions lowered">];
  let options = [
    Option<"keyBlock", "key-block", "int64_t", "0",
           "Keys in a block of scores; 0: by the table of block sizes">,
    Option<"target", "target", "std::string", "\"cpu\"",
           "Whose block sizes count: cpu or gpu">];
  let dependentDialects = ["::mlir::tensor::TensorDialect", "::mlir::linalg::LinalgDialect",
                           "::mlir::math::MathDialect", "::mlir::affine::AffineDialect",
                           "::mlir::arith::ArithDialect", "::mlir::scf::SCFDialect"];
}

def InfiniTileReductions : Pass<"infini-tile-reductions", "::mlir::func::FuncOp"> {
  let summary = "Cuts long sums into blocks";
  let description = [{
    A reduction over more elements than `longest`, or over a number of them that is
    not bounded, becomes a loop over blocks, into which its producers are fused;
    loops over the same range that do not need each other become one. On GPUs, products
    are cut to what the table of block sizes says, and others where a tile would fill
    the registers. So a
    segment is written to a memory in one pass over its tokens.

    Numerics: sums keep their order.
  }];
  let options = [
    Option<"block", "block", "int64_t", "0",
           "Elements in a block; 0: by the table of block sizes">,
    Option<"longest", "longest", "int64_t", "512", "Elements that are summed up without a loop">,
    Option<"target", "target", "std::string", "\"cpu\"",
           "Whose block sizes count: cpu or gpu">];
  let statistics = [Statistic<"tiled", "num-tiled", "Number of reductions cut">];
  let dependentDialects = ["::mlir::scf::SCFDialect", "::mlir::tensor::TensorDialect",
                           "::mlir::affine::AffineDialect", "::mlir::linalg::LinalgDialect"];
}

def InfiniLowerToTile : Pass<"infini-lower-to-tile", "::mlir::ModuleOp"> {
  let summary = "Writes a kernel on tensors as a tile program";
  let description = [{
    The kernel's tensors become buffers, slices of them masked loads and stores,
    and what is computed between them tiles of static size. A size that is only
    bounded (the last block of tokens, of keys) is padded to its bound, and what a
    sum or a maximum runs over is masked there. A kernel with an op that has no
    form on tiles, or a size without a bound, stays on tensors, with a remark.

    Numerics: sums may have zeros behind them; else bit-exact.
  }];
  let statistics = [
    Statistic<"lowered", "num-lowered", "Number of kernels that became tile programs">,
    Statistic<"kept", "num-kept", "Number of kernels that stay on tensors">];
  let dependentDialects = ["::infini::tile::TileDialect", "::mlir::memref::MemRefDialect",
                           "::mlir::affine::AffineDialect", "::mlir::arith::ArithDialect",
                           "::mlir::scf::SCFDialect", "::mlir::tensor::TensorDialect"];
}

def InfiniWidenTiles : Pass<"infini-widen-tiles", "::mlir::func::FuncOp"> {
  let summary = "Computes a tile program in f64";
  let description = [{
    Every tile and number of a tile program becomes f64; loads widen, stores narrow.
    Lowered without vectors, that is the tile interpreter, which other lowerings are
    checked against (`infini-compile --interpret-tiles`). Kernels that are no tile
    programs stay as they are.

    Numerics: rounds at stores alone.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect"];
}

//===----------------------------------------------------------------------===//
// passes/cpu: inside the kernels
//===----------------------------------------------------------------------===//

def InfiniTileToLinalg : Pass<"infini-tile-to-linalg", "::mlir::func::FuncOp"> {
  let summary = "Lowers a tile program to linalg on tensors";
  let description = [{
    Each tile op becomes linalg. Whole tiles of buffers that the kernel does not
    write are read where they lie; others are copied, and masked ones padded.

    Numerics: bit-exact.
  }];
  let dependentDialects = ["::mlir::linalg::LinalgDialect", "::mlir::memref::MemRefDialect",
                           "::mlir::bufferization::BufferizationDialect",
                           "::mlir::affine::AffineDialect", "::mlir::tensor::TensorDialect"];
}

def InfiniFuseElementwise : Pass<"infini-fuse-elementwise", "::mlir::func::FuncOp"> {
  let summary = "Fuses element-wise ops inside a kernel";
  let description = [{
    Upstream's element-wise fusion, for producers with one use and consumers
    without reductions: a product keeps its plain body, so that it can become
    register blocks.

    Numerics: bit-exact.
  }];
}

def InfiniBufferizeKernel : Pass<"infini-bufferize-kernel", "::mlir::ModuleOp"> {
  let summary = "Puts a kernel's tensors into buffers";
  let description = [{
    Upstream's one-shot bufferisation after removing empty tensors, with copies as
    linalg ops.

    Numerics: bit-exact.
  }];
  let dependentDialects = ["::mlir::bufferization::BufferizationDialect",
                           "::mlir::memref::MemRefDialect", "::mlir::linalg::LinalgDialect"];
}

def InfiniVectorizeContractions : Pass<"infini-vectorize-contractions", "::mlir::func::FuncOp"> {
  let summary = "Lowers matrix products on buffers to register blocks";
  let description = [{
    A product becomes loops over blocks of rows × vectors of columns, k innermost,
    with the accumulators in loop-carried vectors. Elements of the left side are
    read from memory and broadcast.

    Numerics: reassociates not; contracts to fused multiply-add.
  }];
  let statistics = [Statistic<"vectorized", "num-vectorized", "Number of products lowered">];
  let options = [
    Option<"rows", "rows", "int64_t", "8", "Rows of a register block">,
    Option<"columns", "columns", "int64_t", "32", "Columns of a register block, in f32">];
  let dependentDialects = ["::mlir::vector::VectorDialect", "::mlir::memref::MemRefDialect",
                           "::mlir::scf::SCFDialect", "::mlir::arith::ArithDialect"];
}

def InfiniExpandMath : Pass<"infini-expand-math", "::mlir::func::FuncOp"> {
  let summary = "Replaces f32 exponentials by polynomials";
  let description = [{
    exp2 and exp in f32 become range reduction and a polynomial (of degree 6 and 7), exact
    to 2 ulp over all arguments (NaN and infinities included), so that loops
    around them vectorise. Other functions and f64 stay calls.

    Numerics: changes rounding (≤ 2 ulp).
  }];
  let statistics = [Statistic<"expanded", "num-expanded", "Number of exponentials expanded">];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::math::MathDialect",
                           "::mlir::vector::VectorDialect"];
}

def InfiniKernelToLLVM : Pass<"infini-kernel-to-llvm", "::mlir::ModuleOp"> {
  let summary = "Gives a bufferised kernel the flat kernel ABI";
  let description = [{
    The outermost `scf.forall` becomes the grid (attribute `program.grid`, an affine map of
    the kernel's scalars), allocations become scratch of the executing thread,
    and the function takes the two pointers of runtime/kernel_abi.h. The kernel's
    dynamic sizes arrive as scalars behind its own.

    Numerics: bit-exact.
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect", "::mlir::memref::MemRefDialect",
                           "::mlir::affine::AffineDialect", "::mlir::scf::SCFDialect"];
}

//===----------------------------------------------------------------------===//
// passes/gpu: kernels as the code of one lane
//===----------------------------------------------------------------------===//

def TileSplitBlocks : Pass<"tile-split-blocks", "::mlir::ModuleOp"> {
  let summary = "Cuts a kernel with large tiles into more blocks";
  let description = [{
    Where a loop carries a tile of more than `elements`, it is cut along a dimension
    that nothing is summed over (the columns of a memory), down to `least`; each part
    is computed by a block of its own. A kernel with a product that has no such dimension
    stays, since each part would compute it. What does not have the dimension is computed by
    all of them, and stored by the first.

    Numerics: bit-exact.
  }];
  let options = [
    Option<"elements", "elements", "int64_t", "4096", "Most elements of a carried tile">,
    Option<"least", "least", "int64_t", "16", "Least size of the dimension in a part">];
  let statistics = [Statistic<"split", "num-split", "Number of kernels cut">];
  let dependentDialects = ["::mlir::affine::AffineDialect", "::mlir::arith::ArithDialect",
                           "::mlir::scf::SCFDialect"];
}

def InfiniKernelToBlocks : Pass<"infini-kernel-to-blocks", "::mlir::ModuleOp"> {
  let summary = "Makes a tile program what one block of a GPU's grid does";
  let description = [{
    The outermost parallel loops become the block's place in the grid (attribute
    `program.grid`), other ones loops. Sizes of buffers become arguments behind the
    kernel's own. Sets `program.threads`: four warps, and more where what a loop
    carries and a product adds up would not fit the threads' registers. A kernel that is no tile program is an
    error.

    Numerics: bit-exact.
  }];
  let options = [Option<"warps", "warps", "int64_t", "0",
                        "Warps in a block; 0: by the kernel">];
  let dependentDialects = ["::mlir::gpu::GPUDialect", "::mlir::arith::ArithDialect",
                           "::mlir::affine::AffineDialect", "::mlir::scf::SCFDialect"];
}

def TileSinkBehindLoops : Pass<"tile-sink-behind-loops", "::mlir::func::FuncOp"> {
  let summary = "Computes behind a loop what is used behind it only";
  let description = [{
    A tile that is made before a loop and used behind it holds registers all the
    while. It is made where it is used, if it reads no buffer that the kernel
    writes; a load that both sides use is repeated.

    Numerics: bit-exact.
  }];
  let statistics = [
    Statistic<"sunk", "num-sunk", "Number of ops moved behind a loop">,
    Statistic<"repeated", "num-repeated", "Number of loads repeated behind a loop">];
}

def TileDivideByRows : Pass<"tile-divide-by-rows", "::mlir::func::FuncOp"> {
  let summary = "Division by one number a row becomes multiplication";
  let description = [{
    x / y, y of f32 and broadcast, becomes (x s) (1 / (y s)), where s is a power of two for
    each y: 1, but where 1 / y would not be a normal number.

    Numerics: changes rounding, 1.5 units in the last place instead of 0.5. Zeros, infinities, and
    NaNs give what division gives.
  }];
  let statistics = [Statistic<"numReplaced", "num-replaced", "Number of divisions replaced">];
  let dependentDialects = ["::infini::tile::TileDialect", "::mlir::arith::ArithDialect",
                           "::mlir::math::MathDialect"];
}

def TileHoistFactors : Pass<"tile-hoist-factors", "::mlir::func::FuncOp"> {
  let summary = "Reads what a loop's products share before the loop";
  let description = [{
    A load that only products use, from a buffer that the kernel does not write, at a
    place that the block's number alone gives, is moved before the loops around it:
    it lies in shared memory while they run.

    Numerics: bit-exact.
  }];
  let statistics = [Statistic<"numHoisted", "num-hoisted", "Number of loads moved">];
}

def TileSplitFactors : Pass<"tile-split-factors", "::mlir::func::FuncOp"> {
  let summary = "Products of 16 bits and f32 on matrix units";
  let description = [{
    In a product of a tile that was widened from bf16, a, and one of f32, the latter, x, becomes
    h + m + l with h = bf16(x), m = bf16(x - h), and l = bf16(x - h - m), eight digits each, and the
    product a sum of products of bf16 that are summed in f32: a h + a m + a l. A tile of f16 is
    the sum of two. Products of f32 alone stay.

    Numerics: reassociates. All 24 digits of x are kept (of numbers below 2^-110, fewer).
    Infinities and NaNs stay what they are; finite numbers above 3.39e38, which bf16 does not
    have, become infinite.
  }];
  let statistics = [Statistic<"numSplit", "num-split", "Number of products that became sums">];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::math::MathDialect"];
}

def TileSplitProducts : Pass<"tile-split-products", "::mlir::func::FuncOp"> {
  let summary = "Computes a product with a large side in panels";
  let description = [{
    A side of a product that lies in registers and has more than `bytes` is cut
    into panels of columns or rows, so that one panel at a time is in shared memory.

    Numerics: bit-exact.
  }];
  let options = [Option<"bytes", "bytes", "int64_t", "65536", "Most bytes of a side">];
  let statistics = [Statistic<"numSplit", "num-split", "Number of products cut">];
  let dependentDialects = ["::mlir::tensor::TensorDialect"];
}

def TileAssignLayouts : Pass<"tile-assign-layouts", "::mlir::func::FuncOp"> {
  let summary = "Spreads tiles over the registers of a block's threads";
  let description = [{
    Products want the layouts of mma.sync where it computes them, else blocks of rows
    and columns a thread; a product whose right side is computed from another
    product's result computes its transpose, as does that one, so that fragments
    fit. What is computed from them follows. Loads, masks, and constants are made
    where they are needed, in the layout that is needed. What only products read
    is copied straight to shared memory. Where layouts disagree, registers are
    renamed, or the tile goes through shared memory.

    Numerics: products of a matrix and a vector become sums in another order; else
    bit-exact.
  }];
  let options = [Option<"warps", "warps", "int64_t", "0",
                        "Warps in a block; 0: by `program.threads` of the kernel">];
  let statistics = [
    Statistic<"renamed", "num-renamed", "Layout changes that rename registers">,
    Statistic<"throughShared", "num-through-shared", "Tiles that go through shared memory">,
    Statistic<"staged", "num-staged", "Loads that go straight to shared memory">];
  let dependentDialects = ["::infini::tile::TileDialect", "::mlir::arith::ArithDialect"];
}

def TilePipelineLoads : Pass<"tile-pipeline-loads", "::mlir::func::FuncOp"> {
  let summary = "Starts the copies of a loop's later rounds early";
  let description = [{
    Buffers that a loop copies to become rings of `stages` of them. Before the loop
    the copies of stages − 1 rounds start; each round waits for its own, and starts
    those of a later one. A loop whose rings would be larger than `bytes` stays.

    Numerics: bit-exact.
  }];
  let options = [
    Option<"stages", "stages", "int64_t", "2", "Rounds in flight; 1: none">,
    Option<"bytes", "bytes", "int64_t", "98304", "Most bytes of a loop's rings">];
  let statistics = [
    Statistic<"pipelined", "num-pipelined", "Loops whose copies start early">,
    Statistic<"tooLarge", "num-too-large", "Loops whose rings would be too large">];
  let dependentDialects = ["::infini::tile::TileDialect", "::mlir::arith::ArithDialect",
                           "::mlir::scf::SCFDialect"];
}

def TileAllocateShared : Pass<"tile-allocate-shared", "::mlir::ModuleOp"> {
  let summary = "Places buffers in shared memory, and barriers";
  let description = [{
    Buffers that are never alive at once may share their place; `program.shared_bytes`
    is what the kernel needs. A barrier stands before an access that another thread's
    access since the last barrier conflicts with.

    Numerics: bit-exact.
  }];
  let options = [Option<"limit", "limit", "int64_t", "166912",
                        "Bytes of shared memory that a block may have">];
  let statistics = [Statistic<"barriers", "num-barriers", "Number of barriers">];
  let dependentDialects = ["::infini::tile::TileDialect"];
}

def TileToLanes : Pass<"tile-to-lanes", "::mlir::ModuleOp"> {
  let summary = "Makes a tile program with layouts the code of one lane";
  let description = [{
    A tile becomes a vector of what the thread holds in registers, coordinates
    numbers of 32 bits. Products become mma.sync and ldmatrix, or blocks of fused
    multiply-adds; reductions run in the thread and then between lanes; loads,
    stores, and copies take up to 16 bytes at once.

    Numerics: sums in another order.
  }];
  let dependentDialects = ["::infini::nv::NVDialect", "::mlir::gpu::GPUDialect",
                           "::mlir::arith::ArithDialect", "::mlir::math::MathDialect",
                           "::mlir::vector::VectorDialect", "::mlir::scf::SCFDialect"];
}

def InfiniExpandGpuMath : Pass<"infini-expand-gpu-math", "::mlir::func::FuncOp"> {
  let summary = "Replaces functions that GPUs have no instruction for";
  let description = [{
    What remains are 2^x in f32, square roots, and rounding, which are instructions;
    all else becomes arithmetic, in f32 and f64, with IEEE 754's edges. In f32 sine,
    cosine, tangent, and powers are computed in f64; in f64 angles from 2^45 on are
    NaN, and erf, erfc, and powers have no form. Powers with an exponent of -1, ±1/2,
    1, 2, or 3 are a few instructions in both. No library of a vendor is needed.

    Numerics: changes rounding (≤ 4 ulp; e^x, logarithms, sine, and cosine ≤ 2).
  }];
  let statistics = [Statistic<"expanded", "num-expanded", "Number of functions expanded">];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::math::MathDialect",
                           "::mlir::vector::VectorDialect"];
}

def InfiniPiecewiseLanes : Pass<"infini-piecewise-lanes", "::mlir::func::FuncOp"> {
  let summary = "Computes chains of element-wise ops piece by piece";
  let description = [{
    A chain of element-wise ops on a wide vector of registers is computed for `piece`
    elements at a time, so that few intermediate results are alive at once.

    Numerics: bit-exact.
  }];
  let options = [Option<"piece", "piece", "int64_t", "4", "Elements of a piece">];
  let statistics = [Statistic<"cut", "num-cut", "Number of chains cut">];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::vector::VectorDialect"];
}

def InfiniLanesToNVVM : Pass<"infini-lanes-to-nvvm", "::mlir::ModuleOp"> {
  let summary = "Lowers the code of a lane to NVVM";
  let description = [{
    Ops of the lane dialect become NVVM ops; accesses with a predicate PTX. The
    function becomes a kernel whose parameters are the flat struct of
    runtime/kernel_abi.h.

    Numerics: bit-exact.
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect", "::mlir::NVVM::NVVMDialect",
                           "::mlir::arith::ArithDialect"];
}

def InfiniLanesToSim : Pass<"infini-lanes-to-sim", "::mlir::ModuleOp"> {
  let summary = "Lets the simulator do what a lane does with memory and other lanes";
  let description = [{
    Each op of the lane dialect becomes a call through the table of
    runtime/lane_abi.h, with the op's name and place in the source. The rest is code
    for the host.

    Numerics: bit-exact.
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect", "::mlir::arith::ArithDialect"];
}

//===----------------------------------------------------------------------===//
// passes/program: the schedule
//===----------------------------------------------------------------------===//

def InfiniPlanBuffers : Pass<"infini-plan-buffers", "::mlir::func::FuncOp"> {
  let summary = "Puts every tensor of a schedule in the arena";
  let description = [{
    Makes all updates in place, with copies where a value is still needed, then
    assigns slots of one arena by liveness. A slot is as large as the largest
    of its buffers.

    Numerics: bit-exact.
  }];
  let statistics = [
    Statistic<"copies", "num-copies", "Number of copies inserted">,
    Statistic<"buffers", "num-buffers", "Number of buffers">,
    Statistic<"slots", "num-slots", "Number of slots">];
  let dependentDialects = ["::infini::program::ProgramDialect", "::mlir::tensor::TensorDialect"];
}

#endif // INFINI_PASSES
