// RUN: infini-opt %s --infini-form-dispatches --split-input-file --allow-unregistered-dialect --verify-diagnostics

// Kernels take tensors and indices.
func.func @scalar(%x: tensor<4xf32>, %s: f32) -> tensor<4xf32> {
  %e = tensor.empty() : tensor<4xf32>
  // expected-error@+1 {{uses a scalar of type 'f32' from outside; pass it as a tensor of rank 0}}
  %y = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
      ins(%x : tensor<4xf32>) outs(%e : tensor<4xf32>) {
  ^bb0(%a: f32, %b: f32):
    %c = arith.mulf %a, %s : f32
    linalg.yield %c : f32
  } -> tensor<4xf32>
  return %y : tensor<4xf32>
}

// -----

func.func @filled_with_a_scalar(%s: f32) -> tensor<4xf32> {
  %e = tensor.empty() : tensor<4xf32>
  // expected-error@+1 {{uses a scalar of type 'f32' from outside; pass it as a tensor of rank 0}}
  %y = linalg.fill ins(%s : f32) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  return %y : tensor<4xf32>
}

// -----

func.func @size_unknown(%x: tensor<?xf32>, %y: tensor<?xf32>, %c: tensor<i1>) -> tensor<?xf32> {
  %b = tensor.extract %c[] : tensor<i1>
  // expected-error@+1 {{the size of this op's result cannot be told before it runs; only tensors whose sizes follow from those of the inputs are supported}}
  %r = scf.if %b -> tensor<?xf32> {
    scf.yield %x : tensor<?xf32>
  } else {
    scf.yield %y : tensor<?xf32>
  }
  return %r : tensor<?xf32>
}

// -----

func.func private @sink(tensor<4xf32>)
func.func @call_with_effects(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error@+1 {{has effects; only functions of tensors are supported}}
  call @sink(%x) : (tensor<4xf32>) -> ()
  return %x : tensor<4xf32>
}

// -----

func.func @store(%x: tensor<4xf32>, %m: memref<f32>) -> tensor<4xf32> {
  %s = arith.constant 0.0 : f32
  // expected-error@+1 {{has effects; only functions of tensors are supported}}
  memref.store %s, %m[] : memref<f32>
  return %x : tensor<4xf32>
}

// -----

// An op that nobody knows may do anything.
func.func @unknown_op(%x: tensor<?xf32>) -> tensor<?xf32> {
  // expected-error@+1 {{has effects; only functions of tensors are supported}}
  %y = "test.nonzero"(%x) : (tensor<?xf32>) -> tensor<?xf32>
  return %y : tensor<?xf32>
}

// -----

func.func @unranked(%x: tensor<*xf32>) -> tensor<*xf32> {
  // expected-error@+1 {{has a result of type 'tensor<*xf32>'; only ranked tensors are supported here}}
  %y = math.exp %x : tensor<*xf32>
  return %y : tensor<*xf32>
}
