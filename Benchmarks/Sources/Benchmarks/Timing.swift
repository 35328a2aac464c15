/// Some repetitions of one piece of work.
struct Timing {
  /// Milliseconds of each repetition, ascending.
  let milliseconds: [Double]

  var median: Double { milliseconds[milliseconds.count / 2] }
  /// Half the distance between the quartiles, as a share of the median.
  var spread: Double {
    let n = milliseconds.count
    return (milliseconds[n * 3 / 4] - milliseconds[n / 4]) / 2 / median
  }

  /// Warms up, then repeats `body` for about `seconds`, at least five times.
  init(seconds: Double, _ body: () -> Void) {
    let clock = ContinuousClock()
    body()
    var times: [Double] = []
    let begin = clock.now
    repeat {
      times.append(clock.measure(body) / .milliseconds(1))
    } while times.count < 5 || clock.now - begin < .seconds(seconds)
    milliseconds = times.sorted()
  }

  /// Repeats `body` so many times after so many that are not counted.
  init(warmUps: Int, repetitions: Int, _ body: () -> Void) {
    let clock = ContinuousClock()
    for _ in 0..<warmUps { body() }
    milliseconds = (0..<max(1, repetitions)).map { _ in clock.measure(body) / .milliseconds(1) }.sorted()
  }
}
