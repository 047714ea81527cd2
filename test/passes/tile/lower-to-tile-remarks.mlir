// RUN: infini-opt %s --pass-pipeline='builtin.module(builtin.module(infini-lower-to-tile))' --mlir-disable-threading --remarks-filter=".*" -o %t.out 2> %t.remarks
// RUN: FileCheck %s --input-file=%t.remarks --implicit-check-not=remark:
// RUN: FileCheck %s --input-file=%t.out --check-prefix=KEPT --implicit-check-not=tile.

// Without the option, nobody is told.
// RUN: infini-opt %s --pass-pipeline='builtin.module(builtin.module(infini-lower-to-tile))' -o /dev/null 2>&1 | FileCheck %s --check-prefix=SILENT --allow-empty
// SILENT-NOT: remark

#id = affine_map<(d0) -> (d0)>
#ij = affine_map<(d0, d1) -> (d0, d1)>
#i = affine_map<(d0, d1) -> (d0)>

// What becomes a tile program says so.
// CHECK: remark: [Passed] {{.*}}Function=passes | Remark="the kernel is a tile program"
// KEPT: func.func @passes(%{{.*}}: memref<4xf32>, %{{.*}}: memref<4xf32>) {
// KEPT: tile.load
// KEPT: tile.store
module @passes attributes {program.kernel} {
  func.func @passes(%x: tensor<4xf32> {bufferization.writable = false}, %o: tensor<4xf32>) -> tensor<4xf32> {
    %d = bufferization.materialize_in_destination %x in %o : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
    return %d : tensor<4xf32>
  }
}

// What does not says why, and stays as it is.

// CHECK: remark: [Missed] {{.*}}Function=unbounded | Remark="the kernel stays on tensors: a size has no bound"
// KEPT: func.func @unbounded({{.*}}tensor<{{.*}}) -> tensor<?xf32> {
module @unbounded attributes {program.kernel} {
  func.func @unbounded(%x: tensor<?xf32> {bufferization.writable = false}, %o: tensor<?xf32>) -> tensor<?xf32> {
    %d = bufferization.materialize_in_destination %x in %o : (tensor<?xf32>, tensor<?xf32>) -> tensor<?xf32>
    return %d : tensor<?xf32>
  }
}

// CHECK: remark: [Missed] {{.*}}Function=large | Remark="the kernel stays on tensors: a tile would have more than 1048576 elements"
// KEPT: func.func @large({{.*}}tensor<{{.*}}) -> tensor<1048577xf32> {
module @large attributes {program.kernel} {
  func.func @large(%x: tensor<1048577xf32> {bufferization.writable = false}, %o: tensor<1048577xf32>) -> tensor<1048577xf32> {
    %d = bufferization.materialize_in_destination %x in %o : (tensor<1048577xf32>, tensor<1048577xf32>) -> tensor<1048577xf32>
    return %d : tensor<1048577xf32>
  }
}

// CHECK: remark: [Missed] {{.*}}Function=empty | Remark="the kernel stays on tensors: a size may be 0"
// KEPT: func.func @empty({{.*}}tensor<{{.*}}) -> tensor<0xf32> {
module @empty attributes {program.kernel} {
  func.func @empty(%x: tensor<0xf32> {bufferization.writable = false}, %o: tensor<0xf32>) -> tensor<0xf32> {
    %d = bufferization.materialize_in_destination %x in %o : (tensor<0xf32>, tensor<0xf32>) -> tensor<0xf32>
    return %d : tensor<0xf32>
  }
}

// CHECK: remark: [Missed] {{.*}}Function=pad | Remark="the kernel stays on tensors: 'tensor.pad' has no form on tiles"
// KEPT: func.func @pad({{.*}}tensor<{{.*}}) -> tensor<4xf32> {
module @pad attributes {program.kernel} {
  func.func @pad(%x: tensor<3xf32> {bufferization.writable = false}, %o: tensor<4xf32>) -> tensor<4xf32> {
    %zero = arith.constant 0.0 : f32
    %y = tensor.pad %x low[0] high[1] {
    ^bb0(%i: index):
      tensor.yield %zero : f32
    } : tensor<3xf32> to tensor<4xf32>
    %d = bufferization.materialize_in_destination %y in %o : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
    return %d : tensor<4xf32>
  }
}

