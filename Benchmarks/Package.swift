// swift-tools-version: 6.2
import PackageDescription

// A package of its own, so that nobody who imports the library builds it.
let package = Package(
  name: "Benchmarks",
  platforms: [.macOS(.v15)],
  dependencies: [.package(name: "EncodeNet", path: "..")],
  targets: [
    .target(name: "CMachine"),
    .executableTarget(
      name: "Benchmarks", dependencies: ["CMachine", .product(name: "EncodeNet", package: "EncodeNet")]),
  ],
  swiftLanguageModes: [.v6]
)
