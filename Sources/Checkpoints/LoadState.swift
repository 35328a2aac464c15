import Foundation

/// The weights in a safetensors file, a PyTorch file (`.pt`, `.pth`, `.th`, zip or legacy) or a NumPy archive (`.npz`), told
/// apart by their content, under plain names and in PyTorch's layout.
///
/// An enclosing `state_dict` or `model` and a leading `module.` are removed, `num_batches_tracked` is left out.
public func loadState(from url: URL) throws(CheckpointError) -> StateDictionary {
  let bytes = try readFile(url)
  if NumPy.recognizesArchive(bytes) { return try NumPy.decodeArchive(bytes, from: url.path).withPlainNames }
  if PyTorchFile.recognizes(bytes) { return try PyTorchFile.decode(bytes, from: url.path).withPlainNames }
  return try Safetensors.decode(bytes, from: url.path).tensors.withPlainNames
}