// CHECK: remark: [Missed] {{.*}}Function=gather | Remark="the kernel stays on tensors: elements are taken out of a part of a buffer"
// KEPT: func.func @gather({{.*}}tensor<{{.*}}) -> tensor<4xf32> {
module @gather attributes {program.kernel} {
  func.func @gather(%x: tensor<9xf32> {bufferization.writable = false}, %o: tensor<4xf32>) -> tensor<4xf32> {
    %e = tensor.empty() : tensor<4xf32>
    %part = tensor.extract_slice %x[2] [5] [1] : tensor<9xf32> to tensor<5xf32>
    %y = linalg.generic {indexing_maps = [#id], iterator_types = ["parallel"]} outs(%e : tensor<4xf32>) {
    ^bb0(%u: f32):
      %i = linalg.index 0 : index
      %a = tensor.extract %part[%i] : tensor<5xf32>
      linalg.yield %a : f32
    } -> tensor<4xf32>
    %d = bufferization.materialize_in_destination %y in %o : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
    return %d : tensor<4xf32>
  }
}

// CHECK: remark: [Missed] {{.*}}Function=element | Remark="the kernel stays on tensors: a number is taken out of a tensor"
// KEPT: func.func @element({{.*}}tensor<{{.*}}) -> tensor<4xf32> {
module @element attributes {program.kernel} {
  func.func @element(%x: tensor<9xf32> {bufferization.writable = false}, %o: tensor<4xf32>, %n: index) -> tensor<4xf32> {
    %a = tensor.extract %x[%n] : tensor<9xf32>
    %e = tensor.empty() : tensor<4xf32>
    %y = linalg.fill ins(%a : f32) outs(%e : tensor<4xf32>) -> tensor<4xf32>
    %d = bufferization.materialize_in_destination %y in %o : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
    return %d : tensor<4xf32>
  }
}

// CHECK: remark: [Missed] {{.*}}Function=branch | Remark="the kernel stays on tensors: a number comes from no plain arithmetic"
// KEPT: func.func @branch({{.*}}tensor<{{.*}}) -> tensor<4xf32> {
module @branch attributes {program.kernel} {
  func.func @branch(%o: tensor<4xf32>, %c: i1) -> tensor<4xf32> {
    %one = arith.constant 1.0 : f32
    %two = arith.constant 2.0 : f32
    %a = scf.if %c -> f32 {
      scf.yield %one : f32
    } else {
      scf.yield %two : f32
    }
    %e = tensor.empty() : tensor<4xf32>
    %y = linalg.fill ins(%a : f32) outs(%e : tensor<4xf32>) -> tensor<4xf32>
    %d = bufferization.materialize_in_destination %y in %o : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
    return %d : tensor<4xf32>
  }
}

// CHECK: remark: [Missed] {{.*}}Function=constant | Remark="the kernel stays on tensors: a constant differs from element to element"
// KEPT: func.func @constant({{.*}}tensor<{{.*}}) -> tensor<4xf32> {
module @constant attributes {program.kernel} {
  func.func @constant(%o: tensor<4xf32>) -> tensor<4xf32> {
    %y = arith.constant dense<[1.0, 2.0, 3.0, 4.0]> : tensor<4xf32>
    %d = bufferization.materialize_in_destination %y in %o : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
    return %d : tensor<4xf32>
  }
}

// CHECK: remark: [Missed] {{.*}}Function=number | Remark="the kernel stays on tensors: a loop carries a number"
// KEPT: func.func @number({{.*}}tensor<{{.*}}) -> tensor<4xf32> {
module @number attributes {program.kernel} {
  func.func @number(%o: tensor<4xf32>, %n: index) -> tensor<4xf32> {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %one = arith.constant 1.0 : f32
    %a = scf.for %i = %c0 to %n step %c1 iter_args(%s = %one) -> (f32) {
      %t = arith.addf %s, %s : f32
      scf.yield %t : f32
    }
    %e = tensor.empty() : tensor<4xf32>
    %y = linalg.fill ins(%a : f32) outs(%e : tensor<4xf32>) -> tensor<4xf32>
    %d = bufferization.materialize_in_destination %y in %o : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
    return %d : tensor<4xf32>
  }
}

// CHECK: remark: [Missed] {{.*}}Function=strided_load | Remark="the kernel stays on tensors: a slice has strides"
// KEPT: func.func @strided_load({{.*}}tensor<{{.*}}) -> tensor<4xf32> {
module @strided_load attributes {program.kernel} {
  func.func @strided_load(%x: tensor<8xf32> {bufferization.writable = false}, %o: tensor<4xf32>) -> tensor<4xf32> {
    %y = tensor.extract_slice %x[0] [4] [2] : tensor<8xf32> to tensor<4xf32>
    %d = bufferization.materialize_in_destination %y in %o : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
    return %d : tensor<4xf32>
  }
}

// CHECK: remark: [Missed] {{.*}}Function=strided_store | Remark="the kernel stays on tensors: a slice has strides"
// KEPT: func.func @strided_store({{.*}}tensor<{{.*}}) -> tensor<4xf32> {
module @strided_store attributes {program.kernel} {
  func.func @strided_store(%x: tensor<2xf32> {bufferization.writable = false}, %o: tensor<4xf32>) -> tensor<4xf32> {
    %y = tensor.insert_slice %x into %o[0] [2] [2] : tensor<2xf32> into tensor<4xf32>
    %d = bufferization.materialize_in_destination %y in %o : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
    return %d : tensor<4xf32>
  }
}

// CHECK: remark: [Missed] {{.*}}Function=reshape | Remark="the kernel stays on tensors: a slice is reshaped"
// KEPT: func.func @reshape({{.*}}tensor<{{.*}}) -> tensor<4xf32> {
module @reshape attributes {program.kernel} {
  func.func @reshape(%x: tensor<4x4xf32> {bufferization.writable = false}, %o: tensor<4xf32>) -> tensor<4xf32> {
    %s = tensor.extract_slice %x[1, 0] [2, 2] [1, 1] : tensor<4x4xf32> to tensor<2x2xf32>
    %y = tensor.collapse_shape %s [[0, 1]] : tensor<2x2xf32> into tensor<4xf32>
    %d = bufferization.materialize_in_destination %y in %o : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
    return %d : tensor<4xf32>
  }
}

// CHECK: remark: [Missed] {{.*}}Function=cut | Remark="the kernel stays on tensors: a tile is cut at a place that is not constant"
// KEPT: func.func @cut({{.*}}tensor<{{.*}}) -> tensor<4xf32> {
module @cut attributes {program.kernel} {
  func.func @cut(%x: tensor<8xf32> {bufferization.writable = false}, %o: tensor<4xf32>, %n: index) -> tensor<4xf32> {
    %e = tensor.empty() : tensor<8xf32>
    %t = linalg.exp ins(%x : tensor<8xf32>) outs(%e : tensor<8xf32>) -> tensor<8xf32>
    %y = tensor.extract_slice %t[%n] [4] [1] : tensor<8xf32> to tensor<4xf32>
    %d = bufferization.materialize_in_destination %y in %o : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
    return %d : tensor<4xf32>
  }
}

// CHECK: remark: [Missed] {{.*}}Function=put | Remark="the kernel stays on tensors: a slice is put at a place that is not constant"
// KEPT: func.func @put({{.*}}tensor<{{.*}}) -> tensor<4xf32> {
module @put attributes {program.kernel} {
  func.func @put(%x: tensor<2xf32> {bufferization.writable = false}, %o: tensor<4xf32>, %n: index) -> tensor<4xf32> {
    %e = tensor.empty() : tensor<2xf32>
    %t = linalg.exp ins(%x : tensor<2xf32>) outs(%e : tensor<2xf32>) -> tensor<2xf32>
    %f = tensor.empty() : tensor<4xf32>
    %y = tensor.insert_slice %t into %f[%n] [2] [1] : tensor<2xf32> into tensor<4xf32>
    %d = bufferization.materialize_in_destination %y in %o : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
    return %d : tensor<4xf32>
  }
}

// CHECK: remark: [Missed] {{.*}}Function=varying | Remark="the kernel stays on tensors: a slice of varying size is put into a tile"
// KEPT: func.func @varying({{.*}}tensor<{{.*}}) -> tensor<4xf32> {
module @varying attributes {program.kernel} {
  func.func @varying(%x: tensor<4xf32> {bufferization.writable = false}, %o: tensor<4xf32>, %n: index) -> tensor<4xf32> {
    %m = affine.min affine_map<()[s0] -> (s0, 4)>()[%n]
    %e = tensor.empty() : tensor<4xf32>
    %t = linalg.exp ins(%x : tensor<4xf32>) outs(%e : tensor<4xf32>) -> tensor<4xf32>
    %s = tensor.extract_slice %x[0] [%m] [1] : tensor<4xf32> to tensor<?xf32>
    %y = tensor.insert_slice %s into %t[0] [%m] [1] : tensor<?xf32> into tensor<4xf32>
    %d = bufferization.materialize_in_destination %y in %o : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
    return %d : tensor<4xf32>
  }
}

// CHECK: remark: [Missed] {{.*}}Function=window | Remark="the kernel stays on tensors: an operand's elements are not read in order"
// KEPT: func.func @window({{.*}}tensor<{{.*}}) -> tensor<4xf32> {
module @window attributes {program.kernel} {
  func.func @window(%x: tensor<6xf32> {bufferization.writable = false}, %w: tensor<3xf32> {bufferization.writable = false}, %o: tensor<4xf32>) -> tensor<4xf32> {
    %y = linalg.conv_1d ins(%x, %w : tensor<6xf32>, tensor<3xf32>) outs(%o : tensor<4xf32>) -> tensor<4xf32>
    %d = bufferization.materialize_in_destination %y in %o : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
    return %d : tensor<4xf32>
  }
}

// CHECK: remark: [Missed] {{.*}}Function=lacking | Remark="the kernel stays on tensors: a result lacks a loop"
// KEPT: func.func @lacking({{.*}}tensor<{{.*}}) -> tensor<4xf32> {
module @lacking attributes {program.kernel} {
  func.func @lacking(%x: tensor<4x3xf32> {bufferization.writable = false}, %o: tensor<4xf32>) -> tensor<4xf32> {
    %e = tensor.empty() : tensor<4xf32>
    %y = linalg.generic {indexing_maps = [#ij, #i], iterator_types = ["parallel", "parallel"]} ins(%x : tensor<4x3xf32>) outs(%e : tensor<4xf32>) {
    ^bb0(%a: f32, %u: f32):
      linalg.yield %a : f32
    } -> tensor<4xf32>
    %d = bufferization.materialize_in_destination %y in %o : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
    return %d : tensor<4xf32>
  }
}

// CHECK: remark: [Missed] {{.*}}Function=unit | Remark="the kernel stays on tensors: a result has a dimension without a loop"
// KEPT: func.func @unit({{.*}}tensor<{{.*}}) -> tensor<4x1xf32> {
module @unit attributes {program.kernel} {
  func.func @unit(%x: tensor<4xf32> {bufferization.writable = false}, %o: tensor<4x1xf32>) -> tensor<4x1xf32> {
    %e = tensor.empty() : tensor<4x1xf32>
    %y = linalg.generic {indexing_maps = [#id, affine_map<(d0) -> (d0, 0)>], iterator_types = ["parallel"]} ins(%x : tensor<4xf32>) outs(%e : tensor<4x1xf32>) {
    ^bb0(%a: f32, %u: f32):
      linalg.yield %a : f32
    } -> tensor<4x1xf32>
    %d = bufferization.materialize_in_destination %y in %o : (tensor<4x1xf32>, tensor<4x1xf32>) -> tensor<4x1xf32>
    return %d : tensor<4x1xf32>
  }
}

// CHECK: remark: [Missed] {{.*}}Function=difference | Remark="the kernel stays on tensors: a reduction is none that tiles know"
// KEPT: func.func @difference({{.*}}tensor<{{.*}}) -> tensor<4xf32> {
module @difference attributes {program.kernel} {
  func.func @difference(%x: tensor<4x3xf32> {bufferization.writable = false}, %o: tensor<4xf32>) -> tensor<4xf32> {
    %y = linalg.generic {indexing_maps = [#ij, #i], iterator_types = ["parallel", "reduction"]} ins(%x : tensor<4x3xf32>) outs(%o : tensor<4xf32>) {
    ^bb0(%a: f32, %u: f32):
      %q = arith.subf %u, %a : f32
      linalg.yield %q : f32
    } -> tensor<4xf32>
    %d = bufferization.materialize_in_destination %y in %o : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
    return %d : tensor<4xf32>
  }
}

// CHECK: remark: [Missed] {{.*}}Function=integers | Remark="the kernel stays on tensors: a reduction is none that tiles know"
// KEPT: func.func @integers({{.*}}tensor<{{.*}}) -> tensor<4xi32> {
module @integers attributes {program.kernel} {
  func.func @integers(%x: tensor<4x3xi32> {bufferization.writable = false}, %o: tensor<4xi32>) -> tensor<4xi32> {
    %y = linalg.generic {indexing_maps = [#ij, #i], iterator_types = ["parallel", "reduction"]} ins(%x : tensor<4x3xi32>) outs(%o : tensor<4xi32>) {
    ^bb0(%a: i32, %u: i32):
      %q = arith.addi %u, %a : i32
      linalg.yield %q : i32
    } -> tensor<4xi32>
    %d = bufferization.materialize_in_destination %y in %o : (tensor<4xi32>, tensor<4xi32>) -> tensor<4xi32>
    return %d : tensor<4xi32>
  }
}

// CHECK: remark: [Missed] {{.*}}Function=transposed | Remark="the kernel stays on tensors: a reduction's result is transposed"
// KEPT: func.func @transposed({{.*}}tensor<{{.*}}) -> tensor<2x4xf32> {
module @transposed attributes {program.kernel} {
  func.func @transposed(%x: tensor<4x3x2xf32> {bufferization.writable = false}, %o: tensor<2x4xf32>) -> tensor<2x4xf32> {
    %y = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2) -> (d0, d1, d2)>, affine_map<(d0, d1, d2) -> (d2, d0)>],
                         iterator_types = ["parallel", "reduction", "parallel"]} ins(%x : tensor<4x3x2xf32>) outs(%o : tensor<2x4xf32>) {
    ^bb0(%a: f32, %u: f32):
      %q = arith.addf %u, %a : f32
      linalg.yield %q : f32
    } -> tensor<2x4xf32>
    %d = bufferization.materialize_in_destination %y in %o : (tensor<2x4xf32>, tensor<2x4xf32>) -> tensor<2x4xf32>
    return %d : tensor<2x4xf32>
  }
}

// CHECK: remark: [Missed] {{.*}}Function=buffer | Remark="the kernel stays on tensors: an op works on buffers"
// KEPT: func.func @buffer({{.*}}tensor<{{.*}}) -> tensor<4xf32> {
module @buffer attributes {program.kernel} {
  func.func @buffer(%x: tensor<4xf32> {bufferization.writable = false}, %o: tensor<4xf32>, %m: memref<4xf32>) -> tensor<4xf32> {
    %one = arith.constant 1.0 : f32
    linalg.fill ins(%one : f32) outs(%m : memref<4xf32>)
    %e = tensor.empty() : tensor<4xf32>
    %y = linalg.exp ins(%x : tensor<4xf32>) outs(%e : tensor<4xf32>) -> tensor<4xf32>
    %d = bufferization.materialize_in_destination %y in %o : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
    return %d : tensor<4xf32>
  }
}

// A tile keeps its size when less of it counts.
// CHECK: remark: [Missed] {{.*}}Function=sizes | Remark="the kernel stays on tensors: two tiles of one op differ in size"
// KEPT: func.func @sizes({{.*}}tensor<{{.*}}) -> tensor<?xf32> {
module @sizes attributes {program.kernel} {
  func.func @sizes(%x: tensor<8xf32> {bufferization.writable = false}, %w: tensor<16xf32> {bufferization.writable = false}, %o: tensor<?xf32>, %n: index) -> tensor<?xf32> {
    %m = affine.min affine_map<()[s0] -> (s0, 8)>()[%n]
    %e = tensor.empty() : tensor<8xf32>
    %t = linalg.exp ins(%x : tensor<8xf32>) outs(%e : tensor<8xf32>) -> tensor<8xf32>
    %f = tensor.empty() : tensor<16xf32>
    %v = linalg.exp ins(%w : tensor<16xf32>) outs(%f : tensor<16xf32>) -> tensor<16xf32>
    %ts = tensor.extract_slice %t[0] [%m] [1] : tensor<8xf32> to tensor<?xf32>
    %vs = tensor.extract_slice %v[0] [%m] [1] : tensor<16xf32> to tensor<?xf32>
    %g = tensor.empty(%m) : tensor<?xf32>
    %y = linalg.add ins(%ts, %vs : tensor<?xf32>, tensor<?xf32>) outs(%g : tensor<?xf32>) -> tensor<?xf32>
    %d = bufferization.materialize_in_destination %y in %o : (tensor<?xf32>, tensor<?xf32>) -> tensor<?xf32>
    return %d : tensor<?xf32>
  }
}

// CHECK: remark: [Missed] {{.*}}Function=twice | Remark="the kernel stays on tensors: a result is used twice"
// KEPT: func.func @twice({{.*}}tensor<{{.*}}) -> (tensor<4xf32>, tensor<4xf32>) {
module @twice attributes {program.kernel} {
  func.func @twice(%x: tensor<4xf32> {bufferization.writable = false}, %o: tensor<4xf32>, %p: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
    %e = tensor.empty() : tensor<4xf32>
    %r = scf.forall (%i) in (4) shared_outs(%c = %e) -> (tensor<4xf32>) {
      %xs = tensor.extract_slice %x[%i] [1] [1] : tensor<4xf32> to tensor<1xf32>
      scf.forall.in_parallel {
        tensor.parallel_insert_slice %xs into %c[%i] [1] [1] : tensor<1xf32> into tensor<4xf32>
      }
    }
    %d = bufferization.materialize_in_destination %r in %o : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
    %f = bufferization.materialize_in_destination %r in %p : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
    return %d, %f : tensor<4xf32>, tensor<4xf32>
  }
}

// CHECK: remark: [Missed] {{.*}}Function=further | Remark="the kernel stays on tensors: a result goes into 'linalg.exp'"
// KEPT: func.func @further({{.*}}tensor<{{.*}}) -> tensor<4xf32> {
module @further attributes {program.kernel} {
  func.func @further(%x: tensor<4xf32> {bufferization.writable = false}, %o: tensor<4xf32>) -> tensor<4xf32> {
    %e = tensor.empty() : tensor<4xf32>
    %r = scf.forall (%i) in (4) shared_outs(%c = %e) -> (tensor<4xf32>) {
      %xs = tensor.extract_slice %x[%i] [1] [1] : tensor<4xf32> to tensor<1xf32>
      scf.forall.in_parallel {
        tensor.parallel_insert_slice %xs into %c[%i] [1] [1] : tensor<1xf32> into tensor<4xf32>
      }
    }
    %y = linalg.exp ins(%r : tensor<4xf32>) outs(%e : tensor<4xf32>) -> tensor<4xf32>
    %d = bufferization.materialize_in_destination %y in %o : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
    return %d : tensor<4xf32>
  }
}
