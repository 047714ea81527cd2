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
  module @step attributes {program.kernel} {
    func.func @step(%y: memref<8xf32>) {
      %x = arith.constant 1.0 : f32
      // expected-error@+1 {{'scf.forall' op expected steps above 0, got -4}}
      scf.forall (%i) = (0) to (8) step (-4) {
        memref.store %x, %y[%i] : memref<8xf32>
      }
      return
    }
  }
}

// -----

module {
  module @outs attributes {program.kernel} {
    func.func @outs(%y: memref<8xf32>, %t: index) {
      %e = tensor.empty() : tensor<8xf32>
      // expected-error@+1 {{'scf.forall' op expected a parallel loop of a kernel to write buffers, and to have no results, got 1}}
      %r = scf.forall (%i) in (8) shared_outs(%o = %e) -> tensor<8xf32> {
        scf.forall.in_parallel {
          tensor.parallel_insert_slice %e into %o[0] [8] [1] : tensor<8xf32> into tensor<8xf32>
        }
      }
      return
    }
  }
}
