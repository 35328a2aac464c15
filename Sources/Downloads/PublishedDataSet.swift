/// A data set as its authors publish it: files with known checksums.
public struct PublishedDataSet: Sendable, Hashable {
  /// A file, its size in bytes and its published MD5, which finds damage, not malice.
  public struct File: Sendable, Hashable {
    public let name: String
    public let size: Int
    public let md5: String

    public init(_ name: String, size: Int, md5: String) { (self.name, self.size, self.md5) = (name, size, md5) }
  }
  /// The name on a command line.
  public let name: String
  /// The address that the files' names are appended to.
  public let address: String
  /// The folder the files go to within the one that is asked for; "" for that one.
  public let folder: String
  public let files: [File]

  public init(name: String, address: String, folder: String = "", files: [File]) {
    (self.name, self.address, self.folder, self.files) = (name, address, folder, files)
  }
}

extension PublishedDataSet: CaseIterable {
  public static let allCases = [cifar10, cifar100, mnist, fashionMNIST]

  /// The checksums are those of Krizhevsky's page of both sets.
  public static let cifar10 = PublishedDataSet(
    name: "cifar10", address: "https://www.cs.toronto.edu/~kriz",
    files: [File("cifar-10-binary.tar.gz", size: 170_052_171, md5: "c32a1d4ab5d03f1284b67883e8d87530")])
  public static let cifar100 = PublishedDataSet(
    name: "cifar100", address: "https://www.cs.toronto.edu/~kriz",
    files: [File("cifar-100-binary.tar.gz", size: 168_513_733, md5: "03b5dce01913d631647c71ecec9e9cb8")])
  /// The address is PyTorch's mirror, for the original page asks for no downloads by programs.
  public static let mnist = PublishedDataSet(
    name: "mnist", address: "https://ossci-datasets.s3.amazonaws.com/mnist", folder: "mnist",
    files: idx(
      (9_912_422, "f68b3c2dcbeaaa9fbdd348bbdeb94873"), (28_881, "d53e105ee54ea40749a09fcbcd1e9432"),
      (1_648_877, "9fb629c4189551a2d022fa330f9573f3"), (4_542, "ec29112dd5afa0611ce80d1b7f02629c")))
  public static let fashionMNIST = PublishedDataSet(
    name: "fashion-mnist",
    address: "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion",
    folder: "fashion-mnist",
    files: idx(
      (26_421_880, "8d4fb7e6c68d591d4c3dfef9ec88bf0d"), (29_515, "25c81989df183df01b3e8a0aad5dffbe"),
      (4_422_102, "bef4ecab320f06d8554ea6380940ec79"), (5_148, "bb300cfdad3c16e7a12a480ee83cd310")))

  private static func idx(_ facts: (size: Int, md5: String)...) -> [File] {
    let names = ["train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1"]
    return zip(names, facts).map { File("\($0)-ubyte.gz", size: $1.size, md5: $1.md5) }
  }
}
