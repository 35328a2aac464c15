@_exported import FileFormats
@_exported import Layers
