// swift-tools-version: 6.2
import Foundation
import PackageDescription

let package = Package(
  name: "EncodeNet",
  platforms: [.macOS(.v15)],
  products: [
    .library(name: "Tensors", targets: ["Tensors"]),
    .library(name: "Layers", targets: ["Layers"]),
    .library(name: "Checkpoints", targets: ["Checkpoints"]),
    .library(name: "Datasets", targets: ["Datasets"]),
    .library(name: "Downloads", targets: ["Downloads"]),
    .library(name: "Training", targets: ["Training"]),
    .library(name: "Experiments", targets: ["Experiments"]),
    .library(name: "EncodeNet", targets: ["EncodeNet", "Reports"]),
  ],
  traits: [
    .trait(name: "DoublePrecision", description: "Compute in Double, for gradient checks at 1e-6."),
    .trait(name: "HDF5", description: "Read Keras' weights, through the HDF5 library, which nothing else links."),
    .trait(
      name: "MPI",
      description: "Train on several processes and machines, through an MPI library, which nothing else links."),
  ],
  targets: [
    // System libraries
    .systemLibrary(
      name: "COpenBLAS", pkgConfig: "openblas",
      providers: [.apt(["libopenblas-dev"]), .brew(["openblas"])]),
    .systemLibrary(
      name: "CLAPACKE", pkgConfig: "lapacke",
      providers: [.apt(["liblapacke-dev"]), .brew(["lapack"])]),
    .systemLibrary(
      name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"]), .brew(["zlib"])]),
    .systemLibrary(
      name: "CPNG", pkgConfig: "libpng", providers: [.apt(["libpng-dev"]), .brew(["libpng"])]),
    .systemLibrary(
      name: "CJPEG", pkgConfig: "libjpeg",
      providers: [.apt(["libjpeg-dev"]), .brew(["jpeg-turbo"])]),
    .systemLibrary(
      name: "CWebP", pkgConfig: "libwebp", providers: [.apt(["libwebp-dev"]), .brew(["webp"])]),
    .systemLibrary(
      name: "CCURL", pkgConfig: "libcurl",
      providers: [.apt(["libcurl4-openssl-dev"]), .brew(["curl"])]),
    .systemLibrary(
      name: "CCrypto", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"]), .brew(["openssl"])]),
    .systemLibrary(
      name: "CHDF5", pkgConfig: "hdf5", providers: [.apt(["libhdf5-dev"]), .brew(["hdf5"])]),
    .systemLibrary(
      name: "CMPI", pkgConfig: "mpi-c",
      providers: [.apt(["libopenmpi-dev", "openmpi-bin"]), .brew(["open-mpi"])]),

    // The library, from the bottom up
    // Asserts of kernels count in debug builds, as Swift's do.
    .target(name: "CKernels", cSettings: [.define("NDEBUG", .when(configuration: .release))]),
    .target(name: "Kernels", dependencies: ["CKernels", "COpenBLAS"]),
    .target(name: "Tensors", dependencies: ["Kernels", "CLAPACKE"]),
    .target(name: "CObjects"),
    .target(name: "Communicators", dependencies: [.target(name: "CMPI", condition: .when(traits: ["MPI"]))]),
    .target(name: "Layers", dependencies: ["Tensors", "CObjects", "Communicators"]),
    .target(name: "FileFormats", dependencies: ["CZlib"]),
    .target(
      name: "CKeras", dependencies: [.target(name: "CHDF5", condition: .when(traits: ["HDF5"]))],
      cSettings: [.define("HDF5", .when(traits: ["HDF5"]))]),
    .target(
      name: "Checkpoints",
      dependencies: ["Layers", "FileFormats", .target(name: "CKeras", condition: .when(traits: ["HDF5"]))]),
    .target(name: "CImages", dependencies: ["CPNG", "CJPEG", "CWebP"]),
    .target(name: "Datasets", dependencies: ["Tensors", "FileFormats", "CImages"]),
    .target(name: "CDownloads", dependencies: ["CCURL", "CCrypto"]),
    .target(name: "Downloads", dependencies: ["CDownloads", "Datasets", "FileFormats"]),
    .target(name: "Training", dependencies: ["Layers", "Datasets", "Checkpoints", "FileFormats"]),
    .target(name: "Experiments", dependencies: ["Training"]),
    .target(name: "EncodeNet", dependencies: ["Experiments"]),
    .target(name: "Reports", dependencies: ["EncodeNet"]),

    // Examples: `swift run digits`
    .executableTarget(name: "digits", dependencies: ["Reports"], path: "Examples/digits"),
    .executableTarget(
      name: "custom-model", dependencies: ["Reports"], path: "Examples/custom-model"),
    .executableTarget(name: "stages", dependencies: ["Reports"], path: "Examples/stages"),
    .executableTarget(
      name: "first-experiments", dependencies: ["Reports"], path: "Examples/first-experiments"),
    .executableTarget(
      name: "converting-autoencoder", dependencies: ["EncodeNet"], path: "Examples/converting-autoencoder"),
    .executableTarget(name: "photographs", dependencies: ["Reports"], path: "Examples/photographs"),
    .executableTarget(name: "gradients", dependencies: ["Tensors"], path: "Examples/gradients"),
    .executableTarget(name: "everyday", dependencies: ["Checkpoints", "Training"], path: "Examples/everyday"),

    // What is nearly right, for every reader: `swift run -c release fuzz`
    .executableTarget(
      name: "fuzz", dependencies: ["Checkpoints", "Datasets", "FileFormats", "Reports", "Tensors"], path: "Fuzz",
      exclude: ["Corpus"]),

    // Tests
    .target(name: "TestSupport", dependencies: ["Communicators", "Tensors"], path: "Tests/TestSupport"),
    .testTarget(name: "KernelsTests", dependencies: ["Kernels"]),
    .testTarget(name: "TensorsTests", dependencies: ["Tensors", "TestSupport"], resources: [.copy("Fixtures")]),
    .testTarget(name: "FileFormatsTests", dependencies: ["FileFormats"]),
    .testTarget(name: "LayersTests", dependencies: ["Layers", "TestSupport"], resources: [.copy("Fixtures")]),
    .testTarget(
      name: "CheckpointsTests", dependencies: ["Checkpoints", "FileFormats", "TestSupport"],
      resources: [.copy("Fixtures")]),
    .testTarget(
      name: "DatasetsTests", dependencies: ["Datasets", "FileFormats", "TestSupport", "CZlib"],
      resources: [.copy("Fixtures")]),
    .testTarget(name: "DownloadsTests", dependencies: ["Downloads", "TestSupport"]),
    .testTarget(
      name: "TrainingTests",
      dependencies: ["Training", "Checkpoints", "FileFormats", "Kernels", "Layers", "TestSupport"]),
    .testTarget(
      name: "EncodeNetTests", dependencies: ["Reports", "EncodeNet", "Experiments", "Checkpoints", "TestSupport"],
      resources: [.copy("Fixtures")]),
  ],
  swiftLanguageModes: [.v6]
)

// The command, and the packages that it alone needs. SwiftPM takes every executable product of a dependency for used: declared
// always, it would make each importer of the libraries fetch those packages, and agree on their versions.
let isDependency = isImported()
if isDependency != true {
  // Exactly what was tested, but where another package may import this one after all.
  func versions(_ tested: Version) -> Range<Version> {
    isDependency == nil ? "1.0.0"..<"2.0.0" : tested..<Version(tested.major, tested.minor, tested.patch + 1)
  }
  package.dependencies += [
    .package(url: "https://github.com/apple/swift-argument-parser", versions("1.8.2")),
    .package(url: "https://github.com/apple/swift-log", versions("1.16.2")),
  ]
  package.products.append(.executable(name: "encodenet", targets: ["EncodeNetCLI"]))
  package.targets.append(
    .executableTarget(
      name: "EncodeNetCLI",
      dependencies: [
        "Downloads", "Reports",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "Logging", package: "swift-log"),
      ]))
  package.targets.append(
    .testTarget(name: "EncodeNetCLITests", dependencies: ["EncodeNetCLI", "Reports", "TestSupport"]))
}

/// Whether another package imports this one; nil where nothing tells.
///
/// A version lies in the importer's `checkouts`, and has no folder while versions are resolved. A path is imported by the
/// package in whose folder SwiftPM was called. That folder is asked for as `PWD`, not as the working directory: SwiftPM keeps
/// what a manifest gave by its environment.
func isImported() -> Bool? {
  func resolved(_ path: String) -> URL { URL(fileURLWithPath: path).standardizedFileURL.resolvingSymlinksInPath() }
  let here = Context.packageDirectory
  if here == "/" || here.contains("/checkouts/") { return true }
  guard let start = Context.environment["PWD"] else { return nil }
  var folder = resolved(start)
  while !FileManager.default.fileExists(atPath: folder.appendingPathComponent("Package.swift").path) {
    if folder.path == "/" { return nil }
    folder.deleteLastPathComponent()
  }
  return folder.path != resolved(here).path
}

for target in package.targets where [.regular, .executable, .test].contains(target.type) {
  // A library that only uses `squareRoot()` fails to link in a consumer without libm.
  target.linkerSettings = [.linkedLibrary("m", .when(platforms: [.linux]))]
  if target.path != nil, target.type == .executable { target.exclude.append("README.md") }
}
