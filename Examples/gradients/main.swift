// The tape alone: no layers, no data, only functions of tensors and their gradients.

import Tensors

// Rosenbrock's banana: a long curved valley whose lowest point is (1, 1).
func banana(_ p: Tensor) -> Tensor {
  let (x, y) = (p[0], p[1])
  return square(1 - x) + 100 * square(y - square(x))
}

// Newton's method. The gradient of the gradient is the Hessian, taken through the same tape.
var point = Tensor([-1.2, 1], shape: [2])
for step in 1...6 {
  let slope = gradient(at: point, of: banana)
  let rows = (0..<2).map { i in gradient(at: point) { gradient(at: $0, of: banana)[i] } }
  point -= try Tensor.stacked(rows).solve(slope)
  print("step \(step): \(point.scalars), height \(banana(point).item)")
}
precondition(abs(point - 1).max().item < 1e-3, "Newton's method should find (1, 1), not \(point.scalars)")

// Where a plane a·x + b lies closest to noisy points, by following the gradient down.
var generator = SplittableGenerator(seed: 1)
let x = Tensor.uniform([200, 2], using: &generator)
let truth = Tensor([3, -2], shape: [2, 1])
let y = matmul(x, truth) + 0.5 + Tensor.normal([200, 1], std: 0.01, using: &generator)

var parameters = [Tensor.zeros([2, 1]), Tensor.zeros([1])]
for _ in 0..<400 {
  let slopes = gradient(at: parameters) { square(matmul(x, $0[0]) + $0[1] - y).mean() }
  for i in parameters.indices { parameters[i] -= 0.5 * slopes[i] }
}
print("fitted \(parameters[0].scalars) + \(parameters[1].scalars[0]), made with \(truth.scalars) + 0.5")
precondition(abs(parameters[0] - truth).max().item < 0.02, "the fit is off")

// What a tape holds: the operations of one evaluation, with their shapes and bytes.
print(recordedTape(at: [point]) { banana($0[0]) })
