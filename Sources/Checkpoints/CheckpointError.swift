import FileFormats

/// A file of tensors that is not what it should be, or does not fit a model.
public typealias CheckpointError = FileError
