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
