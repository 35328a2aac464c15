/// Every `stride`-th pixel in both directions, with channels of zeros before and after the image's.
///
/// The shortcut of ResNet's option A where a block halves its images: He et al., arXiv 1512.03385.
/// - Parameters:
///   - x: `[batch, height, width, channels]`, of at least one channel.
///   - margins: The numbers of channels of zeros.
/// - Returns: `[batch, ⌈height / stride⌉, ⌈width / stride⌉, before + channels + after]`.
public func subsampled2d(_ x: Tensor, stride: Int, channelMargins margins: (before: Int, after: Int) = (0, 0)) -> Tensor
{
  require(margins.before >= 0 && margins.after >= 0, "subsampled2d: negative margins \(margins)")
  let windows = Windows("subsampled2d", x.shape, size: 1, stride: stride, padding: 0)
  require(windows.channels > 0, "subsampled2d: \(x.shape) has no channels")
  return Subsampling(windows: windows, before: margins.before, after: margins.after).forward(x)
}

/// A subsampling and its gradient.
private struct Subsampling: Sendable {
  let windows: Windows
  let (before, after): (Int, Int)

  private var channels: Int { before + windows.channels + after }
  private var yShape: Shape { [windows.images, windows.ofImage.outputHeight, windows.ofImage.outputWidth, channels] }

  func forward(_ x: Tensor) -> Tensor {
    Tensor(shape: yShape) { out in
      let y = out.baseAddress!
      windows.forEachImage(of: x) { image, to in
        Pooling.subsample(
          windows.ofImage, outputChannels: channels, before: before, image, y + to / windows.channels * channels)
      }
    }.recorded(
      "subsampled2d", from: [x],
      consuming: { dy, _, accumulated in
        // An outer tape records operations, not sums in place.
        if !GradientTape.active.isEmpty { return [backward(dy)] }
        var sum = accumulated.take()
        guard sum != nil, Storage.isUnique(&sum!.storage) else {
          accumulated = sum
          return [backward(dy)]
        }
        add(dy, to: sum!.storage.pointer, clearing: false)
        return [sum]
      })
  }

  private func backward(_ dy: Tensor) -> Tensor {
    Tensor(shape: windows.xShape) { add(dy, to: $0.baseAddress!, clearing: true) }
      .recorded("subsampled2dBackward", (dy, { forward($0) }))
  }

  private func add(_ dy: Tensor, to dx: UnsafeMutablePointer<Scalar>, clearing: Bool) {
    let dy = dy.pointer
    windows.forEachImage { to, from in
      if clearing { (dx + to).update(repeating: 0, count: windows.xSize) }
      Pooling.addSubsampleBackward(
        windows.ofImage, outputChannels: channels, before: before, dy + from / windows.channels * channels, dx + to)
    }
  }
}
