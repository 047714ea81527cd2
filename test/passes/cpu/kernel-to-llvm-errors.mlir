// RUN: infini-opt %s --split-input-file --verify-diagnostics -pass-pipeline='builtin.module(builtin.module(infini-kernel-to-llvm))'

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
  module @layout attributes {program.kernel} {
    func.func @layout(%y: memref<8xf32>) {
      // expected-error@+1 {{'memref.alloc' op expected a buffer without a layout}}
      %t = memref.alloc() : memref<8x8xf32, strided<[16, 1]>>
      return
    }
  }
}
