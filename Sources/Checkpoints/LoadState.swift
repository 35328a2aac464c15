import FileFormats
import Foundation

/// Reads the weights in a safetensors file, a PyTorch file (`.pt`, `.pth`, `.th`, zip or legacy) or a NumPy archive (`.npz`), told
/// apart by their content, under plain names and in PyTorch's layout.
///
/// Of several maps of tensors in a checkpoint that under `state_dict` or `model` is read, else the largest; ``WeightsFile`` finds
/// the one that fits a model. A leading `module.` is removed, `num_batches_tracked` is left out.
public func loadState(from url: URL) throws(CheckpointError) -> StateDictionary {
  try loadNamedState(from: url).withPlainNames
}

/// Reads weights as ``loadState(from:)`` does, under the names that the file has.
public func loadNamedState(from url: URL) throws(CheckpointError) -> StateDictionary {
  try WeightsFile(contentsOf: url).largest().tensors()
}
