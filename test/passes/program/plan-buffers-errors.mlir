// RUN: infini-opt %s --infini-plan-buffers --split-input-file --verify-diagnostics

// expected-error@+1 {{expected state 's' to be an argument of the same type, too}}
func.func @no_argument(%x: tensor<8xf32>) -> (tensor<8xf32> {program.role = "state", program.name = "s"}) {
  return %x : tensor<8xf32>
}

// -----

// expected-error@+1 {{expected state 's' to be an argument of the same type, too}}
func.func @other_type(%x: tensor<4xf32> {program.role = "state", program.name = "s"})
    -> (tensor<8xf32> {program.role = "state", program.name = "s"}) {
  %e = tensor.empty() : tensor<8xf32>
  return %e : tensor<8xf32>
}

// -----

// expected-error@+1 {{expected state 's' to be an argument of the same type, too}}
func.func @other_name(%x: tensor<8xf32> {program.role = "state", program.name = "t"})
    -> (tensor<8xf32> {program.role = "state", program.name = "s"}) {
  return %x : tensor<8xf32>
}

// -----

// expected-error@+1 {{expected a function of one block}}
func.func @blocks(%x: tensor<8xf32>) -> tensor<8xf32> {
  cf.br ^next
^next:
  return %x : tensor<8xf32>
}
