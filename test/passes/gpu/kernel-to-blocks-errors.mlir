// RUN: infini-opt %s --split-input-file --verify-diagnostics -pass-pipeline='builtin.module(builtin.module(infini-kernel-to-blocks))'
// RUN: not infini-opt %s --split-input-file -pass-pipeline='builtin.module(builtin.module(infini-kernel-to-blocks{warps=3}))' 2>&1 | FileCheck %s --check-prefix=THREE
// RUN: not infini-opt %s --split-input-file -pass-pipeline='builtin.module(builtin.module(infini-kernel-to-blocks{warps=-4}))' 2>&1 | FileCheck %s --check-prefix=NEGATIVE
// RUN: not infini-opt %s --split-input-file -pass-pipeline='builtin.module(builtin.module(infini-kernel-to-blocks{warps=64}))' 2>&1 | FileCheck %s --check-prefix=MANY

// THREE: error: expected option 'warps' to be 0, or a power of two up to 32, got 3
// NEGATIVE: error: expected option 'warps' to be 0, or a power of two up to 32, got -4
// MANY: error: expected option 'warps' to be 0, or a power of two up to 32, got 64

// What kept a kernel from being a tile program is said.
module {
  module @mean attributes {program.kernel, program.fallback = "a size has no bound"} {
    // expected-error@+1 {{kernel 'mean' has no form on tiles, and GPUs run tile programs only: a size has no bound}}
    func.func @mean(%x: tensor<?xf32>) -> tensor<?xf32> {
      return %x : tensor<?xf32>
    }
  }
}

// -----

module {
  // expected-error@+1 {{expected a kernel's module to have a name, and a function of it}}
  module attributes {program.kernel} {
    func.func @unnamed(%y: memref<8xf32>) {
      return
    }
  }
}

// -----

module {
  // expected-error@+1 {{expected a kernel's module to have a name, and a function of it}}
  module @name attributes {program.kernel} {
    func.func @other(%y: memref<8xf32>) {
      return
    }
  }
}

// -----

// A symbol of that name which is no function.
module {
  // expected-error@+1 {{expected a kernel's module to have a name, and a function of it}}
  module @data attributes {program.kernel} {
    memref.global @data : memref<8xf32>
  }
}

// -----

module {
  module @blocks attributes {program.kernel} {
    // expected-error@+1 {{'func.func' op expected a kernel of one block}}
    func.func @blocks(%y: memref<8xf32>) {
      cf.br ^next
    ^next:
      return
    }
  }
}

// -----

module {
  module @declared attributes {program.kernel} {
    // expected-error@+1 {{'func.func' op expected a kernel of one block}}
    func.func private @declared(memref<8xf32>)
  }
}

// -----

module {
  module @ends attributes {program.kernel} {
    func.func @ends(%y: memref<8xf32>) {
      // expected-error@+1 {{'llvm.unreachable' op expected a kernel to end in 'func.return'}}
      llvm.unreachable
    }
  }
}

// -----

module {
  module @results attributes {program.kernel} {
    // expected-error@+1 {{expected a kernel without results (it writes buffers), got 2}}
    func.func @results(%y: memref<8xf32>, %n: index) -> (memref<8xf32>, index) {
      return %y, %n : memref<8xf32>, index
    }
  }
}

// -----

module {
  module @scalar attributes {program.kernel} {
    // expected-error@+1 {{expected argument 1 to be a contiguous buffer or an index, got 'f32'}}
    func.func @scalar(%y: memref<8xf32>, %s: f32) {
      return
    }
  }
}

// -----

module {
  module @tensor attributes {program.kernel} {
    // expected-error@+1 {{expected argument 0 to be a contiguous buffer or an index, got 'tensor<8xf32>'}}
    func.func @tensor(%y: tensor<8xf32>) {
      return
    }
  }
}

// -----

