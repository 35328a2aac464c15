import Foundation
import Reports
import TestSupport
import Testing

@testable import EncodeNetCLI

/// The small files of kinds that users have, each with the right answer; they lie in `cases`, beside the folder of published data.
@Suite(.enabled(if: PublishedData.cases != nil, "set ENCODENET_DATA to a folder with 'cases' beside it to run these"))
struct CasesTests {
  private func path(_ name: String) throws -> String { try #require(PublishedData.cases).path(name) }

  private func imported(_ name: String) throws -> Command {
    try Command("import", path(name), "--model", "resnet8", "--width", "0.25")
  }

  @Test(
    arguments: [
      ("01-multisteplr-counter/ckpt.pth", ["'state_dict'"]), ("02-argparse-namespace/ckpt.pth", ["argparse.Namespace"]),
      ("03-numpy-scalar-best-acc/ckpt.pth", ["numpy._core.multiarray.scalar"]), ("04-net-key/ckpt.pth", ["'net'"]),
      ("06-torch-compile-orig-mod/ckpt.pth", ["'_orig_mod.'"]),
      ("08-swa-averaged-model/ckpt.pth", ["'module.'", "n_averaged"]),
      ("09-lightning/ckpt.pth", ["'model.'", "criterion.weight"]), ("10-lightning-net/ckpt.pth", ["'net.'"]),
      ("12-legacy-protocol-4/ckpt.pth", []), ("21-set-device-dtype/ckpt.pth", []),
      ("23-complex-uint16-v3/ckpt.pth", ["lut"]), ("27-nested-twice/ckpt.pth", ["'checkpoint.model.state_dict'"]),
      ("42-npz-with-strings/w.npz", ["arch"]), ("47-npz-python2-long/w.npz", []), ("a7-bytes-value/ckpt.pth", []),
    ])
  func weightsAreRead(name: String, says: [String]) throws {
    let run = try imported(name)
    #expect(run.code == 0 && run.output.contains("37 of 37 tensors of resnet8 matched"), "\(run.all)")
    for text in says { #expect(run.output.contains(text), "\(text): \(run.all)") }
  }

  @Test(
    arguments: [
      ("36-lfs-pointer/w.pth", "a Git LFS pointer"), ("36-lfs-pointer/w.safetensors", "a Git LFS pointer"),
      ("37-html-page/w.pth", "an HTML page ('Virus scan warning')"), ("a4-pt2-export/model.pt2", "torch.export (.pt2)"),
      ("a0-own-file-truncated/A0.safetensors", "is cut off: it ends 3776 bytes early, at byte 20000"),
      ("a8-nan-weights/ckpt.pth", "has values that are NaN or infinite"),
    ])
  func whatIsNoFileOfWeightsIsNamedInOneLine(name: String, says: String) throws {
    let run = try imported(name)
    #expect(run.code == 1 && run.errors.contains(says), "\(run.all)")
    #expect(run.errors.split(separator: "\n").count == 1, "\(run.all)")
  }

  @Test func classesAreMatchedByName() throws {
    let weights = ["evaluate", "--weights", try path("c1-other-classes/weights.safetensors"), "--data"]
    let same = try Command(weights + ["folder:\(path("c1-other-classes/same"))"])
    #expect(same.output.contains("12 of 12 right"), "\(same.all)")
    for name in ["reordered", "shifted"] {
      let run = try Command(weights + ["folder:\(path("c1-other-classes/\(name)"))"])
      #expect(run.code == 1 && run.errors.contains("the classifier knows: blue, green, red"), "\(run.all)")
    }
    let foreign = try Command(
      "evaluate", "--weights", path("c1-other-classes/weights.pth"), "--model", "resnet8", "--width", "0.25",
      "--normalization", "half", "--data", "folder:\(path("c1-other-classes/reordered"))")
    #expect(
      foreign.errors.contains("its outputs are taken for a_red, b_green, c_blue, in this order"), "\(foreign.all)")
  }

  @Test func greyImagesAreRepeated() throws {
    let (weights, data) = (
      try path("c0-grey-folder-rgb-weights/weights.safetensors"), try path("c0-grey-folder-rgb-weights/data")
    )
    let run = try Command("evaluate", "--weights", weights, "--data", "folder:\(data)")
    #expect(run.code == 0 && run.errors.contains("grey images are repeated to three channels"), "\(run.all)")
    #expect(try Command("predict", "--weights", weights, "\(data)/c0/0.png").code == 0)
  }

  @Test(
    arguments: [
      ("51-tiny-imagenet", "data: 15 training images, 6 test images"),
      ("52-train-val-unlabelled-test", "test is not used: it has 3 images and no folders of classes"),
      ("53-train-valid", "4 test images"), ("55-macosx", "1 of kind 'hidden or system file' (__MACOSX)"),
      ("56-appledouble", "1 of kind 'hidden or system file' (a/._0.png)"), ("58-one-class-symlinked", ""),
      ("64-webp-and-jpg", "formats: 7 JPEG, 3 WebP, 2 BMP"),
      ("66-mixed-sizes", "sizes: 32 by 32 (6), 48 by 36 (1)"), ("75-nested-class", "classes: animals, plants"),
      ("77-nfd-sort", "classes: A\u{308}pfel, Birne, Zitrone"),
    ])
  func foldersAreReadOrSayWhy(name: String, says: String) throws {
    let run = try Command("info", "--data", "folder:\(path("\(name)/data"))")
    guard name == "58-one-class-symlinked" else { return #expect(run.all.contains(says), "\(run.all)") }
    // Where the copy has no links, the class is a file of text.
    #expect(
      run.all.contains("classes: a, b, c") || run.all.contains("1 of kind 'link stored as text' (c)"), "\(run.all)")
  }

  @Test(arguments: ["81-kaggle-mnist", "82-torchvision-root"]) func setsLikeMNISTAreFound(name: String) throws {
    let run = try Command("info", "--data", "mnist:\(path("\(name)/data"))")
    #expect(run.code == 0 && run.output.contains("40 training images, 20 test images"), "\(run.all)")
  }

  @Test func emnistsNumberOfClassesIsGiven() throws {
    let data = "mnist:\(try path("85-emnist-renamed/data"))"
    let none = try Command("info", "--data", data)
    #expect(none.code == 1 && none.errors.contains("give their number (--classes)"), "\(none.all)")
    let given = try Command("info", "--data", data, "--classes", "26")
    #expect(given.code == 0 && given.output.contains("40 training images, 20 test images"), "\(given.all)")
  }

  /// The image at `name`.
  private func image(_ name: String) throws -> DecodedImage {
    try DecodedImage(contentsOf: URL(fileURLWithPath: path(name)))
  }

  private func bytes(_ name: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: URL(fileURLWithPath: path(name))))
  }

  @Test func gammaChunksChangeNoPixel() throws {
    let (plain, grey) = (try image("d0-png-gamma/plain.png"), try image("d0-png-gamma/grey.png"))
    #expect(try image("d0-png-gamma/gama-1.0.png") == plain && image("d0-png-gamma/gama-0.55556-mac.png") == plain)
    #expect(try image("d0-png-gamma/gama-grey-1.0.png") == grey)
  }

  @Test func inksBecomeColours() throws {
    let plain = try image("d1-cmyk-jpeg/plain.jpg")
    let inks = try image("d1-cmyk-jpeg/cmyk.jpg")
    #expect(inks.shape == plain.shape)
    let difference = zip(inks.pixels, plain.pixels).reduce(0) { $0 + abs(Int($1.0) - Int($1.1)) }
    #expect(difference < 12 * plain.pixels.count, "\(difference / plain.pixels.count) levels on average")
    // This is the other file but for the last byte of Adobe's marker, which says that the first three inks are stored as luma and
    // chroma. They are not, so that no reader that goes by the marker, as libjpeg, Pillow and djpeg do, finds the plain colours:
    // its first pixels are (255, 120, 255), (255, 114, 255). Inks that are stored so, and said to be, are in the fixtures.
    let (bytes, marked) = (try bytes("d1-cmyk-jpeg/cmyk.jpg"), try bytes("d1-cmyk-jpeg/ycck.jpg"))
    #expect(bytes.count == marked.count && bytes.indices.filter { bytes[$0] != marked[$0] } == [17])
    let other = try image("d1-cmyk-jpeg/ycck.jpg")
    for (value, wanted) in zip(other.pixels, [255, 120, 255, 255, 114, 255]) { #expect(abs(Int(value) - wanted) <= 3) }
  }

  @Test(arguments: ["rgba", "la", "palette-trns"]) func transparencyLiesOnBlack(name: String) throws {
    let image = try image("d3-alpha/\(name).png")
    #expect(image.pixels.contains(0) && Set(image.pixels).count > 2, "\(Set(image.pixels))")
  }
}
