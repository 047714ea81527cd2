// RUN: infini-opt %s --split-input-file --verify-diagnostics -pass-pipeline='builtin.module(builtin.module(infini-kernel-to-llvm))'

// Arguments that are neither plain buffers nor indices are taken for indices or for contiguous,
// and a module without a function of its name fails without a word.

module {
  // expected-error@+1 {{expected}}
  module @other_name attributes {program.kernel} {
    func.func @name(%y: memref<8xf32>) {
      return
    }
  }
}

// -----

module {
  module @scalar attributes {program.kernel} {
    // expected-error@+1 {{expected}}
    func.func @scalar(%y: memref<8xf32>, %s: f32) {
      %c0 = arith.constant 0 : index
      memref.store %s, %y[%c0] : memref<8xf32>
      return
    }
  }
}

// -----

module {
  module @tensor attributes {program.kernel} {
    // expected-error@+1 {{expected}}
    func.func @tensor(%y: tensor<8xf32>) -> tensor<8xf32> {
      return %y : tensor<8xf32>
    }
  }
}

// -----

module {
  module @strided attributes {program.kernel} {
    // expected-error@+1 {{expected}}
    func.func @strided(%y: memref<8xf32, strided<[2]>>) {
      return
    }
  }
}
