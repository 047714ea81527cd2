// RUN: infini-opt %s --split-input-file --verify-diagnostics -pass-pipeline='builtin.module(builtin.module(infini-kernel-to-blocks))'

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
