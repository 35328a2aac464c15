/// A p value: 0.0004 as "<0.001".
package func probability(_ p: Double) -> String { p < 0.001 ? "<0.001" : fixed(p, 3) }

/// `value` with so many decimals, whatever the locale.
package func fixed(_ value: Double, _ decimals: Int) -> String {
  var scale = 1.0
  for _ in 0..<decimals { scale *= 10 }
  guard abs(value) * scale < 9e15 else { return "\(value)" }
  let all = Int((abs(value) * scale).rounded())
  let text = String(all)
  let padded = String(repeating: "0", count: max(0, decimals + 1 - text.count)) + text
  let sign = value < 0 && all > 0 ? "-" : ""
  return sign + padded.dropLast(decimals) + (decimals > 0 ? "." + padded.suffix(decimals) : "")
}

/// 0.9173 as "91.73 %".
package func percent(_ share: Double, _ decimals: Int = 2) -> String { fixed(100 * share, decimals) + " %" }

/// `value` with two decimals and its sign.
package func signed(_ value: Double) -> String {
  let text = fixed(value, 2)
  return text.hasPrefix("-") ? "−" + text.dropFirst() : "+" + text
}
