@_exported import FileFormats
@_exported import Tensors
