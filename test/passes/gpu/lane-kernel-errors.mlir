// RUN: infini-opt %s --split-input-file --verify-diagnostics -pass-pipeline='builtin.module(builtin.module(infini-lanes-to-nvvm))'
// RUN: infini-opt %s --split-input-file --verify-diagnostics -pass-pipeline='builtin.module(builtin.module(infini-lanes-to-sim))'

// What both last lowerings ask of a lane's code, which may be written by hand.

module {
  module @results attributes {program.kernel, program.threads = 32 : i64} {
    // expected-error@+1 {{expected a kernel without results (it writes buffers), got 1}}
    func.func @results(%a: memref<8xf32>) -> memref<8xf32> {
      return %a : memref<8xf32>
    }
  }
}

// -----

module {
  module @alloc attributes {program.kernel, program.threads = 32 : i64} {
    func.func @alloc(%a: memref<8xf32>) {
      %i = gpu.thread_id x
      // expected-error@+1 {{'memref.alloc' op expected the buffers of a GPU's kernel to be its arguments}}
      %z = memref.alloc() : memref<8xf32>
      %x = nv.load_global %z[%i] : memref<8xf32>, vector<1xf32>
      nv.store_global %x, %a[%i] : vector<1xf32>, memref<8xf32>
      return
    }
  }
}

// -----

module {
  module @blocks attributes {program.kernel, program.threads = 32 : i64} {
    // expected-error@+1 {{'func.func' op expected a kernel of one block}}
    func.func @blocks(%a: memref<8xf32>) {
      cf.br ^b
     ^b:
      return
    }
  }
}

// -----

module {
  module @declared attributes {program.kernel, program.threads = 32 : i64} {
    // expected-error@+1 {{'func.func' op expected a kernel of one block}}
    func.func private @declared(%a: memref<8xf32>)
  }
}

// -----

module {
  module @scalar attributes {program.kernel, program.threads = 32 : i64} {
    // expected-error@+1 {{expected argument 1 to be a contiguous buffer or an index, got 'f32'}}
    func.func @scalar(%a: memref<8xf32>, %f: f32) {
      return
    }
  }
}

// -----

module {
  module @plane attributes {program.kernel, program.threads = 32 : i64} {
    func.func @plane(%a: memref<8xf32>) {
      // expected-error@+1 {{'gpu.thread_id' op expected threads to be numbered along x, got y}}
      %i = gpu.thread_id y
      %x = nv.load_global %a[%i] : memref<8xf32>, vector<1xf32>
      nv.store_global %x, %a[%i] : vector<1xf32>, memref<8xf32>
      return
    }
  }
}
