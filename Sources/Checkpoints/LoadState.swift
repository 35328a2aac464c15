import FileFormats
import Foundation

/// Reads the weights in a safetensors file, a PyTorch file (`.pt`, `.pth`, `.th`, zip or legacy) or a NumPy archive (`.npz`), told
/// apart by their content, under plain names and in PyTorch's layout.
///
/// An enclosing `state_dict` or `model` and a leading `module.` are removed, `num_batches_tracked` is left out.
public func loadState(from url: URL) throws(CheckpointError) -> StateDictionary {
  try loadNamedState(from: url).withPlainNames
}

/// Reads weights as ``loadState(from:)`` does, under the names that the file has.
public func loadNamedState(from url: URL) throws(CheckpointError) -> StateDictionary {
  let bytes = try readFile(url)
  if KerasFile.recognizes(bytes) { throw KerasFile.unreadable(url.path) }
  if NumPy.recognizesArchive(bytes) { return try NumPy.decodeArchive(bytes, from: url.path) }
  if PyTorchFile.recognizes(bytes) { return try PyTorchFile.decode(bytes, from: url.path) }
  return try Safetensors.decode(bytes, from: url.path).tensors
}
