// RUN: infini-opt %s --split-input-file --verify-diagnostics -pass-pipeline='builtin.module(builtin.module(infini-lanes-to-sim))'

// A buffer is an address; what else reads it has no form.
module {
  module @plain_load attributes {program.kernel, program.threads = 32 : i64} {
    // expected-error@+1 {{expected argument 0 to be used by ops of the lane dialect only}}
    func.func @plain_load(%a: memref<8xf32>, %b: memref<1xf32>) {
      %i = gpu.thread_id x
      %x = memref.load %a[%i] : memref<8xf32>
      %v = vector.broadcast %x : f32 to vector<1xf32>
      nv.store_global %v, %b[%i] : vector<1xf32>, memref<1xf32>
      return
    }
  }
}

// -----

module {
  module @size attributes {program.kernel, program.threads = 32 : i64} {
    // expected-error@+1 {{expected argument 1 to be used by ops of the lane dialect only}}
    func.func @size(%n: index, %a: memref<?xf32>) {
      %c0 = arith.constant 0 : index
      %m = memref.dim %a, %c0 : memref<?xf32>
      %x = nv.load_global %a[%m] : memref<?xf32>, vector<1xf32>
      nv.store_global %x, %a[%n] : vector<1xf32>, memref<?xf32>
      return
    }
  }
}

// -----

module {
  module @sizes attributes {program.kernel, program.threads = 32 : i64} {
    // expected-error@+1 {{expected an index for each of the 3 dynamic dimensions of buffers, got 2}}
    func.func @sizes(%a: memref<?x8xf32>, %b: memref<?x?xf32>, %n: index, %m: index) {
      %x = nv.load_global %a[%n] : memref<?x8xf32>, vector<1xf32>
      nv.store_global %x, %b[%m] : vector<1xf32>, memref<?x?xf32>
      return
    }
  }
}

// -----

// A module without a name has no kernel: it stays.
module {
  module {
    func.func @other(%a: memref<8xf32>) {
      return
    }
  }
}
