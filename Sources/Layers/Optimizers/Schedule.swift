#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// The learning rate for each step of a run, counted from 0.
///
/// Schedules compose:
/// ```swift
/// let schedule = Schedule.cosine(from: 0.1, over: 9_500).warmedUp(over: 500)
/// optimizer.learningRate = schedule(step)
/// ```
public struct Schedule: Sendable {
  private let rate: @Sendable (Int) -> Scalar

  /// A custom schedule.
  public init(_ rate: @escaping @Sendable (_ step: Int) -> Scalar) { self.rate = rate }

  /// The learning rate for `step`.
  public func callAsFunction(_ step: Int) -> Scalar { rate(step) }

  /// A constant rate.
  public static func constant(_ rate: Scalar) -> Schedule { Schedule { _ in rate } }

  /// `rate`, multiplied by `factor` every `interval` steps: PyTorch's `StepLR`.
  public static func step(_ rate: Scalar, every interval: Int, factor: Scalar = 0.1) -> Schedule {
    require(interval > 0, "Schedule.step: the interval is \(interval) steps")
    return Schedule { rate * integerPower(factor, $0 / interval) }
  }

  /// `rate`, multiplied by `factor` at each of the steps `milestones`: PyTorch's `MultiStepLR`.
  public static func step(_ rate: Scalar, at milestones: [Int], factor: Scalar = 0.1) -> Schedule {
    Schedule { step in rate * integerPower(factor, milestones.count { $0 <= step }) }
  }

  /// Linear from `start` to `end` in `steps` steps, then `end`.
  public static func linear(from start: Scalar, to end: Scalar, over steps: Int) -> Schedule {
    Schedule { start + (end - start) * fraction($0, of: steps) }
  }

  /// Half a cosine from `start` to `end` in `steps` steps, then `end`: PyTorch's `CosineAnnealingLR`.
  ///
  /// Loshchilov, Hutter: "SGDR: stochastic gradient descent with warm restarts", 2017.
  public static func cosine(from start: Scalar, to end: Scalar = 0, over steps: Int) -> Schedule {
    Schedule { halfCosine(from: start, to: end, fraction($0, of: steps)) }
  }

  /// Rises from `peak / divisor` to `peak` in the first part of `steps` and falls to almost 0 in the rest, both by half a cosine:
  /// PyTorch's `OneCycleLR`.
  ///
  /// Smith, Topin: "Super-convergence", 2018.
  /// - Parameters:
  ///   - rise: The fraction of the steps that rise.
  ///   - finalDivisor: The first rate divided by this is the last one.
  public static func oneCycle(
    peak: Scalar, over steps: Int, rise: Scalar = 0.3, divisor: Scalar = 25, finalDivisor: Scalar = 1e4
  ) -> Schedule {
    require(steps > 1, "Schedule.oneCycle: \(steps) steps are not a cycle")
    let top = rise * Scalar(steps) - 1
    let bottom = Scalar(steps - 1)
    let first = peak / divisor
    return Schedule { step in
      let step = Scalar(step)
      return step <= top
        ? halfCosine(from: first, to: peak, top > 0 ? step / top : 1)
        : halfCosine(from: peak, to: first / finalDivisor, min((step - top) / (bottom - top), 1))
    }
  }

  /// This schedule for `steps` steps, then `next` from its beginning.
  public func then(after steps: Int, _ next: Schedule) -> Schedule {
    Schedule { $0 < steps ? self($0) : next($0 - steps) }
  }

  /// Linear warm-up in `steps` steps to this schedule's first rate, then this schedule from its beginning.
  ///
  /// Step `i` of the warm-up has `(i + 1) / (steps + 1)` of that rate, so that no step is lost on a rate of 0.
  public func warmedUp(over steps: Int) -> Schedule {
    let first = self(0)
    return Schedule { first * Scalar($0 + 1) / Scalar(steps + 1) }.then(after: steps, self)
  }

  /// This schedule with every rate multiplied by `factor`.
  public func scaled(by factor: Scalar) -> Schedule { Schedule { self($0) * factor } }
}

private func fraction(_ step: Int, of steps: Int) -> Scalar {
  steps <= 0 ? 1 : Scalar(min(max(step, 0), steps)) / Scalar(steps)
}

private func halfCosine(from start: Scalar, to end: Scalar, _ fraction: Scalar) -> Scalar {
  end + (start - end) * Scalar(0.5 * (1 + cos(Double.pi * Double(fraction))))
}
