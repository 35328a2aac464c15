extension ModelChoice {
  /// The size of images that the network was made for: what images of several sizes are scaled to where nothing is said.
  public var usualImageSize: ImageSize { ImageSize(usualSide) }
}