module {
  module @strided attributes {program.kernel} {
    // expected-error@+1 {{expected argument 0 to be a contiguous buffer or an index, got 'memref<8xf32, strided<[2]>>'}}
    func.func @strided(%y: memref<8xf32, strided<[2]>>) {
      return
    }
  }
}

// -----

module {
  module @unranked attributes {program.kernel} {
    // expected-error@+1 {{expected argument 0 to be a contiguous buffer or an index, got 'memref<*xf32>'}}
    func.func @unranked(%y: memref<*xf32>) {
      return
    }
  }
}

// -----

// Shared memory is the block's own.
module {
  module @shared attributes {program.kernel} {
    // expected-error@+1 {{expected argument 0 to be a contiguous buffer or an index, got 'memref<4x4xf32, #tile.shared<pitch = 16>>'}}
    func.func @shared(%y: memref<4x4xf32, #tile.shared<pitch = 16>>) {
      return
    }
  }
}

// -----

module {
  module @step attributes {program.kernel} {
    func.func @step(%y: memref<8xf32>) {
      // expected-error@+1 {{'scf.forall' op expected steps above 0, got 0}}
      scf.forall (%i) = (0) to (8) step (0) {
        %t = tile.load %y[%i] dims [0] : memref<8xf32> -> tensor<4xf32>
        tile.store %t, %y[%i] dims [0] : tensor<4xf32>, memref<8xf32>
      }
      return
    }
  }
}

// -----

module {
  module @outs attributes {program.kernel} {
    func.func @outs(%y: memref<8xf32>) {
      %t = tile.load %y[0] dims [0] : memref<8xf32> -> tensor<8xf32>
      // expected-error@+1 {{'scf.forall' op expected a parallel loop of a kernel to write buffers, and to have no results, got 1}}
      %r = scf.forall (%i) = (0) to (8) step (4) shared_outs(%o = %t) -> tensor<8xf32> {
        %a = tile.load %y[%i] dims [0] : memref<8xf32> -> tensor<4xf32>
        scf.forall.in_parallel {
          tensor.parallel_insert_slice %a into %o[%i] [4] [1] : tensor<4xf32> into tensor<8xf32>
        }
      }
      tile.store %r, %y[0] dims [0] : tensor<8xf32>, memref<8xf32>
      return
    }
  }
}

// -----

// Buffers that are no arguments: nobody would place them.
module {
  module @alloc attributes {program.kernel} {
    func.func @alloc(%y: memref<8xf32>) {
      // expected-error@+1 {{'memref.alloc' op expected the buffers of a GPU's kernel to be its arguments, or memref.expand_shape or memref.collapse_shape of these}}
      %z = memref.alloc() : memref<8xf32>
      %t = tile.load %y[0] dims [0] : memref<8xf32> -> tensor<8xf32>
      tile.store %t, %z[0] dims [0] : tensor<8xf32>, memref<8xf32>
      return
    }
  }
}

// -----

module {
  module @chosen attributes {program.kernel} {
    func.func @chosen(%y: memref<8xf32>, %z: memref<8xf32>, %n: index) {
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %t = tile.load %y[0] dims [0] : memref<8xf32> -> tensor<8xf32>
      // expected-error@+1 {{'scf.for' op expected the buffers of a GPU's kernel to be its arguments, or memref.expand_shape or memref.collapse_shape of these}}
      %b = scf.for %i = %c0 to %n step %c1 iter_args(%a = %y) -> memref<8xf32> {
        tile.store %t, %a[0] dims [0] : tensor<8xf32>, memref<8xf32>
        scf.yield %z : memref<8xf32>
      }
      return
    }
  }
}

// -----

module {
  module @calls attributes {program.kernel} {
    func.func private @other(index)
    func.func @calls(%y: memref<8xf32>, %n: index) {
      // expected-error@+1 {{'func.call' op expected a kernel that calls no functions}}
      func.call @other(%n) : (index) -> ()
      return
    }
  }
}
